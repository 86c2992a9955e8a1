import type { DebugSection } from "../elf/debug-section.ts";
import { DW_AT, DW_FORM } from "./constants.ts";
import { fixedFormSize } from "./form-size.ts";
import { corrupt, Reader } from "./reader.ts";

/** One entry of an abbreviation table: the tag and attributes that DIEs of this code have. */
export interface Abbreviation {
  readonly code: number;
  readonly tag: number;
  readonly children: boolean;
  /** DW_AT and DW_FORM codes, in the order of the DIE's values. */
  readonly names: readonly number[];
  readonly forms: readonly number[];
  /** Values of DW_FORM_implicit_const; 0 for other forms. */
  readonly constants: readonly number[];
  /** Bytes from the first value to this one, -1 after one whose length varies; one more at the end for all values. */
  readonly offsets: readonly number[];
  /** Index of DW_AT_sibling, or -1. */
  readonly sibling: number;
}

/** The abbreviations of a unit by their code. */
export interface AbbreviationTable {
  get(code: number): Abbreviation | undefined;
}

/** The unit's properties that lengths of values depend on. */
export interface FormContext {
  readonly version: number;
  readonly addressSize: number;
  readonly offsetSize: 4 | 8;
}

const FIRST_READ = 16384;
const MOST_ATTRIBUTES = 4096;

/**
 * Reads the table that begins at `offset` of .debug_abbrev (DWARF 5, 7.5.3). Tables do not tell their length.
 * @throws SpillwayError `SPW_DEBUGINFO_CORRUPT`
 */
export function readAbbreviations(section: DebugSection, offset: number, context: FormContext): AbbreviationTable {
  const rest = section.size - offset;
  if (!(rest > 0)) throw corrupt(`no abbreviations at ${offset}`);
  for (let length = Math.min(rest, FIRST_READ); ; length = Math.min(rest, length * 8)) {
    const bytes = section.bytes(offset, length);
    if (bytes === null) throw corrupt(`no abbreviations at ${offset}`);
    try {
      return parse(new Reader(bytes), context);
    } catch (error) {
      if (length === rest) throw error;
    }
  }
}

function parse(reader: Reader, context: FormContext): AbbreviationTable {
  const table = new Map<number, Abbreviation>();
  for (let code = reader.uleb(); code !== 0; code = reader.uleb()) {
    const tag = reader.uleb();
    const children = reader.u8() !== 0;
    const names: number[] = [];
    const forms: number[] = [];
    const constants: number[] = [];
    const offsets: number[] = [];
    let at = 0;
    for (;;) {
      const name = reader.uleb();
      const form = reader.uleb();
      if (name === 0 && form === 0) break;
      if (names.length >= MOST_ATTRIBUTES) throw corrupt(`abbreviation ${code} has no end`);
      offsets.push(at);
      names.push(name);
      forms.push(form);
      constants.push(form === DW_FORM.implicitConst ? reader.sleb() : 0);
      const size = fixedFormSize(form, context);
      at = at < 0 || size < 0 ? -1 : at + size;
    }
    offsets.push(at);
    table.set(code, { code, tag, children, names, forms, constants, offsets, sibling: names.indexOf(DW_AT.sibling) });
  }
  return table;
}
