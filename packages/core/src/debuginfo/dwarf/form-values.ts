import { decodeUtf8 } from "../../memory/utf8.ts";
import { DW_AT, DW_FORM } from "./constants.ts";
import type { Die } from "./die.ts";
import { Reader } from "./reader.ts";
import type { DwarfUnit } from "./unit.ts";

/*
 * Values by class (DWARF 5, 7.5.5 and 7.5.6). Each function reads at the reader's place, and gives null where the form is of
 * another class. DW_FORM_indirect names its form before the value.
 */

export function readNumber(reader: Reader, form: number): number | null {
  switch (form) {
    case DW_FORM.data1:
      return reader.u8();
    case DW_FORM.data2:
      return reader.u16();
    case DW_FORM.data4:
      return reader.u32();
    case DW_FORM.data8:
      return reader.u64();
    case DW_FORM.udata:
      return reader.uleb();
    case DW_FORM.sdata:
      return reader.sleb();
    case DW_FORM.indirect:
      return readNumber(reader, inner(reader));
    default:
      return null;
  }
}

export function readBigint(reader: Reader, form: number): bigint | null {
  switch (form) {
    case DW_FORM.data8:
      return reader.big64();
    case DW_FORM.udata:
      return reader.bigLeb(false);
    case DW_FORM.sdata:
      return reader.bigLeb(true);
    case DW_FORM.indirect:
      return readBigint(reader, inner(reader));
    default: {
      const value = readNumber(reader, form);
      return value === null ? null : BigInt(value);
    }
  }
}

export function readString(unit: DwarfUnit, form: number): string | null {
  const { reader, header, file } = unit;
  switch (form) {
    case DW_FORM.string:
      return decodeUtf8(reader.cstring());
    case DW_FORM.strp:
      return file.string(".debug_str", reader.offset(header.offsetSize));
    case DW_FORM.lineStrp:
      return file.string(".debug_line_str", reader.offset(header.offsetSize));
    case DW_FORM.strpSup:
    case DW_FORM.gnuStrpAlt:
      file.sayNoSupplement();
      return null;
    case DW_FORM.indirect:
      return readString(unit, inner(reader));
  }
  const index = readIndex(reader, form, INDEX_FORMS.string);
  if (index === null) return null;
  const at = tableEntry(unit, ".debug_str_offsets", unit.base(DW_AT.strOffsetsBase), index, header.offsetSize);
  return at === null ? null : file.string(".debug_str", at.offset(header.offsetSize));
}

export function readAddress(unit: DwarfUnit, form: number): number | null {
  const { reader, header } = unit;
  if (form === DW_FORM.addr) return reader.address(header.addressSize);
  if (form === DW_FORM.indirect) return readAddress(unit, inner(reader));
  const index = readIndex(reader, form, INDEX_FORMS.address);
  return index === null ? null : addressByIndex(unit, index);
}

/** Entry of .debug_addr, as DW_FORM_addrx and the indexed entries of range and location lists name it. */
export function addressByIndex(unit: DwarfUnit, index: number): number | null {
  const { addressSize } = unit.header;
  return tableEntry(unit, ".debug_addr", unit.base(DW_AT.addrBase), index, addressSize)?.address(addressSize) ?? null;
}

export function readSectionOffset(unit: DwarfUnit, form: number): number | null {
  const { reader, header } = unit;
  switch (form) {
    case DW_FORM.secOffset:
      return reader.offset(header.offsetSize);
    // DWARF 3 and before have no form of their own for offsets.
    case DW_FORM.data4:
      return header.version < 4 ? reader.u32() : null;
    case DW_FORM.data8:
      return header.version < 4 ? reader.u64() : null;
    case DW_FORM.rnglistx:
      return listOffset(unit, ".debug_rnglists", DW_AT.rnglistsBase, reader.uleb());
    case DW_FORM.loclistx:
      return listOffset(unit, ".debug_loclists", DW_AT.loclistsBase, reader.uleb());
    case DW_FORM.indirect:
      return readSectionOffset(unit, inner(reader));
    default:
      return null;
  }
}

/** The list's offset from its base stands in a table at the base. */
function listOffset(unit: DwarfUnit, section: string, attribute: number, index: number): number | null {
  const { offsetSize } = unit.header;
  const base = unit.base(attribute);
  const entry = tableEntry(unit, section, base, index, offsetSize);
  return entry === null ? null : base + entry.offset(offsetSize);
}

export function readBlock(reader: Reader, form: number): Uint8Array | null {
  switch (form) {
    case DW_FORM.exprloc:
    case DW_FORM.block:
      return reader.block(reader.uleb());
    case DW_FORM.block1:
      return reader.block(reader.u8());
    case DW_FORM.block2:
      return reader.block(reader.u16());
    case DW_FORM.block4:
      return reader.block(reader.u32());
    case DW_FORM.data16:
      return reader.block(16);
    case DW_FORM.indirect:
      return readBlock(reader, inner(reader));
    default:
      return null;
  }
}

/** A reference within the unit as an offset of the section. */
export function readUnitReference(unit: DwarfUnit, form: number): number | null {
  const { reader, header } = unit;
  switch (form) {
    case DW_FORM.ref1:
      return header.offset + reader.u8();
    case DW_FORM.ref2:
      return header.offset + reader.u16();
    case DW_FORM.ref4:
      return header.offset + reader.u32();
    case DW_FORM.ref8:
      return header.offset + reader.u64();
    case DW_FORM.refUdata:
      return header.offset + reader.uleb();
    default:
      return null;
  }
}

export function readReference(unit: DwarfUnit, form: number): Die | null {
  const { reader, header, file } = unit;
  switch (form) {
    case DW_FORM.refAddr: {
      const offset = header.version <= 2 ? reader.address(header.addressSize) : reader.offset(header.offsetSize);
      return file.dieAt(offset);
    }
    case DW_FORM.refSig8:
      return file.typeBySignature(reader.big64());
    case DW_FORM.refSup4:
    case DW_FORM.refSup8:
    case DW_FORM.gnuRefAlt:
      file.sayNoSupplement();
      return null;
    case DW_FORM.indirect:
      return readReference(unit, inner(reader));
  }
  const offset = readUnitReference(unit, form);
  return offset === null ? null : unit.dieAt(offset);
}

const INDEX_FORMS = {
  string: [DW_FORM.strx, DW_FORM.strx1, DW_FORM.strx2, DW_FORM.strx3, DW_FORM.strx4, DW_FORM.gnuStrIndex],
  address: [DW_FORM.addrx, DW_FORM.addrx1, DW_FORM.addrx2, DW_FORM.addrx3, DW_FORM.addrx4, DW_FORM.gnuAddrIndex],
} as const;

/** The index of one of a family's forms: as LEB128, or in one to four bytes. */
function readIndex(reader: Reader, form: number, family: readonly number[]): number | null {
  switch (family.indexOf(form)) {
    case 0:
    case 5:
      return reader.uleb();
    case 1:
      return reader.u8();
    case 2:
      return reader.u16();
    case 3:
      return reader.u24();
    case 4:
      return reader.u32();
    default:
      return null;
  }
}

function tableEntry(unit: DwarfUnit, section: string, base: number, index: number, size: number): Reader | null {
  const bytes = unit.file.section(section)?.bytes(base + index * size, size) ?? null;
  return bytes === null ? null : new Reader(bytes);
}

/** The form that DW_FORM_indirect names; never itself, and never one whose value is not in the DIE. */
function inner(reader: Reader): number {
  const form = reader.uleb();
  return form === DW_FORM.indirect || form === DW_FORM.implicitConst ? -1 : form;
}
