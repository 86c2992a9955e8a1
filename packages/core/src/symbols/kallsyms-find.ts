import type { AddressSpace } from "../memory/address-space.ts";
import type { MappedRange } from "../memory/kernel-image.ts";
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

const PAGE = 4096n;
/** Digits and their NULs: "0\0…9\0", the tokens 48 to 57, which no compression replaces. */
const DIGITS_LENGTH = 20;
const FIRST_DIGIT = 48;
/** How far the token index can lie behind the digits. */
const INDEX_REACH = 0x8000;
/** How far before the token table the markers can begin, tried in turn: seqs_of_names (6.2 to 6.4) may lie between. */
const MARKER_REACHES = [0x10000, 0x400000];
/** How many would-be marker tables are tried; the real one is the first but for what lies between. */
const MOST_TRIES = 256;
/** A marker counts the bytes of 256 names: at least two each, at most (by far) these. */
const LEAST_STRIDE = 512;
const MOST_STRIDE = 0x10000;
const FEWEST_MARKERS = 3;

/** Memory whose pages can be looked at in place; null for a page that is not there. */
export interface SearchableSpace extends AddressSpace {
  view(virtual: bigint): Uint8Array | null;
}

/**
 * Searches mapped ranges, read-only data first; each page is looked at once, in place.
 * @returns null where nothing in them is kallsyms
 */
export function findKallsyms(space: SearchableSpace, ranges: readonly MappedRange[]): KallsymsLocations | null {
  const rank = { "read-only": 0, data: 1, text: 2 };
  for (const range of [...ranges].sort((a, b) => rank[a.kind] - rank[b.kind])) {
    for (let at = range.start; at < range.end; at += PAGE) {
      const page = space.view(at);
      if (page === null) continue;
      for (const offset of digitHints(page)) {
        const digits = at + BigInt(offset);
        const run = space.read(digits, DIGITS_LENGTH);
        const found = run !== null && isDigitRun(run) ? locateAround(space, digits) : null;
        if (found !== null) return found;
      }
    }
  }
  return null;
}

/** Where in a page "0\0001\000…9\0" may begin (a little before or at its end, too). */
function digitHints(page: Uint8Array): number[] {
  // The run is longer than two 8-byte steps, so two aligned bytes in eight tell enough: a digit and a NUL.
  let hints: number[] = NO_HINTS;
  for (let i = 0; i < page.length; i += 8) {
    const a = page[i] as number;
    const b = page[i + 1] as number;
    if (a !== 0 && b !== 0) continue;
    const digit = a | b;
    if (digit < 0x30 || digit > 0x39) continue;
    // Two bytes on comes the next digit, unless this was the last.
    const next = (page[i + 2] as number) | (page[i + 3] as number);
    if (digit < 0x39 && next !== digit + 1) continue;
    const start = i + (a === 0 ? 1 : 0) - (digit - 0x30) * 2;
    if (hints.at(-1) === start) continue;
    if (hints === NO_HINTS) hints = [];
    hints.push(start);
  }
  return hints;
}

const NO_HINTS: number[] = [];

function isDigitRun(run: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (run[i * 2] !== 0x30 + i || run[i * 2 + 1] !== 0) return false;
  return true;
}

function locateAround(space: AddressSpace, digits: bigint): KallsymsLocations | null {
  const tokens = locateTokens(space, digits);
  if (tokens === null) return null;
  let tries = 0;
  for (const reach of MARKER_REACHES) {
    const start = (tokens.table & ~7n) - BigInt(reach);
    const before = space.readSparse(start, reach).bytes;
    for (const { offset, markers } of markerTables(before)) {
      if (++tries > MOST_TRIES) return null;
      const names = namesBefore(space, start + BigInt(offset), markers, tokens.decoder);
      if (names === null) continue;
      return {
        count: names.count,
        names: names.at,
        tokenTable: tokens.table,
        tokenIndex: tokens.index,
        addressTables: addressTables(space, names.count, names.number, tokens.index + 512n),
      };
    }
  }
  return null;
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
    let fits = offset >= FIRST_DIGIT;
    for (let i = 1; i < 10 && fits; i++) fits = u16At(behind, at + (FIRST_DIGIT + i) * 2) === offset + i * 2;
    if (!fits) continue;
    const table = digits - BigInt(offset);
    const bytes = space.read(table, offset + at);
    const decoder = bytes === null ? null : TokenTable.parse(bytes, behind.subarray(at, at + 512));
    if (decoder !== null) return { table, index: digits + BigInt(at), decoder };
  }
  return null;
}

/** What could be the marker table, the nearest to the end first: a zero, then values growing in such steps. */
function* markerTables(before: Uint8Array): Iterable<{ offset: number; markers: readonly number[] }> {
  for (let offset = (before.length & ~3) - 8; offset >= 0; offset -= 4) {
    if (before[offset] !== 0 || u32At(before, offset) !== 0) continue;
    for (const width of [4, 8] as const) {
      const markers = markersAt(before, offset, width);
      if (markers.length >= FEWEST_MARKERS) yield { offset, markers };
    }
  }
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

/** Finds the names that end at a marker table, and their number before them; the markers prove both. */
function namesBefore(
  space: AddressSpace,
  markersAddress: bigint,
  markers: readonly number[],
  tokens: TokenTable,
): { at: bigint; number: bigint; count: number } | null {
  const last = markers[markers.length - 1] as number;
  const length = (last + MOST_STRIDE + 7) & ~7;
  const start = markersAddress - BigInt(length);
  const bytes = space.readSparse(start, length).bytes;
  for (let offset = (length - last - 2) & ~3; offset >= 8; offset -= 4) {
    for (const numberOffset of [offset - 8, offset - 4]) {
      const count = u32At(bytes, numberOffset);
      if (count <= (markers.length - 1) * 256 || count > markers.length * 256) continue;
      const area = bytes.subarray(offset);
      for (const long of [true, false]) {
        if (KallsymsNames.walk(tokens, area, 256, long).byteLength !== markers[1]) continue;
        const names = KallsymsNames.walk(tokens, area, count, long);
        const gap = area.length - names.byteLength;
        if (names.count === count && gap < 8 && markers.every((marker, i) => names.entryOffset(i * 256) === marker)) {
          return { at: start + BigInt(offset), number: start + BigInt(numberOffset), count };
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
