import type { KernelModule } from "@spillway/core";
import { hex16 } from "../text/hex.ts";
import { printable } from "../text/printable.ts";

function centre(text: string, width: number): string {
  return text.padStart(Math.floor((width + text.length) / 2)).padEnd(width);
}

/** `mod` in crash's columns; where crash names the module's object file, the state and taints stand here. */
export function formatModules(modules: readonly KernelModule[]): string {
  const rows = modules.map((module) => ({ ...module, name: printable(module.name) }));
  const name = Math.max(4, ...rows.map((row) => row.name.length));
  const size = Math.max(4, ...rows.map((row) => row.size.toString().length));
  const state = Math.max(5, ...rows.map((row) => row.state.length));
  const header = `${centre("MODULE", 16)}  ${"NAME".padEnd(name)}  ${centre("BASE", 16)}  ${"SIZE".padStart(size)}`;
  const lines = rows.map((row) => {
    const where = `${hex16(row.address)}  ${row.name.padEnd(name)}  ${hex16(row.base)}`;
    return `${where}  ${row.size.toString().padStart(size)}  ${row.state.padEnd(state)}  ${printable(row.taints)}`;
  });
  return [`${header}  ${"STATE".padEnd(state)}  TAINTS`, ...lines].map((line) => `${line.trimEnd()}\n`).join("");
}
