import type { AddressSpace } from "../memory/address-space.ts";
import type { VirtualRange } from "../memory/kernel-image.ts";
import { u32At } from "../memory/split-address.ts";
import { type AddressTableLocation, type KallsymsLocations, MOST_SYMBOLS } from "./kallsyms.ts";
import { KallsymsNames, TokenTable } from "./kallsyms-names.ts";

/**
 * Finds kallsyms by its content, for kernels whose VMCOREINFO does not say where it is (before 6.0) or that left none.
 *
 * The layouts, each table aligned to 8 (scripts/kallsyms.c, `write_src`):
 *   up to 6.4: addresses | offsets, relative_base; num_syms; names; markers; (seqs_of_names, 6.2); token_table; token_index
 *   6.5 on:    num_syms; names; markers; token_table; token_index; offsets; relative_base (to 6.x); seqs_of_names
 */

const CHUNK = 0x200000;
/** Digits and their NULs: "0\0…9\0", the tokens 48 to 57, which no compression replaces. */
const DIGITS_LENGTH = 20;
const FIRST_DIGIT = 48;
/** How far the token index can lie behind the digits. */
const INDEX_REACH = 0x8000;
/** How far before the token table names can begin: names of some 700,000 symbols. */
const NAMES_REACH = 0x1000000;
/** A marker counts the bytes of 256 names: at least two each, at most (by far) these. */
const LEAST_STRIDE = 512;
const MOST_STRIDE = 0x10000;
const FEWEST_MARKERS = 3;

/**
 * Searches mapped ranges; each is read once, in pieces.
 * @returns null where nothing in them is kallsyms
 */
export function findKallsyms(space: AddressSpace, ranges: Iterable<VirtualRange>): KallsymsLocations | null {
  for (const range of ranges) {
    for (let at = range.start; at < range.end; at += BigInt(CHUNK)) {
      const room = Number(range.end - at);
      const { bytes } = space.readSparse(at, Math.min(CHUNK + DIGITS_LENGTH, room));
      for (const digits of digitRuns(bytes)) {
        const found = locateAround(space, at + BigInt(digits), range);
        if (found !== null) return found;
      }
    }
  }
  return null;
}

/** Offsets of "0\0001\000…9\0" in the bytes. */
function* digitRuns(bytes: Uint8Array): Iterable<number> {
  // The run is longer than two 8-byte steps, so one aligned byte in eight tells enough: a digit with NULs around it, or a
  // NUL with digits around it.
  for (let i = 0; i + 2 < bytes.length; i += 8) {
    const a = bytes[i] as number;
    const b = bytes[i + 1] as number;
    if (a !== 0 && b !== 0) continue;
    const digit = a === 0 ? b : a;
    if (digit < 0x30 || digit > 0x39) continue;
    const start = i + (a === 0 ? 1 : 0) - (digit - 0x30) * 2;
    if (start >= 0 && isDigitRun(bytes, start)) yield start;
  }
}

function isDigitRun(bytes: Uint8Array, start: number): boolean {
  if (start + DIGITS_LENGTH > bytes.length) return false;
  for (let i = 0; i < 10; i++) {
    if (bytes[start + i * 2] !== 0x30 + i || bytes[start + i * 2 + 1] !== 0) return false;
  }
  return true;
}

function locateAround(space: AddressSpace, digits: bigint, range: VirtualRange): KallsymsLocations | null {
  const tokens = locateTokens(space, digits);
  if (tokens === null) return null;
  const reach = BigInt(NAMES_REACH);
  const from = tokens.table - range.start > reach ? tokens.table - reach : range.start;
  const start = (from + 7n) & ~7n;
  const before = space.readSparse(start, Number(tokens.table - start)).bytes;
  const names = locateNames(before, tokens.decoder);
  if (names === null) return null;
  const numberAt = start + BigInt(names.numberOffset);
  return {
    count: names.count,
    names: start + BigInt(names.offset),
    tokenTable: tokens.table,
    tokenIndex: tokens.index,
    addressTables: addressTables(space, names.count, numberAt, tokens.index + 512n),
  };
}

function locateTokens(
  space: AddressSpace,
  digits: bigint,
): { table: bigint; index: bigint; decoder: TokenTable } | null {
  const behind = space.readSparse(digits, INDEX_REACH).bytes;
  // The index is 2-aligned at least; `digits` may be odd.
  for (let at = Number(digits & 1n); at + 512 <= behind.length; at += 2) {
    if (u16At(behind, at) !== 0) continue;
    const offset = u16At(behind, at + FIRST_DIGIT * 2);
    let fits = offset >= FIRST_DIGIT * 2;
    for (let i = 1; i < 10 && fits; i++) fits = u16At(behind, at + (FIRST_DIGIT + i) * 2) === offset + i * 2;
    if (!fits) continue;
    const table = digits - BigInt(offset);
    const bytes = space.read(table, offset + at);
    const decoder = bytes === null ? null : TokenTable.parse(bytes, behind.subarray(at, at + 512));
    if (decoder !== null) return { table, index: digits + BigInt(at), decoder };
  }
  return null;
}

/** Finds the marker table, the last thing before the token table that grows in such steps, and the names before it. */
function locateNames(
  before: Uint8Array,
  tokens: TokenTable,
): { offset: number; numberOffset: number; count: number } | null {
  for (let at = (before.length & ~3) - 8; at >= 0; at -= 4) {
    if (u32At(before, at) !== 0) continue;
    for (const width of [4, 8] as const) {
      const markers = markersAt(before, at, width);
      if (markers.length < FEWEST_MARKERS) continue;
      const found = namesBefore(before, at, markers, tokens);
      if (found !== null) return found;
    }
  }
  return null;
}

function markersAt(bytes: Uint8Array, at: number, width: 4 | 8): number[] {
  const markers = [0];
  for (let next = at + width; next + width <= bytes.length; next += width) {
    const value = u32At(bytes, next);
    const step = value - (markers[markers.length - 1] as number);
    if (step < LEAST_STRIDE || step > MOST_STRIDE) break;
    if (width === 8 && u32At(bytes, next + 4) !== 0) break;
    markers.push(value);
    if (markers.length > MOST_SYMBOLS / 256) break;
  }
  return markers;
}

function namesBefore(bytes: Uint8Array, markersOffset: number, markers: readonly number[], tokens: TokenTable) {
  const last = markers[markers.length - 1] as number;
  const first = markersOffset - last - MOST_STRIDE;
  for (let offset = markersOffset - ((last + 4) & ~3); offset >= Math.max(8, first); offset -= 4) {
    for (const numberOffset of [offset - 8, offset - 4]) {
      const count = u32At(bytes, numberOffset);
      if (count <= (markers.length - 1) * 256 || count > markers.length * 256) continue;
      const area = bytes.subarray(offset, markersOffset);
      for (const long of [true, false]) {
        if (KallsymsNames.walk(tokens, area, 256, long).byteLength !== markers[1]) continue;
        const names = KallsymsNames.walk(tokens, area, count, long);
        const gap = area.length - names.byteLength;
        if (names.count === count && gap < 8 && markers.every((marker, i) => names.entryOffset(i * 256) === marker)) {
          return { offset, numberOffset, count };
        }
      }
    }
  }
  return null;
}

/** Every place where an address table can lie by the layouts above; opening tries them in turn. */
function addressTables(
  space: AddressSpace,
  count: number,
  number: bigint,
  behindIndex: bigint,
): AddressTableLocation[] {
  const tables: AddressTableLocation[] = [];
  const offsetsLength = BigInt(count * 4 + 7) & ~7n;
  const behind = (behindIndex + 7n) & ~7n;
  for (const [table, base] of [
    [number - 8n - offsetsLength, number - 8n],
    [behind, behind + offsetsLength],
  ] as const) {
    const relativeBase = space.u64(base);
    // A real base is an address of the image.
    if (relativeBase !== null && relativeBase >> 31n === 0x1ffffffffn)
      tables.push({ kind: "offsets", table, relativeBase });
  }
  for (const table of behindIndex === behind ? [behind] : [behindIndex, behind]) {
    tables.push({ kind: "offsets", table, relativeBase: null });
  }
  tables.push({ kind: "addresses", table: number - BigInt(count * 8), relativeBase: null });
  return tables;
}

function u16At(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8);
}
