import type { DebugSection } from "../elf/debug-section.ts";
import type { AbbreviationTable, FormContext } from "./abbreviations.ts";
import { DW_AT, DW_UT } from "./constants.ts";
import { Die } from "./die.ts";
import type { DwarfFile } from "./dwarf-file.ts";
import { corrupt, Reader } from "./reader.ts";

/** The header of a unit in .debug_info or .debug_types (DWARF 5, 7.5.1). */
export interface UnitHeader extends FormContext {
  /** Where the header begins in its section, and where the next unit's does. */
  readonly offset: number;
  readonly end: number;
  /** DW_UT code; `compile` or `type` for DWARF 4 and before. */
  readonly type: number;
  readonly abbreviations: number;
  /** Bytes of the header; the unit's own DIE follows. */
  readonly size: number;
  /** Of type units: the signature, and where the type's DIE lies, from the header. */
  readonly signature: bigint | null;
  readonly typeOffset: number | null;
}

/** The longest header: 64-bit form, a type unit. */
const LONGEST_HEADER = 40;

/** Reads a unit's header. @throws SpillwayError `SPW_DEBUGINFO_CORRUPT` */
export function readUnitHeader(section: DebugSection, offset: number): UnitHeader {
  const bytes = section.bytes(offset, Math.min(LONGEST_HEADER, section.size - offset));
  if (bytes === null) throw corrupt(`no unit at ${offset} of ${section.name}`, { offset });
  const reader = new Reader(bytes);
  let length = reader.u32();
  const offsetSize = length === 0xffffffff ? 8 : 4;
  if (offsetSize === 8) length = reader.u64();
  const end = offset + reader.at + length;
  if (!(end <= section.size && length >= 7))
    throw corrupt(`the unit at ${offset} of ${section.name} has no end`, { offset });
  const version = reader.u16();
  if (version < 2 || version > 5) throw corrupt(`the unit at ${offset} is of version ${version}`, { offset });
  let type: number = section.name === ".debug_types" ? DW_UT.type : DW_UT.compile;
  let addressSize: number;
  let abbreviations: number;
  if (version >= 5) {
    type = reader.u8();
    addressSize = reader.u8();
    abbreviations = reader.offset(offsetSize);
  } else {
    abbreviations = reader.offset(offsetSize);
    addressSize = reader.u8();
  }
  let signature: bigint | null = null;
  let typeOffset: number | null = null;
  if (type === DW_UT.skeleton || type === DW_UT.splitCompile) reader.skip(8);
  if (type === DW_UT.type || type === DW_UT.splitType) {
    signature = reader.big64();
    typeOffset = reader.offset(offsetSize);
  }
  return { offset, end, version, type, addressSize, offsetSize, abbreviations, size: reader.at, signature, typeOffset };
}

/** Larger than any unit of a kernel that is not made by link-time optimisation as one; beyond it memory would suffer. */
const LARGEST_UNIT = 1 << 28;

/** A unit: what a compiler run left of one source file. Its bytes are read when a DIE of it is. */
export class DwarfUnit {
  readonly file: DwarfFile;
  readonly section: DebugSection;
  readonly header: UnitHeader;
  #reader: Reader | null = null;
  #abbreviations: AbbreviationTable | null = null;
  #root: Die | null = null;
  readonly #bases = new Map<number, number>();

  constructor(file: DwarfFile, section: DebugSection, header: UnitHeader) {
    this.file = file;
    this.section = section;
    this.header = header;
  }

  /** A reader over the unit's bytes, the header's first byte at 0. One for all: set `at` before use. */
  get reader(): Reader {
    if (this.#reader !== null) return this.#reader;
    const { offset, end } = this.header;
    const bytes = end - offset > LARGEST_UNIT ? null : this.section.bytes(offset, end - offset);
    if (bytes === null) throw corrupt(`the unit at ${offset} of ${this.section.name} cannot be read`, { offset });
    this.#reader = new Reader(bytes);
    this.file.unitLoaded(this, bytes.length);
    return this.#reader;
  }

  /** Lets the bytes go; they are read again when needed. */
  release(): void {
    this.#reader = null;
  }

  get abbreviations(): AbbreviationTable {
    this.#abbreviations ??= this.file.abbreviations(this.header);
    return this.#abbreviations;
  }

  /** The unit's own DIE. @throws SpillwayError `SPW_DEBUGINFO_CORRUPT`, as everything here */
  get root(): Die {
    this.#root ??= this.require(this.header.offset + this.header.size);
    return this.#root;
  }

  /** The DIE at an offset of the section; null for the entry that ends a list. */
  dieAt(offset: number): Die | null {
    const at = offset - this.header.offset;
    if (!(at >= this.header.size && offset < this.header.end)) throw corrupt(`no entry at ${offset}`, { offset });
    const reader = this.reader;
    reader.at = at;
    const code = reader.uleb();
    if (code === 0) return null;
    const abbreviation = this.abbreviations.get(code);
    if (abbreviation === undefined)
      throw corrupt(`abbreviation ${code} of the entry at ${offset} is not there`, { offset });
    return new Die(this, offset, abbreviation, reader.at);
  }

  require(offset: number): Die {
    const die = this.dieAt(offset);
    if (die === null) throw corrupt(`no entry at ${offset}`, { offset });
    return die;
  }

  /**
   * The unit's DW_AT_str_offsets_base, addr_base, rnglists_base or loclists_base. Where it is left out, the table's first
   * entry after its header (8 bytes in the 32-bit form, 16 in the other; ranges and locations have 4 more).
   */
  base(attribute: number): number {
    let base = this.#bases.get(attribute);
    if (base === undefined) {
      const lists = attribute === DW_AT.rnglistsBase || attribute === DW_AT.loclistsBase;
      const header = (this.header.offsetSize === 8 ? 16 : 8) + (lists ? 4 : 0);
      const old = attribute === DW_AT.addrBase ? this.root.sectionOffset(DW_AT.gnuAddrBase) : null;
      base = this.root.sectionOffset(attribute) ?? old ?? (this.header.version >= 5 ? header : 0);
      this.#bases.set(attribute, base);
    }
    return base;
  }

  /** DW_AT_low_pc of the unit: what range and location lists start from. Signed link-time address. */
  get lowPc(): number {
    return this.root.addressNumber(DW_AT.lowPc) ?? 0;
  }
}
