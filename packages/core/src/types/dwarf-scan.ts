/** A pass over the top-level entries of a unit: fast, and nothing of it stays in memory. */
import { type Abbreviation, AbbreviationTable } from "../debuginfo/dwarf/abbreviations.ts";
import { DW_AT, DW_FORM } from "../debuginfo/dwarf/constants.ts";
import type { DwarfFile } from "../debuginfo/dwarf/dwarf-file.ts";
import { skipForm } from "../debuginfo/dwarf/form-size.ts";
import { corrupt, Reader } from "../debuginfo/dwarf/reader.ts";
import { readUnitHeader, type UnitHeader } from "../debuginfo/dwarf/unit.ts";

/** The entry that a scan is at. One object for all of them: take what is needed before the scan goes on. */
export interface ScannedEntry {
  readonly header: UnitHeader;
  /** Of .debug_info. */
  readonly offset: number;
  readonly abbreviation: Abbreviation;
  readonly tag: number;
  /** Whether it only declares what another entry defines. */
  readonly declaration: boolean;
  readonly hasName: boolean;
  /** Moves the reader to the value of DW_AT_name and gives its form. */
  seekName(): number;
  /** Moves the reader to the value of any attribute it has and gives its form. */
  seek(attribute: number): number;
  readonly reader: Reader;
  /** Visits the entries directly below, as `scanUnit` does. */
  children(visit: (entry: ScannedEntry) => boolean): void;
}

/** Units that one reading of bytes may take: see LARGEST_UNIT of dwarf/unit.ts. */
const LARGEST_UNIT = 1 << 28;
const MAX_DEPTH = 64;

/**
 * Visits the entries below the unit's own, in order, until `visit` says false.
 * @throws SpillwayError `SPW_DEBUGINFO_CORRUPT`
 */
export function scanUnit(file: DwarfFile, offset: number, visit: (entry: ScannedEntry) => boolean): void {
  const info = file.section(".debug_info");
  const abbreviations = file.section(".debug_abbrev");
  if (info === null || abbreviations === null) return;
  const header = readUnitHeader(info, offset);
  const length = header.end - offset;
  const bytes = length > LARGEST_UNIT ? null : info.bytes(offset, length);
  if (bytes === null) throw corrupt(`the unit at ${offset} of .debug_info cannot be read`, { offset });
  const table = new AbbreviationTable(abbreviations, header.abbreviations, header);
  const root = new Cursor(header, new Reader(bytes), table, header.size);
  if (root.read()) root.children(visit);
}

/** Abbreviations by code: an array finds them faster than the table's map. */
type ByCode = (Abbreviation | undefined)[];

class Cursor implements ScannedEntry {
  readonly header: UnitHeader;
  readonly reader: Reader;
  readonly #table: AbbreviationTable;
  readonly #byCode: ByCode;
  readonly #depth: number;
  /** Of the entry and of its values, from the unit's header. */
  #at: number;
  #values = 0;
  abbreviation!: Abbreviation;

  constructor(
    header: UnitHeader,
    reader: Reader,
    table: AbbreviationTable,
    at: number,
    byCode: ByCode = [],
    depth = 0,
  ) {
    this.header = header;
    this.reader = reader;
    this.#table = table;
    this.#at = at;
    this.#byCode = byCode;
    this.#depth = depth;
  }

  get offset(): number {
    return this.header.offset + this.#at;
  }

  get tag(): number {
    return this.abbreviation.tag;
  }

  get declaration(): boolean {
    return this.abbreviation.names.includes(DW_AT.declaration);
  }

  get hasName(): boolean {
    return this.abbreviation.names.includes(DW_AT.name);
  }

  /** Reads the entry at the cursor; false at the end of a list. */
  read(): boolean {
    this.reader.at = this.#at;
    const code = this.reader.uleb();
    if (code === 0) return false;
    let abbreviation = this.#byCode[code];
    if (abbreviation === undefined) {
      abbreviation = this.#table.get(code);
      if (abbreviation === undefined) throw corrupt(`abbreviation ${code} of the entry at ${this.offset} is not there`);
      if (code < 65_536) this.#byCode[code] = abbreviation;
    }
    this.abbreviation = abbreviation;
    this.#values = this.reader.at;
    return true;
  }

  seekName(): number {
    return this.seek(DW_AT.name);
  }

  seek(attribute: number): number {
    const index = this.abbreviation.names.indexOf(attribute);
    if (index < 0) throw corrupt(`the entry at ${this.offset} lacks an attribute`);
    return this.#seekIndex(index);
  }

  #seekIndex(index: number): number {
    const { offsets, forms } = this.abbreviation;
    let from = index;
    while (offsets[from]! < 0) from--;
    this.reader.at = this.#values + offsets[from]!;
    for (; from < index; from++) skipForm(this.reader, forms[from]!, this.header);
    return forms[index]!;
  }

  /** Where the values of the entry end. */
  #end(): number {
    const { offsets, forms } = this.abbreviation;
    const fixed = offsets[forms.length]!;
    if (fixed >= 0) return this.#values + fixed;
    const form = this.#seekIndex(forms.length - 1);
    skipForm(this.reader, form, this.header);
    return this.reader.at;
  }

  /** Where what follows the entry and all below it begins. */
  #next(): number {
    const { abbreviation } = this;
    if (!abbreviation.children) return this.#end();
    const end = this.#end();
    if (abbreviation.sibling >= 0 && abbreviation.forms[abbreviation.sibling] === DW_FORM.ref4) {
      this.#seekIndex(abbreviation.sibling);
      const sibling = this.reader.u32();
      // Never backwards, or the scan would not end.
      if (sibling > end && this.header.offset + sibling <= this.header.end) return sibling;
    }
    if (this.#depth >= MAX_DEPTH) throw corrupt(`the entries at ${this.offset} nest too deep`);
    return this.#below(end, () => true);
  }

  children(visit: (entry: ScannedEntry) => boolean): void {
    if (this.abbreviation.children) this.#below(this.#end(), visit);
  }

  /** Visits the list of entries that begins at `start`; where it ends. */
  #below(start: number, visit: (entry: ScannedEntry) => boolean): number {
    const { header, reader } = this;
    const cursor = new Cursor(header, reader, this.#table, start, this.#byCode, this.#depth + 1);
    const length = header.end - header.offset;
    while (cursor.#at < length && cursor.read()) {
      if (!visit(cursor)) return cursor.#at;
      cursor.#at = cursor.#next();
    }
    return cursor.#at + 1;
  }
}
