import { unsignedAddress } from "../../symbols/kallsyms-addresses.ts";
import type { Abbreviation } from "./abbreviations.ts";
import { DW_AT, DW_FORM } from "./constants.ts";
import { skipForm } from "./form-size.ts";
import * as forms from "./form-values.ts";
import type { DwarfUnit } from "./unit.ts";

/**
 * A debugging information entry. Values are read when asked for, by the class that the question needs: a missing attribute, or
 * one of another class, is null. Everything throws SpillwayError `SPW_DEBUGINFO_CORRUPT` on damaged bytes.
 *
 * Addresses are link-time ones: add `unit.file.bias` for the running kernel's.
 */
export class Die {
  readonly unit: DwarfUnit;
  /** Of its section (.debug_info, .debug_types). */
  readonly offset: number;
  readonly abbreviation: Abbreviation;
  /** Where its values begin, from the unit's header. */
  readonly values: number;
  #end = -1;

  constructor(unit: DwarfUnit, offset: number, abbreviation: Abbreviation, values: number) {
    this.unit = unit;
    this.offset = offset;
    this.abbreviation = abbreviation;
    this.values = values;
  }

  /** DW_TAG code. */
  get tag(): number {
    return this.abbreviation.tag;
  }

  get hasChildren(): boolean {
    return this.abbreviation.children;
  }

  has(attribute: number): boolean {
    return this.abbreviation.names.includes(attribute);
  }

  /** Moves the unit's reader to an attribute's value and gives its form; -1 where there is none. */
  #seek(attribute: number): number {
    const index = this.abbreviation.names.indexOf(attribute);
    return index < 0 ? -1 : this.#seekIndex(index);
  }

  #seekIndex(index: number): number {
    const { forms, offsets } = this.abbreviation;
    const { reader, header } = this.unit;
    let from = index;
    while ((offsets[from] as number) < 0) from--;
    reader.at = this.values + (offsets[from] as number);
    for (; from < index; from++) skipForm(reader, forms[from] as number, header);
    return forms[index] as number;
  }

  /** DW_FORM code of an attribute, the true one behind DW_FORM_indirect; null where there is none. */
  form(attribute: number): number | null {
    const form = this.#seek(attribute);
    if (form < 0) return null;
    return form === DW_FORM.indirect ? this.unit.reader.uleb() : form;
  }

  /** A constant as a number; rounded past 2^53. `data` forms are unsigned, as their bytes stand. */
  number(attribute: number): number | null {
    const form = this.#seek(attribute);
    if (form < 0) return null;
    if (form === DW_FORM.implicitConst) return this.#implicit(attribute);
    return forms.readNumber(this.unit.reader, form);
  }

  /** A constant, all 64 bits of it: `sdata` and `implicit_const` signed, `data` and `udata` forms unsigned. */
  bigint(attribute: number): bigint | null {
    const form = this.#seek(attribute);
    if (form < 0) return null;
    if (form === DW_FORM.implicitConst) return BigInt(this.#implicit(attribute));
    return forms.readBigint(this.unit.reader, form);
  }

  #implicit(attribute: number): number {
    return this.abbreviation.constants[this.abbreviation.names.indexOf(attribute)] as number;
  }

  /** A flag; false where there is none. */
  flag(attribute: number): boolean {
    const form = this.#seek(attribute);
    if (form === DW_FORM.flagPresent) return true;
    return form === DW_FORM.flag && this.unit.reader.u8() !== 0;
  }

  /** Text. */
  string(attribute: number): string | null {
    const form = this.#seek(attribute);
    return form < 0 ? null : forms.readString(this.unit, form);
  }

  get name(): string | null {
    return this.string(DW_AT.name);
  }

  /** A signed link-time address (symbols/kallsyms-addresses.ts). */
  addressNumber(attribute: number): number | null {
    const form = this.#seek(attribute);
    return form < 0 ? null : forms.readAddress(this.unit, form);
  }

  /** A link-time address. */
  address(attribute: number): bigint | null {
    const address = this.addressNumber(attribute);
    return address === null ? null : unsignedAddress(address);
  }

  /** DW_AT_high_pc as a signed link-time address: written as one, or as bytes from DW_AT_low_pc. */
  highPc(lowPc: number): number | null {
    const form = this.#seek(DW_AT.highPc);
    if (form < 0) return null;
    const address = forms.readAddress(this.unit, form);
    if (address !== null) return address;
    const length = this.number(DW_AT.highPc);
    return length === null ? null : lowPc + length;
  }

  /** An offset into another section (.debug_line, a location or range list …); by index forms are looked up. */
  sectionOffset(attribute: number): number | null {
    const form = this.#seek(attribute);
    return form < 0 ? null : forms.readSectionOffset(this.unit, form);
  }

  /** An expression or block: a view of the unit's bytes. */
  block(attribute: number): Uint8Array | null {
    const form = this.#seek(attribute);
    return form < 0 ? null : forms.readBlock(this.unit.reader, form);
  }

  /** The DIE that an attribute points to, in whichever unit; null also where that lies in a file that is not here. */
  reference(attribute: number): Die | null {
    const form = this.#seek(attribute);
    return form < 0 ? null : forms.readReference(this.unit, form);
  }

  /** Offset of the first byte after this DIE's values: of its first child, or of what follows it. */
  get end(): number {
    if (this.#end < 0) {
      const { forms, offsets } = this.abbreviation;
      const fixed = offsets[forms.length] as number;
      if (fixed >= 0) this.#end = this.unit.header.offset + this.values + fixed;
      else {
        const form = this.#seekIndex(forms.length - 1);
        const { reader, header } = this.unit;
        skipForm(reader, form, header);
        this.#end = header.offset + reader.at;
      }
    }
    return this.#end;
  }

  /** Offset of what follows this DIE and all below it. */
  get next(): number {
    if (!this.hasChildren) return this.end;
    const sibling =
      this.abbreviation.sibling < 0 ? null : forms.readUnitReference(this.unit, this.#seek(DW_AT.sibling));
    // Never backwards, or a list of siblings would have no end.
    if (sibling !== null && sibling > this.end && sibling <= this.unit.header.end) return sibling;
    let depth = 1;
    let at = this.end;
    while (depth > 0) {
      const die = this.unit.dieAt(at);
      if (die === null) {
        depth--;
        at++;
      } else {
        if (die.hasChildren) depth++;
        at = die.end;
      }
    }
    return at;
  }

  /** The DIEs directly below, in order. */
  *children(): Generator<Die> {
    if (!this.hasChildren) return;
    const end = this.unit.header.end;
    for (let at = this.end; at < end; ) {
      const die = this.unit.dieAt(at);
      if (die === null) return;
      yield die;
      at = die.next;
    }
  }

  /** Following DW_AT_abstract_origin and DW_AT_specification, the first DIE that has the attribute. */
  originWith(attribute: number): Die | null {
    let die: Die | null = this;
    for (let step = 0; die !== null && step < 8; step++) {
      if (die.has(attribute)) return die;
      die = die.reference(DW_AT.abstractOrigin) ?? die.reference(DW_AT.specification);
    }
    return null;
  }

  /** All attributes' codes with their forms: for printing and tests. */
  attributes(): readonly { readonly name: number; readonly form: number }[] {
    const { names, forms } = this.abbreviation;
    return names.map((name, index) => ({ name, form: forms[index] ?? -1 }));
  }
}
