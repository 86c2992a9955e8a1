/** A program of a few functions written by hand: machine code with its assembly beside it. */
import { disassemble } from "../code/disassemble.ts";
import type { AddressSpace, MemoryFault } from "../memory/address-space.ts";
import type { Alternative, Program, ProgramArea } from "../program/program.ts";
import type { FunctionRange, KernelSymbol, SymbolTable } from "../symbols/symbol-table.ts";
import { EmptyTypes } from "../types/empty-types.ts";
import type { OrcEntry, OrcTable } from "../unwind/orc.ts";
import { buildCallGraph } from "./build-call-graph.ts";
import { type CallGraph, DEPTH_KINDS, SITE_KINDS } from "./call-graph.ts";

const TEXT = 0xffffffff81000000n;
/** Where code without a name stands: replacements of alternatives, what is made at run time. */
const UNNAMED = 0xffffffff81800000n;
const DATA = 0xffffffff82000000n;
const ALIGNMENT = 16;

/**
 * A line for each instruction: its bytes, two blanks, its assembly. `{name}` or `{name+4}` is the 32-bit distance to that
 * place, `{=name}` its address as 32 bits. The assembly's mnemonic has to be the disassembler's.
 */
export type Listing = string;

export interface TinyOrc {
  readonly at: string;
  readonly sp: OrcEntry["spRegister"];
  readonly offset: number;
  readonly type?: OrcEntry["type"];
}

export interface TinyProgram {
  readonly functions: Readonly<Record<string, Listing>>;
  /** Code that no symbol names. */
  readonly unnamed?: Readonly<Record<string, Listing>>;
  /** Words that hold addresses of places. */
  readonly data?: Readonly<Record<string, readonly string[]>>;
  readonly alternatives?: readonly { readonly at: string; readonly length: number; readonly by: string }[];
  readonly orc?: readonly TinyOrc[];
}

interface Line {
  readonly parts: readonly string[];
  readonly assembly: string;
  readonly offset: number;
}

interface Block {
  readonly name: string;
  readonly start: bigint;
  readonly length: number;
  readonly lines: readonly Line[];
}

function parse(listing: Listing): { lines: Line[]; length: number } {
  const lines: Line[] = [];
  let offset = 0;
  for (const text of listing.split("\n")) {
    const [code, assembly] = text.trim().split(/ {2,}/);
    if (code === undefined || code === "") continue;
    const parts = code.split(" ").flatMap((part) => (part.startsWith("{") ? [part] : (part.match(/../g) ?? [])));
    lines.push({ parts, assembly: assembly ?? "", offset });
    offset += parts.reduce((sum, part) => sum + (part.startsWith("{") ? 4 : 1), 0);
  }
  return { lines, length: offset };
}

/** Lays the program out; `at("f+4")` is the address of a place. */
export function tinyProgram(description: TinyProgram): { program: Program; at: (place: string) => bigint } {
  const blocks = [...layOut(description.functions, TEXT), ...layOut(description.unnamed ?? {}, UNNAMED)];
  const names = new Map(blocks.map((block) => [block.name, block.start]));
  let next = DATA;
  for (const [name, words] of Object.entries(description.data ?? {})) {
    names.set(name, next);
    next += BigInt(words.length * 8);
  }
  const at = (place: string): bigint => {
    const [, name, offset] = /^(.*?)(?:\+(\d+))?$/.exec(place)!;
    const start = names.get(name!);
    if (start === undefined) throw new Error(`no place is called ${name}`);
    return start + BigInt(offset ?? 0);
  };
  const regions: [bigint, Uint8Array][] = blocks.map((block) => [block.start, assemble(block, at)]);
  for (const [name, words] of Object.entries(description.data ?? {})) {
    regions.push([at(name), new Uint8Array(BigUint64Array.from(words.map(at)).buffer)]);
  }
  const functions = blocks.filter((block) => block.start < UNNAMED);
  const end = functions.length === 0 ? TEXT : functions.at(-1)!.start + BigInt(functions.at(-1)!.length);
  const text: ProgramArea[] = [{ start: TEXT, end, module: null, section: ".text", init: false }];
  const alternatives: Alternative[] = (description.alternatives ?? []).map((one) => ({
    site: at(one.at),
    length: one.length,
    replacement: at(one.by),
    replacementLength: blocks.find((block) => block.name === one.by)!.length,
  }));
  const program: Program = {
    source: "vmlinux",
    name: "tiny",
    release: null,
    memory: new TinySpace(regions),
    symbols: symbolsOf(functions, end),
    orc: orcOf(description.orc, at),
    types: EmptyTypes,
    moduleTypes: () => EmptyTypes,
    moduleImage: () => null,
    text,
    data: [],
    alternatives,
    relocations: null,
    threadSize: 16384,
    problems: [],
  };
  return { program, at };
}

function layOut(listings: Readonly<Record<string, Listing>>, from: bigint): Block[] {
  let start = from;
  return Object.entries(listings).map(([name, listing]) => {
    const block = { name, start, ...parse(listing) };
    // As gcc does without -falign-functions: parts and padding need neighbours that touch.
    start += BigInt(Math.ceil(Math.max(block.length, 1) / ALIGNMENT) * ALIGNMENT);
    return block;
  });
}

function assemble(block: Block, at: (place: string) => bigint): Uint8Array {
  // Between functions there is int3, as in a kernel.
  const bytes = new Uint8Array(Math.ceil(Math.max(block.length, 1) / ALIGNMENT) * ALIGNMENT).fill(0xcc);
  const view = new DataView(bytes.buffer);
  for (const { parts, assembly, offset } of block.lines) {
    let position = offset;
    for (const part of parts) {
      if (!part.startsWith("{")) bytes[position++] = Number.parseInt(part, 16);
      else {
        const isAddress = part.startsWith("{=");
        const target = at(part.slice(isAddress ? 2 : 1, -1));
        const value = isAddress ? target : target - (block.start + BigInt(position + 4));
        view.setInt32(position, Number(BigInt.asIntN(32, value)), true);
        position += 4;
      }
    }
    const [read] = disassemble(bytes.subarray(offset, position), block.start + BigInt(offset));
    const mnemonic = read?.text.split(/\s+/)[0];
    if (mnemonic !== assembly.split(/\s+/)[0] || read!.bytes.length !== position - offset) {
      throw new Error(`${block.name}+${offset} is "${read?.text}" and not "${assembly}"`);
    }
  }
  return bytes;
}

function symbolsOf(functions: readonly Block[], end: bigint): SymbolTable {
  const ranges: FunctionRange[] = functions.map(({ name, start }, index) => ({
    name,
    module: null,
    start,
    end: functions[index + 1]?.start ?? end,
  }));
  const symbol = ({ name, start }: FunctionRange): KernelSymbol => ({ name, address: start, type: "t", module: null });
  const functionAt = (address: bigint) => ranges.find((one) => address >= one.start && address < one.end) ?? null;
  const allByName = (name: string) => ranges.filter((one) => one.name === name).map(symbol);
  return {
    byName: (name) => allByName(name)[0] ?? null,
    allByName,
    byAddress(address) {
      const range = functionAt(address);
      return range === null ? null : { symbol: symbol(range), offset: Number(address - range.start) };
    },
    functionAt,
    isText: (address) => functionAt(address) !== null,
    modules: [],
    all: () => ranges.map(symbol),
  };
}

function orcOf(entries: readonly TinyOrc[] | undefined, at: (place: string) => bigint): OrcTable | null {
  if (entries === undefined) return null;
  const table: OrcEntry[] = entries.map((entry) => ({
    address: at(entry.at),
    spRegister: entry.sp,
    spOffset: entry.offset,
    bpRegister: "undefined",
    bpOffset: 0,
    type: entry.type ?? "call",
    signal: false,
  }));
  return { layout: "test", find: (pc) => table.findLast((entry) => entry.address <= pc) ?? null };
}

class TinySpace implements AddressSpace {
  readonly #regions: readonly (readonly [bigint, Uint8Array])[];

  constructor(regions: readonly (readonly [bigint, Uint8Array])[]) {
    this.#regions = regions;
  }

  /** Of neighbours that touch, as much as is asked for. */
  readSparse(virtual: bigint, length: number): { bytes: Uint8Array; faults: MemoryFault[] } {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index++) {
      const at = virtual + BigInt(index);
      const region = this.#regions.find(([start, known]) => at >= start && at < start + BigInt(known.length));
      if (region === undefined) return { bytes, faults: [{ reason: "unmapped", virtual: at, physical: null }] };
      bytes[index] = region[1][Number(at - region[0])]!;
    }
    return { bytes, faults: [] };
  }

  read(virtual: bigint, length: number): Uint8Array | null {
    const { bytes, faults } = this.readSparse(virtual, length);
    return faults.length === 0 ? bytes : null;
  }

  translate = (virtual: bigint) => (this.read(virtual, 1) === null ? null : virtual & 0xffffffffn);
  explain = (virtual: bigint): MemoryFault | null =>
    this.read(virtual, 1) === null ? { reason: "unmapped", virtual, physical: null } : null;
  u8 = (virtual: bigint) => this.read(virtual, 1)?.[0] ?? null;
  u16 = (virtual: bigint) => this.#view(virtual, 2)?.getUint16(0, true) ?? null;
  u32 = (virtual: bigint) => this.#view(virtual, 4)?.getUint32(0, true) ?? null;
  i32 = (virtual: bigint) => this.#view(virtual, 4)?.getInt32(0, true) ?? null;
  u64 = (virtual: bigint) => this.#view(virtual, 8)?.getBigUint64(0, true) ?? null;
  cstring = () => null;

  #view(virtual: bigint, length: number): DataView | null {
    const bytes = this.read(virtual, length);
    return bytes === null ? null : new DataView(bytes.buffer);
  }
}

/** The graph of a description, with questions to it as a test reads them. */
export function graphOf(description: TinyProgram): {
  graph: CallGraph;
  /** For example `5 call leaf 16`: offset, kind, callee ("?" where it has none), bytes, and the depth's kind unless exact. */
  sites: (name: string) => string[];
  /** For example `24` or `120 at-most`. */
  own: (name: string) => string;
  returns: (name: string) => boolean;
  names: () => string[];
} {
  const { program } = tinyProgram(description);
  const graph = buildCallGraph(program);
  const { functions, sites } = graph;
  const numberOf = (name: string): number => {
    const index = functions.name.indexOf(name);
    if (index < 0) throw new Error(`no function is called ${name}`);
    return index;
  };
  const depth = (bytes: number, kind: number): string => {
    const name = DEPTH_KINDS[kind]!;
    return name === "exact" ? `${bytes}` : `${bytes} ${name}`;
  };
  return {
    graph,
    sites(name) {
      const caller = numberOf(name);
      const found: string[] = [];
      for (let site = 0; site < sites.count; site++) {
        if (sites.caller[site] !== caller) continue;
        const callee = sites.callee[site]!;
        const offset = sites.address[site]! - functions.start[caller]!;
        const to = callee < 0 ? "?" : functions.name[callee];
        found.push(
          `${offset} ${SITE_KINDS[sites.kind[site]!]} ${to} ${depth(sites.bytes[site]!, sites.depthKind[site]!)}`,
        );
      }
      return found;
    },
    own: (name) => depth(functions.ownBytes[numberOf(name)]!, functions.ownKind[numberOf(name)]!),
    returns: (name) => functions.returns[numberOf(name)] === 1,
    names: () => [...functions.name],
  };
}
