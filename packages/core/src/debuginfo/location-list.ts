/** Location lists: which expression holds at an address of the code (DWARF 5, 2.6.2 and 7.7.3; DWARF 2 to 4, 2.6.2). */
import type { Reader } from "./dwarf/reader.ts";

const DW_LLE = {
  endOfList: 0,
  baseAddressx: 1,
  startxEndx: 2,
  startxLength: 3,
  offsetPair: 4,
  defaultLocation: 5,
  baseAddress: 6,
  startEnd: 7,
  startLength: 8,
  /** GNU's: views of the bounds, not needed to tell which holds (gcc -gvariable-location-views=incompat5). */
  gnuViewPair: 9,
} as const;

/** Entries of one list at most: the longest of a kernel has a few hundred. */
const MAX_ENTRIES = 100_000;

export interface ListContext {
  /** The address looked for, as linked. */
  readonly pc: bigint;
  /** What offsets count from at first: DW_AT_low_pc of the unit. */
  readonly base: bigint;
  /** Entry of .debug_addr; null where there is none. */
  indexed(index: number): bigint | null;
}

/**
 * The expression in force at `context.pc`, or null where the variable has none there. `reader` stands at the list in
 * .debug_loclists.
 * @throws SpillwayError `SPW_DEBUGINFO_CORRUPT` where the list runs past the bytes given
 */
export function findInLoclists(reader: Reader, context: ListContext): Uint8Array | null {
  const { pc } = context;
  let base: bigint | null = context.base;
  let fallback: Uint8Array | null = null;
  for (let entry = 0; entry < MAX_ENTRIES; entry++) {
    let low: bigint | null = null;
    let high: bigint | null = null;
    switch (reader.u8()) {
      case DW_LLE.endOfList:
        return fallback;
      case DW_LLE.baseAddressx:
        base = context.indexed(reader.uleb());
        continue;
      case DW_LLE.baseAddress:
        base = reader.big64();
        continue;
      case DW_LLE.gnuViewPair:
        reader.skipLeb();
        reader.skipLeb();
        continue;
      case DW_LLE.startxEndx:
        low = context.indexed(reader.uleb());
        high = context.indexed(reader.uleb());
        break;
      case DW_LLE.startxLength:
        low = context.indexed(reader.uleb());
        high = plus(low, reader.bigLeb(false));
        break;
      case DW_LLE.offsetPair:
        low = plus(base, reader.bigLeb(false));
        high = plus(base, reader.bigLeb(false));
        break;
      case DW_LLE.startEnd:
        low = reader.big64();
        high = reader.big64();
        break;
      case DW_LLE.startLength:
        low = reader.big64();
        high = plus(low, reader.bigLeb(false));
        break;
      case DW_LLE.defaultLocation:
        fallback = reader.block(reader.uleb());
        continue;
      default:
        return null;
    }
    const expression = reader.block(reader.uleb());
    if (low !== null && high !== null && pc >= low && pc < high) return expression;
  }
  return null;
}

/** The same for the lists of DWARF 2 to 4, in .debug_loc. */
export function findInLoc(reader: Reader, context: ListContext): Uint8Array | null {
  const { pc } = context;
  let base = context.base;
  for (let entry = 0; entry < MAX_ENTRIES; entry++) {
    const low = reader.big64();
    const high = reader.big64();
    if (low === 0n && high === 0n) return null;
    if (low === 0xffff_ffff_ffff_ffffn) {
      base = high;
      continue;
    }
    const expression = reader.block(reader.u16());
    if (pc >= plus(base, low)! && pc < plus(base, high)!) return expression;
  }
  return null;
}

function plus(base: bigint | null, offset: bigint): bigint | null {
  return base === null ? null : BigInt.asUintN(64, base + offset);
}
