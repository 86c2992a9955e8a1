import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { requireProgram } from "../debian-packages.ts";
import type { LabKernel } from "../kernel-cache.ts";

const MAX_MODULE_BYTES = 64 * 1024 * 1024;

/** A module of a stock kernel, unpacked. */
export interface StockModule {
  /** As `lsmod` says it: with underscores. */
  readonly name: string;
  readonly content: Uint8Array;
}

const plainName = (name: string): string => name.replaceAll("-", "_");

/** Paths of all `.ko` files below a folder (`.ko.xz` from Debian's 6.12 on) by module name. */
async function moduleFiles(kernel: LabKernel): Promise<Map<string, string>> {
  const folder = join(kernel.modules, "kernel");
  const files = new Map<string, string>();
  for (const path of await readdir(folder, { recursive: true })) {
    const match = /([^/]+)\.ko(\.xz)?$/.exec(path);
    if (match?.[1] !== undefined) files.set(plainName(match[1]), join(folder, path));
  }
  return files;
}

async function unpacked(path: string): Promise<Uint8Array> {
  if (!path.endsWith(".xz")) return readFile(path);
  const options = { encoding: "buffer", maxBuffer: MAX_MODULE_BYTES } as const;
  return (await promisify(execFile)(requireProgram("xz"), ["-dc", path], options)).stdout;
}

/** The modules that one needs, from its .modinfo section (scripts/mod/modpost.c, add_depends). */
export function dependenciesOf(module: Uint8Array): string[] {
  const bytes = Buffer.from(module.buffer, module.byteOffset, module.byteLength);
  const key = "\0depends=";
  const at = bytes.indexOf(key, 0, "latin1");
  if (at < 0) return [];
  const list = bytes.toString("latin1", at + key.length, bytes.indexOf(0, at + key.length));
  return list === "" ? [] : list.split(",").map(plainName);
}

/**
 * Modules and all that they need, in an order in which they can be loaded. Those that the kernel has not (or has built in)
 * are left out.
 */
export async function stockModules(kernel: LabKernel, names: readonly string[]): Promise<StockModule[]> {
  const files = await moduleFiles(kernel);
  const order: StockModule[] = [];
  const seen = new Set<string>();
  const add = async (name: string): Promise<void> => {
    const path = files.get(name);
    if (path === undefined || seen.has(name)) return;
    seen.add(name);
    const content = await unpacked(path);
    for (const needed of dependenciesOf(content)) await add(needed);
    order.push({ name, content });
  };
  for (const name of names) await add(plainName(name));
  return order;
}
