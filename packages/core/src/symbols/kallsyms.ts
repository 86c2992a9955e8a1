import type { AddressSpace } from "../memory/address-space.ts";
import { readWhilePresent } from "../memory/read-while-present.ts";
import {
  type AddressEncoding,
  AddressOrder,
  decodeAddress,
  decodeAddresses,
  orderliness,
  signedAddress,
} from "./kallsyms-addresses.ts";
import { KallsymsNames, markersMatch, TokenTable } from "./kallsyms-names.ts";
import { type Vmcoreinfo, vmcoreSymbol } from "./vmcoreinfo.ts";

/** No kernel comes near; a larger count is a broken one. allyesconfig with KALLSYMS_ALL has about 700,000. */
export const MOST_SYMBOLS = 1 << 22;
const LONGEST_NAMES = 1 << 26;
const LONGEST_TOKEN_TABLE = 1 << 16;

/** Where one of the possible address tables lies. */
export interface AddressTableLocation {
  /** `addresses`: 64-bit `kallsyms_addresses`; `offsets`: 32-bit `kallsyms_offsets`. */
  readonly kind: "addresses" | "offsets";
  readonly table: bigint;
  /** Value of `kallsyms_relative_base`, or null where the kernel has none. */
  readonly relativeBase: bigint | null;
}

/** Where the tables of kallsyms lie in kernel memory. */
export interface KallsymsLocations {
  /** Number of symbols. */
  readonly count: number;
  readonly names: bigint;
  readonly tokenTable: bigint;
  readonly tokenIndex: bigint;
  /** Candidates, the likeliest first; their content decides. */
  readonly addressTables: readonly AddressTableLocation[];
}

/** Names and addresses of a kernel's image, from kallsyms or from an ELF file's symbol table. */
export interface ImageSymbols {
  readonly names: Pick<KallsymsNames, "count" | "name" | "nameAll" | "type" | "find">;
  /** Signed addresses by symbol number (see kallsyms-addresses.ts). */
  readonly addresses: Float64Array;
  /** Kernel symbols by address. */
  readonly order: AddressOrder;
  /** What is missing, in words. */
  readonly problems: readonly string[];
}

/** The kernel's own symbol table, decoded as far as asked. */
export interface Kallsyms extends ImageSymbols {
  readonly names: KallsymsNames;
  readonly encoding: AddressEncoding;
}

/**
 * The locations that VMCOREINFO gives since 6.0 (5fd8fea935a10, f09bddbd86619; backported to some 5.x), or null where it
 * does not or where the tables cannot be read.
 */
export function kallsymsFromVmcoreinfo(space: AddressSpace, info: Vmcoreinfo): KallsymsLocations | null {
  const names = vmcoreSymbol(info, "kallsyms_names");
  const number = vmcoreSymbol(info, "kallsyms_num_syms");
  const tokenTable = vmcoreSymbol(info, "kallsyms_token_table");
  const tokenIndex = vmcoreSymbol(info, "kallsyms_token_index");
  if (names === null || number === null || tokenTable === null || tokenIndex === null) return null;
  const count = space.u32(number);
  if (count === null || count === 0 || count > MOST_SYMBOLS) return null;
  const addressTables: AddressTableLocation[] = [];
  const offsets = vmcoreSymbol(info, "kallsyms_offsets");
  const base = vmcoreSymbol(info, "kallsyms_relative_base");
  const addresses = vmcoreSymbol(info, "kallsyms_addresses");
  if (offsets !== null) {
    const relativeBase = base === null ? null : space.u64(base);
    addressTables.push({ kind: "offsets", table: offsets, relativeBase });
  }
  if (addresses !== null) addressTables.push({ kind: "addresses", table: addresses, relativeBase: null });
  return { count, names, tokenTable, tokenIndex, addressTables };
}

/**
 * Opens kallsyms at known locations.
 * @param stext address of `_stext` where VMCOREINFO gives it: it proves which encoding the addresses have
 * @returns null where the content does not make sense as kallsyms
 */
export function openKallsyms(space: AddressSpace, at: KallsymsLocations, stext: bigint | null): Kallsyms | null {
  const index = space.read(at.tokenIndex, 512);
  if (index === null) return null;
  // The table ends before its index in every layout known; where it would not, read a fair length.
  const tableLimit = within(at.tokenIndex - at.tokenTable, LONGEST_TOKEN_TABLE);
  const tokens = TokenTable.parse(readWhilePresent(space, at.tokenTable, tableLimit), index);
  if (tokens === null) return null;
  const names = readNames(space, at, tokens);
  if (names === null) return null;
  const problems: string[] = [];
  if (names.count < at.count)
    problems.push(`names of ${at.count - names.count} of ${at.count} kernel symbols are missing`);
  for (const location of at.addressTables) {
    const decoded = readAddresses(space, location, names, stext);
    if (decoded !== null) return { names, ...decoded, order: new AddressOrder(decoded.addresses), problems };
  }
  return null;
}

/** `distance` as a number where it is a sensible length, else `limit`. */
function within(distance: bigint, limit: number): number {
  return distance > 0n && distance < BigInt(limit) ? Number(distance) : limit;
}

function readNames(space: AddressSpace, at: KallsymsLocations, tokens: TokenTable): KallsymsNames | null {
  // In every layout the token table follows the names.
  const bytes = readWhilePresent(space, at.names, within(at.tokenTable - at.names, LONGEST_NAMES));
  return chooseNames(tokens, bytes, at.count);
}

/**
 * Decides between one- and two-byte lengths: the right walk ends where the marker table begins, and its markers agree.
 * Without markers in reach, the walk whose names look like names.
 */
export function chooseNames(tokens: TokenTable, bytes: Uint8Array, count: number): KallsymsNames | null {
  let best: KallsymsNames | null = null;
  let bestScore = 0.9;
  for (const long of [true, false]) {
    const names = KallsymsNames.walk(tokens, bytes, count, long);
    if (names.count === count && markersFollow(names, bytes)) return names;
    const score = names.plausibility(512) * (names.count === count ? 1 : 0.95);
    if (score > bestScore) {
      best = names;
      bestScore = score;
    }
  }
  return best;
}

/** 32-bit markers since 80ffbaa5b1bd (4.20), unsigned long before. */
function markersFollow(names: KallsymsNames, bytes: Uint8Array): boolean {
  for (const align of [8, 4]) {
    const rest = bytes.subarray(Math.ceil(names.byteLength / align) * align);
    if (markersMatch(names, rest, 4) || markersMatch(names, rest, 8)) return true;
  }
  return false;
}

function readAddresses(
  space: AddressSpace,
  location: AddressTableLocation,
  names: KallsymsNames,
  stext: bigint | null,
): { encoding: AddressEncoding; addresses: Float64Array } | null {
  const width = location.kind === "addresses" ? 8 : 4;
  const table = space.read(location.table, names.count * width);
  if (table === null) return null;
  const known = names.scan("_stext");
  const place = signedAddress(location.table);
  const candidates: { encoding: AddressEncoding; origin: number }[] = [];
  if (location.kind === "addresses") candidates.push({ encoding: "absolute", origin: 0 });
  else {
    if (location.relativeBase !== null) {
      const origin = signedAddress(location.relativeBase);
      candidates.push({ encoding: "base-relative", origin }, { encoding: "absolute-percpu", origin });
    }
    candidates.push({ encoding: "place-relative", origin: place });
  }
  for (const { encoding, origin } of candidates) {
    if (known >= 0) {
      const found = decodeAddress(table, known, encoding, origin);
      if (stext === null ? !couldBeText(space, found) : found !== signedAddress(stext)) continue;
    } else if (stext !== null) continue;
    const addresses = decodeAddresses(table, names.count, encoding, origin);
    if (orderliness(addresses) > 0.95) return { encoding, addresses };
  }
  return null;
}

/** The image is aligned to this (CONFIG_PHYSICAL_ALIGN, 2 MiB at least), and code of the start-up is all that precedes `_stext`. */
const IMAGE_ALIGN = 0x200000;
const STARTUP_CODE = 0x4000;

/**
 * `_stext` is near the start of the kernel image, which x86_64 links into the top 2 GiB; it begins a page in newer kernels,
 * and follows `startup_64` within one in older ones (4.4).
 */
function couldBeText(space: AddressSpace, address: number): boolean {
  const near = address % 4096 === 0 || (address + 0x80000000) % IMAGE_ALIGN < STARTUP_CODE;
  const inImage = address < 0 && address >= -0x80000000 && near;
  return inImage && space.translate(BigInt.asUintN(64, BigInt(address))) !== null;
}
