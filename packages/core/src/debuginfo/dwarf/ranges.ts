import { DW_AT } from "./constants.ts";
import type { Die } from "./die.ts";
import { addressByIndex } from "./form-values.ts";
import { parseGrowing } from "./growing.ts";
import { corrupt, type Reader } from "./reader.ts";
import type { DwarfUnit } from "./unit.ts";

/** Code of a DIE: low, high, low, high … as signed link-time addresses, each high one past its range's last byte. */
export type Ranges = readonly number[];

const FIRST_READ = 512;
const MOST_BYTES = 1 << 20;

/** DW_RLE codes of .debug_rnglists (DWARF 5, 7.25). */
const RLE = {
  endOfList: 0,
  baseAddressx: 1,
  startxEndx: 2,
  startxLength: 3,
  offsetPair: 4,
  baseAddress: 5,
  startEnd: 6,
  startLength: 7,
} as const;

/**
 * The addresses that a DIE covers: DW_AT_ranges, or DW_AT_low_pc with DW_AT_high_pc. Empty where it has no code.
 * @throws SpillwayError `SPW_DEBUGINFO_CORRUPT`
 */
export function rangesOf(die: Die): Ranges {
  const list = die.has(DW_AT.ranges) ? die.sectionOffset(DW_AT.ranges) : null;
  if (list !== null) {
    const { unit } = die;
    return unit.header.version >= 5
      ? parseGrowing(unit.file.section(".debug_rnglists"), list, FIRST_READ, MOST_BYTES, (reader) =>
          parseLists(unit, reader),
        )
      : parseGrowing(unit.file.section(".debug_ranges"), list, FIRST_READ, MOST_BYTES, (reader) =>
          parsePairs(unit, reader),
        );
  }
  const low = die.addressNumber(DW_AT.lowPc);
  if (low === null) return [];
  const high = die.highPc(low);
  return high === null || high <= low ? [] : [low, high];
}

/** True where one of the ranges holds the address. */
export function inRanges(ranges: Ranges, pc: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (pc >= (ranges[i] as number) && pc < (ranges[i + 1] as number)) return true;
  }
  return false;
}

function parseLists(unit: DwarfUnit, reader: Reader): Ranges {
  const ranges: number[] = [];
  const size = unit.header.addressSize;
  let base = unit.lowPc;
  const byIndex = () => {
    const address = addressByIndex(unit, reader.uleb());
    if (address === null) throw corrupt("a range names an address that is not there");
    return address;
  };
  const add = (low: number, high: number) => {
    if (high > low) ranges.push(low, high);
  };
  for (;;) {
    const kind = reader.u8();
    switch (kind) {
      case RLE.endOfList:
        return ranges;
      case RLE.baseAddressx:
        base = byIndex();
        break;
      case RLE.startxEndx:
        add(byIndex(), byIndex());
        break;
      case RLE.startxLength: {
        const low = byIndex();
        add(low, low + reader.uleb());
        break;
      }
      case RLE.offsetPair:
        add(base + reader.uleb(), base + reader.uleb());
        break;
      case RLE.baseAddress:
        base = reader.address(size);
        break;
      case RLE.startEnd:
        add(reader.address(size), reader.address(size));
        break;
      case RLE.startLength: {
        const low = reader.address(size);
        add(low, low + reader.uleb());
        break;
      }
      default:
        throw corrupt(`range list entry of kind ${kind}`);
    }
  }
}

/** .debug_ranges (DWARF 4, 2.17.3): pairs of offsets from the base; a first of all ones sets the base, two zeros end. */
function parsePairs(unit: DwarfUnit, reader: Reader): Ranges {
  const ranges: number[] = [];
  const size = unit.header.addressSize;
  const newBase = size === 8 ? -1 : 0xffffffff;
  let base = unit.lowPc;
  for (;;) {
    const low = reader.address(size);
    const high = reader.address(size);
    if (low === 0 && high === 0) return ranges;
    if (low === newBase) base = high;
    else if (high > low) ranges.push(base + low, base + high);
  }
}
