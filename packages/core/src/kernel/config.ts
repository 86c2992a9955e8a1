/** The kernel's build options: as text (/boot/config-…) and as the kernel carries them within itself. */
import { gunzip } from "../image/codec/gzip.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { readWhilePresent } from "../memory/read-while-present.ts";
import { decodeUtf8 } from "../memory/utf8.ts";
import type { SymbolTable } from "../symbols/symbol-table.ts";
import { vmcoreSymbol } from "../symbols/vmcoreinfo.ts";

/**
 * Option (without `CONFIG_`) to value: `y`, `m`, a number, a text without its quotes. Options that are off
 * (`# CONFIG_X is not set`) have the value `n`.
 */
export type KernelConfig = ReadonlyMap<string, string>;

/** What the embedded configuration is read from; a `Kernel` is one. */
export interface ConfigSource {
  readonly memory: AddressSpace;
  readonly symbols: SymbolTable;
  readonly vmcoreinfo: ReadonlyMap<string, string>;
}

const SET = /^CONFIG_(\w+)=(.*)$/;
const UNSET = /^# CONFIG_(\w+) is not set$/;

/** Parses a configuration's text; lines of any other form are left out. */
export function parseKernelConfig(text: string): KernelConfig {
  const options = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const set = SET.exec(line);
    if (set !== null) options.set(set[1]!, set[2]!.replace(/^"(.*)"$/, "$1"));
    else {
      const unset = UNSET.exec(line);
      if (unset !== null) options.set(unset[1]!, "n");
    }
  }
  return options;
}

/** Whether a text looks like a kernel configuration at all: one that has some options. */
export function isKernelConfig(config: KernelConfig): boolean {
  return config.size >= 8;
}

/** CONFIG_IKCONFIG puts `IKCFG_ST`, a gzip file and `IKCFG_ED` into the read-only data (kernel/configs.c). */
const START = marker("IKCFG_ST");
const END = marker("IKCFG_ED");
/** The largest distribution configurations have 300 KB, 70 KB compressed. */
const LARGEST_COMPRESSED = 1 << 20;
const LARGEST_TEXT = 4 << 20;
/** Read-only data that are searched where no symbol tells the place. Distribution kernels have up to 12 MB. */
const LARGEST_SEARCH = 24 << 20;
const CHUNK = 1 << 20;

function marker(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export interface EmbeddedConfig {
  readonly config: KernelConfig;
  /** Where the gzip file begins. */
  readonly address: bigint;
}

/** The configuration that the kernel embeds; null where it has none, or its pages are not in the dump. */
export function readEmbeddedConfig(source: ConfigSource): EmbeddedConfig | null {
  const symbol = source.symbols.byName("kernel_config_data");
  if (symbol !== null) return readAt(source.memory, symbol.address);
  // With data symbols in kallsyms (CONFIG_KALLSYMS_ALL) its absence is an answer.
  return hasDataSymbols(source.symbols) ? null : search(source);
}

/** Does kallsyms list data? Only then does a data symbol's absence say something. */
export function hasDataSymbols(symbols: SymbolTable): boolean {
  return symbols.byName("init_task", null) !== null && symbols.byName("linux_banner", null) !== null;
}

/**
 * The symbol stands at the gzip file since 5.1 (13610aa908dc), and at the marker before it until then (an array of both).
 */
function readAt(memory: AddressSpace, address: bigint): EmbeddedConfig | null {
  const magic = memory.read(address, START.length);
  const start = magic !== null && indexOf(magic, START, 0) === 0 ? address + BigInt(START.length) : address;
  // The end is not told by a symbol in every release; the marker is there in all of them.
  const bytes = readWhilePresent(memory, start, LARGEST_COMPRESSED);
  const end = indexOf(bytes, END, 0);
  return end < 0 ? null : unpack(bytes.subarray(0, end), start);
}

function unpack(packed: Uint8Array, address: bigint): EmbeddedConfig | null {
  const text = gunzip(packed, LARGEST_TEXT);
  if (text === null) return null;
  const config = parseKernelConfig(decodeUtf8(text));
  return isKernelConfig(config) ? { config, address } : null;
}

/** Looks for the marker in the read-only data. */
function search(source: ConfigSource): EmbeddedConfig | null {
  const { memory, symbols, vmcoreinfo } = source;
  const find = (name: string) => symbols.byName(name, null)?.address ?? vmcoreSymbol(vmcoreinfo, name);
  const low = find("__start_rodata") ?? find("_etext") ?? find("_stext");
  if (low === null) return null;
  const known = find("__end_rodata") ?? low + BigInt(LARGEST_SEARCH);
  const high = known > low && known - low < BigInt(LARGEST_SEARCH) ? known : low + BigInt(LARGEST_SEARCH);
  const size = CHUNK + START.length;
  for (let at = low; at < high; at += BigInt(CHUNK)) {
    const bytes = memory.scan?.(at, size) ?? memory.readSparse(at, size).bytes;
    for (let hit = indexOf(bytes, START, 0); hit >= 0; hit = indexOf(bytes, START, hit + 1)) {
      const found = readAt(memory, at + BigInt(hit));
      if (found !== null) return found;
    }
  }
  return null;
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(wanted[0]!, from); at >= 0; at = bytes.indexOf(wanted[0]!, at + 1)) {
    if (at + wanted.length > bytes.length) return -1;
    let index = 1;
    while (index < wanted.length && bytes[at + index] === wanted[index]) index++;
    if (index === wanted.length) return at;
  }
  return -1;
}
