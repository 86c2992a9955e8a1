import { type KernelOptions, OPTION_NAMES } from "@spillway/core";
import { printable } from "../text/printable.ts";

export interface OptionRow {
  readonly option: string;
  readonly state: "yes" | "no" | "unknown";
  readonly value: string | null;
  readonly evidence: string | null;
}

/** The options that concern stacks, each with what is known of it. */
export function optionRows(options: KernelOptions): OptionRow[] {
  return OPTION_NAMES.map((name) => ({ option: `CONFIG_${name}`, ...options.state(name) }));
}

export function formatOptions(rows: readonly OptionRow[]): string {
  const width = Math.max(...rows.map(({ option }) => option.length));
  return rows
    .map(({ option, state, value, evidence }) => {
      const shown = (value ?? state).padEnd(8);
      return `${`${option.padEnd(width)}  ${shown}${printable(evidence ?? "")}`.trimEnd()}\n`;
    })
    .join("");
}
