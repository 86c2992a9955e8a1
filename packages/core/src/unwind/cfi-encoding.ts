/**
 * Encoded pointers of .eh_frame and .eh_frame_hdr: a byte says how they are stored and what they are relative to.
 * Source: Linux Standard Base 5.0, "DWARF Exception Header Encoding".
 */
import { corrupt, type Reader } from "../debuginfo/dwarf/reader.ts";

export const DW_EH_PE = {
  absptr: 0x00,
  uleb128: 0x01,
  udata2: 0x02,
  udata4: 0x03,
  udata8: 0x04,
  sleb128: 0x09,
  sdata2: 0x0a,
  sdata4: 0x0b,
  sdata8: 0x0c,
  pcrel: 0x10,
  datarel: 0x30,
  aligned: 0x50,
  indirect: 0x80,
  omit: 0xff,
} as const;

/** What a relative pointer is counted from, as signed doubles (symbols/kallsyms-addresses.ts). */
export interface PointerBases {
  /** Address of the first byte that the reader holds. */
  readonly place: number;
  /** For `datarel`: where .eh_frame_hdr lies. */
  readonly data: number;
}

/**
 * Reads a pointer; the result is a signed double.
 * @throws SpillwayError `SPW_DEBUGINFO_CORRUPT` for an encoding that kernels and their modules have no use for
 */
export function readPointer(reader: Reader, encoding: number, bases: PointerBases): number {
  const at = bases.place + reader.at;
  const value = readValue(reader, encoding & 0x0f);
  switch (encoding & 0xf0) {
    case DW_EH_PE.absptr:
      return value;
    case DW_EH_PE.pcrel:
      return at + value;
    case DW_EH_PE.datarel:
      return bases.data + value;
    default:
      // `indirect` needs the memory of a process; text-, function- and alignment-relative ones exist on paper only.
      throw corrupt(`a pointer of encoding 0x${encoding.toString(16)}`);
  }
}

/** The number as it is stored, of one of the formats (the low four bits). */
export function readValue(reader: Reader, format: number): number {
  switch (format) {
    case DW_EH_PE.absptr:
    case DW_EH_PE.udata8:
    case DW_EH_PE.sdata8:
      return reader.address64();
    case DW_EH_PE.uleb128:
      return reader.uleb();
    case DW_EH_PE.sleb128:
      return reader.sleb();
    case DW_EH_PE.udata2:
      return reader.u16();
    case DW_EH_PE.sdata2:
      return (reader.u16() << 16) >> 16;
    case DW_EH_PE.udata4:
      return reader.u32();
    case DW_EH_PE.sdata4:
      return reader.u32() | 0;
    default:
      throw corrupt(`a pointer of format 0x${format.toString(16)}`);
  }
}

/** Bytes of a format that has a fixed size, else null. */
export function valueSize(encoding: number): 2 | 4 | 8 | null {
  const format = encoding & 0x07;
  if (format === 0 || format === 4) return 8;
  if (format === 3) return 4;
  return format === 2 ? 2 : null;
}
