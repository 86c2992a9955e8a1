/**
 * The functions of a program, numbered by address: from symbols, each with its split-off cold parts. Clones that compilers
 * make (`.isra.0`, `.constprop.0`, `.part.0`) are functions of their own; padding before a function (`__pfx_f`, `__cfi_f`)
 * is no function, but calls may lead there and mean `f`.
 */
import { lowHalf } from "../memory/split-address.ts";
import type { Program, ProgramArea } from "../program/program.ts";
import type { KernelSymbol } from "../symbols/symbol-table.ts";
import { GrowingColumn } from "./growing.ts";
import { firstAfter } from "./sorted.ts";

/** A run of bytes; addresses are the low 32 bits, signed. */
export interface Span {
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
}

/** A function that is gone once the kernel has started. */
export interface InitFunction extends Span {
  /** Where it is entered. */
  readonly entry: number;
}

/** gcc: `f.cold` (before 9 `f.cold.N`); also of clones, `f.isra.0.cold`. clang has none but with profiles. */
const COLD = /^(.+)\.cold(\.\d+)?$/;
/** Padding that holds no function: scripts' `__pfx_` (9f2899fe36a6, 6.2) and kCFI's `__cfi_` with the hash (3c516f89e17e, 6.2). */
const PADDING = /^__(pfx|cfi)_/;
/** No function of a kernel is larger; what follows is not text. Bytes. */
const MAX_FUNCTION_BYTES = 1 << 20;

export class FunctionTable {
  readonly count: number;
  readonly name: readonly string[];
  readonly module: readonly (string | null)[];
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** The cold parts of functions that have any. */
  readonly parts: ReadonlyMap<number, readonly Span[]>;
  /** Those for the start only: they have no number, nor do others' addresses belong to them. */
  readonly init: readonly InitFunction[];
  /** Addresses of all symbols of code, whatever they name: labels are among them. */
  readonly symbols: Int32Array;
  /** Where each byte run belongs: starts ascending, with their ends and functions. */
  readonly #runStart: Int32Array;
  readonly #runEnd: Int32Array;
  readonly #runOwner: Int32Array;
  /** The first function of each name, and the others of those that several have. */
  readonly #byName = new Map<string, number>();
  readonly #othersByName = new Map<string, number[]>();

  /** @param symbols all of the program's, where they have been read: out of kallsyms each name has to be unpacked */
  constructor(program: Program, symbols: Iterable<KernelSymbol> = program.symbols.all()) {
    const { found, init, labels } = collect(program, symbols);
    this.init = init;
    this.symbols = labels;
    const bodies = found.filter((one) => !one.padding && one.parents === null);
    this.count = bodies.length;
    this.name = bodies.map((one) => one.name);
    this.module = bodies.map((one) => one.module);
    this.start = Int32Array.from(bodies, (one) => one.start);
    this.end = Int32Array.from(bodies, (one) => one.end);
    for (let index = 0; index < bodies.length; index++) {
      const { names } = bodies[index]!;
      for (let n = 0; n < names.length; n++) this.#addName(names[n]!, index);
    }

    const parts = new Map<number, Span[]>();
    const others: Run[] = [];
    const orphans: Found[] = [];
    for (const one of found) {
      if (one.padding) {
        const owner = bodyAt(this.start, one.end);
        if (owner >= 0) others.push({ start: one.start, end: one.end, owner });
      } else if (one.parents !== null) {
        const owner = this.#parentOf(program, one);
        if (owner < 0) orphans.push(one);
        else {
          const list = parts.get(owner);
          if (list === undefined) parts.set(owner, [one]);
          else list.push(one);
          others.push({ start: one.start, end: one.end, owner });
        }
      }
    }
    this.parts = parts;
    this.orphans = orphans.map(({ start, end }) => ({ start, end }));
    // The functions themselves are in order.
    others.sort((a, b) => a.start - b.start);
    const count = bodies.length + others.length;
    this.#runStart = new Int32Array(count);
    this.#runEnd = new Int32Array(count);
    this.#runOwner = new Int32Array(count);
    for (let run = 0, body = 0; run < count; run++) {
      const other = others[run - body];
      const isBody = other === undefined || (body < bodies.length && this.start[body]! <= other.start);
      this.#runStart[run] = isBody ? this.start[body]! : other.start;
      this.#runEnd[run] = isBody ? this.end[body]! : other.end;
      this.#runOwner[run] = isBody ? body++ : other.owner;
    }
  }

  #addName(name: string, index: number): void {
    if (!this.#byName.has(name)) {
      this.#byName.set(name, index);
      return;
    }
    const others = this.#othersByName.get(name);
    if (others === undefined) this.#othersByName.set(name, [index]);
    else others.push(index);
  }

  /** Cold parts that no function jumps to. */
  readonly orphans: readonly Span[];

  /** The function that the byte belongs to: its body, a cold part, or the padding before it; -1 for none. */
  holding(address: number): number {
    const run = lastNotAfter(this.#runStart, address);
    return run >= 0 && address < this.#runEnd[run]! ? this.#runOwner[run]! : -1;
  }

  /** The function that begins at the address, or whose padding does or holds it; -1 for none. */
  entryAt(address: number): number {
    const owner = this.holding(address);
    return owner >= 0 && this.isEntry(owner, address) ? owner : -1;
  }

  /** Is an address that belongs to a function its first, or in the padding before it? */
  isEntry(owner: number, address: number): boolean {
    const start = this.start[owner]!;
    // Padding lies before the function and is at most a few dozen bytes long.
    return address === start || (address < start && start - address <= MAX_PADDING && !this.#inPart(owner, address));
  }

  #inPart(owner: number, address: number): boolean {
    return this.parts.get(owner)?.some((part) => address >= part.start && address < part.end) ?? false;
  }

  /** Functions of that name, aliases among them. */
  named(name: string): readonly number[] {
    const first = this.#byName.get(name);
    return first === undefined ? [] : [first, ...(this.#othersByName.get(name) ?? [])];
  }

  /** The function that a cold part was split from: of several by that name the one that jumps there. */
  #parentOf(program: Program, part: Found): number {
    const candidates = [...new Set((part.parents ?? []).flatMap((name) => this.named(name)))].filter(
      (index) => this.module[index] === part.module,
    );
    if (candidates.length <= 1) return candidates[0] ?? -1;
    return candidates.find((index) => jumpsInto(program, this.start[index]!, this.end[index]!, part)) ?? -1;
  }
}

const MAX_PADDING = 128;

/** Bytes that belong to a function. */
interface Run extends Span {
  readonly owner: number;
}

interface Found extends Span {
  readonly name: string;
  readonly names: readonly string[];
  readonly module: string | null;
  readonly padding: boolean;
  /** Names of the functions it may be a part of; null for a function. */
  readonly parents: readonly string[] | null;
}

interface Collected {
  /** Of the text that stays, ascending. */
  readonly found: readonly Found[];
  readonly init: readonly InitFunction[];
  readonly labels: Int32Array;
}

/** All that symbols say of the text. */
function collect(program: Program, symbols: Iterable<KernelSymbol>): Collected {
  const areas = program.text;
  const labels = new GrowingColumn();
  const named = new Map<number, { address: bigint; area: ProgramArea; names: string[] }>();
  let area: ProgramArea | null = null;
  for (const { type, address, name } of symbols) {
    if (!isFunctionLetter(type)) continue;
    labels.push(low32(address));
    const known = named.get(low32(address));
    if (known?.address === address) known.names.push(name);
    else {
      // Symbols come in order, and areas are few.
      if (area === null || address < area.start || address >= area.end) area = areaOf(areas, address);
      if (area !== null) named.set(low32(address), { address, area, names: [name] });
    }
  }
  const found: Found[] = [];
  const init: InitFunction[] = [];
  for (const [start, { address, area, names }] of named) {
    const range = program.symbols.functionAt(address);
    if (range === null) continue;
    if (area.init) {
      const isPadding = names.some((name) => PADDING.test(name));
      if (!isPadding) init.push({ entry: start, start: low32(range.start), end: low32(range.end) });
      continue;
    }
    if (range.start !== address) continue;
    const end = Math.min(low32(range.end), low32(area.end));
    if (end <= start || end - start > MAX_FUNCTION_BYTES) continue;
    found.push({
      start,
      end,
      name: range.name,
      names,
      module: range.module,
      padding: PADDING.test(range.name),
      parents: parentsOf(names),
    });
  }
  found.sort((a, b) => a.start - b.start);
  return { found, init, labels: labels.values.slice() };
}

/** Names of the functions that what has these names may be a part of; null where it is no part. */
function parentsOf(names: readonly string[]): string[] | null {
  const parents: string[] = [];
  for (const name of names) {
    const parent = name.includes(".cold") ? COLD.exec(name)?.[1] : undefined;
    if (parent === undefined) return null;
    parents.push(parent);
  }
  return parents;
}

/** nm's letters for code, weak symbols among them. */
export function isFunctionLetter(type: string): boolean {
  return type === "t" || type === "T" || type === "w" || type === "W";
}

export function low32(address: bigint): number {
  return lowHalf(address) | 0;
}

/** The 64-bit address of one that is kept as its low 32 bits, in the top 2 GiB. */
export function fullAddress(address: number): bigint {
  return BigInt.asUintN(64, BigInt(address));
}

/** The area of an ascending list that holds an address. */
export function areaOf(areas: readonly ProgramArea[], address: bigint): ProgramArea | null {
  let low = 0;
  let high = areas.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (areas[middle]!.start <= address) low = middle + 1;
    else high = middle;
  }
  const area = areas[low - 1];
  return area !== undefined && address < area.end ? area : null;
}

function lastNotAfter(starts: Int32Array, address: number): number {
  return firstAfter(starts, address) - 1;
}

function bodyAt(starts: Int32Array, start: number): number {
  const index = lastNotAfter(starts, start);
  return index >= 0 && starts[index] === start ? index : -1;
}

/** Bytes that look like a near jump (e9, 0f 8x) into the part: with 32 bits that match, they are one. */
function jumpsInto(program: Program, start: number, end: number, part: Span): boolean {
  const bytes = program.memory.read(fullAddress(start), end - start);
  if (bytes === null) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 5 <= bytes.length; at++) {
    const length = bytes[at] === 0xe9 ? 5 : bytes[at] === 0x0f && (bytes[at + 1]! & 0xf0) === 0x80 ? 6 : 0;
    if (length === 0 || at + length > bytes.length) continue;
    const target = (start + at + length + view.getInt32(at + length - 4, true)) | 0;
    if (target >= part.start && target < part.end) return true;
  }
  return false;
}
