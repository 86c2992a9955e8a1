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

/** The unit's properties that lengths of values depend on. */
export interface FormContext {
  readonly version: number;
  readonly addressSize: number;
  readonly offsetSize: 4 | 8;
}

const FIRST_READ = 4096;
/** A unit made of all others by link-time optimisation has some thousand entries of twenty bytes. */
const LONGEST_TABLE = 1 << 20;
const MOST_ATTRIBUTES = 4096;

/**
 * The abbreviations that begin at an offset of .debug_abbrev (DWARF 5, 7.5.3). Tables do not tell their length, and a unit's own
 * DIE is mostly their first entry: parsed only as far as was asked for.
 */
export class AbbreviationTable {
  readonly #section: DebugSection;
  readonly #offset: number;
  readonly #context: FormContext;
  readonly #known = new Map<number, Abbreviation>();
  /** Where entries begin that were passed, but not asked for. */
  readonly #passed = new Map<number, number>();
  #reader: Reader;
  /** Where the next entry begins that was not passed yet. */
  #next = 0;
  #complete = false;

  /** @throws SpillwayError `SPW_DEBUGINFO_CORRUPT` */
  constructor(section: DebugSection, offset: number, context: FormContext) {
    this.#section = section;
    this.#offset = offset;
    this.#context = context;
    this.#reader = this.#read(FIRST_READ);
  }

  /** @throws SpillwayError `SPW_DEBUGINFO_CORRUPT` */
  get(code: number): Abbreviation | undefined {
    let entry = this.#known.get(code);
    if (entry === undefined) {
      const at = this.#passed.get(code) ?? this.#find(code);
      if (at === null) return undefined;
      this.#reader.at = at;
      entry = parse(this.#reader, this.#context);
      this.#known.set(code, entry);
    }
    return entry;
  }

  #find(code: number): number | null {
    while (!this.#complete) {
      const at = this.#next;
      const passed = this.#pass(at);
      if (passed === 0) this.#complete = true;
      else if (!this.#passed.has(passed)) this.#passed.set(passed, at);
      if (passed === code) return at;
    }
    return null;
  }

  /** Goes over the entry at a place, reading on where what was read of the table ends in it. Its code; 0 at the end. */
  #pass(at: number): number {
    for (;;) {
      try {
        this.#reader.at = at;
        const code = pass(this.#reader);
        this.#next = this.#reader.at;
        return code;
      } catch (error) {
        const had = this.#reader.bytes.length;
        this.#reader = this.#read(had * 8);
        if (this.#reader.bytes.length === had) throw error;
      }
    }
  }

  #read(length: number): Reader {
    const rest = Math.min(this.#section.size - this.#offset, LONGEST_TABLE);
    const bytes = rest > 0 ? this.#section.bytes(this.#offset, Math.min(rest, length)) : null;
    if (bytes === null) throw corrupt(`no abbreviations at ${this.#offset}`, { offset: this.#offset });
    return new Reader(bytes);
  }
}

function pass(reader: Reader): number {
  const code = reader.uleb();
  if (code === 0) return 0;
  reader.skipLeb();
  reader.u8();
  for (;;) {
    const name = reader.uleb();
    const form = reader.uleb();
    if (name === 0 && form === 0) return code;
    if (form === DW_FORM.implicitConst) reader.skipLeb();
  }
}

function parse(reader: Reader, context: FormContext): Abbreviation {
  const code = reader.uleb();
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
  return { code, tag, children, names, forms, constants, offsets, sibling: names.indexOf(DW_AT.sibling) };
}
