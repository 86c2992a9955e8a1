/** Small DWARF files for tests: trees of entries turned into sections. */
import { DW_FORM } from "../dwarf/constants.ts";
import { DwarfFile } from "../dwarf/dwarf-file.ts";
import { LoadedSection } from "../elf/debug-section.ts";

/** A value: a number, text, bytes, or the entry of that label. */
export type BuiltValue = number | bigint | string | readonly number[] | { readonly ref: string };

export interface BuiltDie {
  readonly tag: number;
  /** [DW_AT, DW_FORM, value]. */
  readonly attributes?: readonly (readonly [number, number, BuiltValue])[];
  readonly children?: readonly BuiltDie[];
  readonly label?: string;
}

export interface BuiltSections {
  /** DWARF version of all units; 5 by default. */
  readonly version?: 4 | 5;
  readonly bias?: bigint;
  /** Further sections by their names. */
  readonly sections?: Readonly<Record<string, readonly number[]>>;
  /** Text put into .debug_str before anything else, each ended by NUL. */
  readonly strings?: readonly string[];
}

/** A file of compile units; each given as its own entry. */
export function buildDwarf(units: readonly BuiltDie[], options: BuiltSections = {}): DwarfFile {
  const sections = new Builder(options).build(units);
  return new DwarfFile(
    {
      name: "built",
      section(name) {
        const bytes = sections.get(name);
        return bytes === undefined ? null : new LoadedSection(name, bytes.length, () => bytes);
      },
      problems: [],
    },
    options.bias ?? 0n,
  );
}

export function uleb(value: number): number[] {
  const bytes: number[] = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value = Math.floor(value / 128);
  } while (value > 0);
  return bytes;
}

export function sleb(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value = Math.floor(value / 128);
    const done = (value === 0 && low < 0x40) || (value === -1 && low >= 0x40);
    bytes.push(low | (done ? 0 : 0x80));
    if (done) return bytes;
  }
}

/** Little-endian. */
export function fixed(value: number | bigint, size: number): number[] {
  return Array.from({ length: size }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn));
}

const SIZES: ReadonlyMap<number, number> = new Map([
  [DW_FORM.addr, 8],
  [DW_FORM.data1, 1],
  [DW_FORM.data2, 2],
  [DW_FORM.data4, 4],
  [DW_FORM.data8, 8],
  [DW_FORM.flag, 1],
  [DW_FORM.secOffset, 4],
]);

class Builder {
  readonly #version: 4 | 5;
  readonly #extra: Readonly<Record<string, readonly number[]>>;
  readonly #info: number[] = [];
  readonly #abbreviations: number[] = [];
  readonly #codes = new Map<string, number>();
  readonly #strings: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #references: { at: number; unit: number | null; label: string }[] = [];

  constructor({ version = 5, sections = {}, strings = [] }: BuiltSections) {
    this.#version = version;
    this.#extra = sections;
    for (const text of strings) this.#string(text);
  }

  build(units: readonly BuiltDie[]): Map<string, Uint8Array> {
    for (const unit of units) this.#unit(unit);
    for (const { at, unit, label } of this.#references) {
      const target = this.#labels.get(label);
      if (target === undefined) throw new Error(`no entry is labelled ${label}`);
      this.#info.splice(at, 4, ...fixed(target - (unit ?? 0), 4));
    }
    return new Map([
      [".debug_info", Uint8Array.from(this.#info)],
      [".debug_abbrev", Uint8Array.from([...this.#abbreviations, 0])],
      [".debug_str", Uint8Array.from(this.#strings)],
      ...Object.entries(this.#extra).map(([name, bytes]) => [name, Uint8Array.from(bytes)] as const),
    ]);
  }

  #unit(root: BuiltDie): void {
    const start = this.#info.length;
    const header = this.#version === 5 ? [...fixed(5, 2), 1, 8, ...fixed(0, 4)] : [...fixed(4, 2), ...fixed(0, 4), 8];
    this.#info.push(0, 0, 0, 0, ...header);
    this.#die(root, start);
    this.#info.splice(start, 4, ...fixed(this.#info.length - start - 4, 4));
  }

  #die(die: BuiltDie, unit: number): void {
    const { attributes = [], children = [] } = die;
    if (die.label !== undefined) this.#labels.set(die.label, this.#info.length);
    this.#info.push(...uleb(this.#code(die)));
    for (const [, form, value] of attributes) this.#value(form, value, unit);
    for (const child of children) this.#die(child, unit);
    if (children.length > 0) this.#info.push(0);
  }

  #code({ tag, attributes = [], children = [] }: BuiltDie): number {
    const shape = [
      ...uleb(tag),
      children.length > 0 ? 1 : 0,
      ...attributes.flatMap(([name, form]) => [...uleb(name), ...uleb(form)]),
      0,
      0,
    ];
    const key = shape.join(" ");
    let code = this.#codes.get(key);
    if (code === undefined) {
      code = this.#codes.size + 1;
      this.#codes.set(key, code);
      this.#abbreviations.push(...uleb(code), ...shape);
    }
    return code;
  }

  #value(form: number, value: BuiltValue, unit: number): void {
    const info = this.#info;
    if (typeof value === "object" && "ref" in value) {
      this.#references.push({ at: info.length, unit: form === DW_FORM.refAddr ? null : unit, label: value.ref });
      info.push(0, 0, 0, 0);
    } else if (typeof value === "string") {
      if (form === DW_FORM.strp) info.push(...fixed(this.#string(value), 4));
      else info.push(...ascii(value), 0);
    } else if (typeof value === "object") {
      info.push(...(form === DW_FORM.block1 ? [value.length] : uleb(value.length)), ...value);
    } else if (form === DW_FORM.udata) info.push(...uleb(Number(value)));
    else if (form === DW_FORM.sdata) info.push(...sleb(Number(value)));
    else if (form !== DW_FORM.flagPresent) info.push(...fixed(value, SIZES.get(form)!));
  }

  /** Offset of a text; a text that ends one which is there already is found within it, as linkers do. */
  #string(text: string): number {
    const bytes = [...ascii(text), 0];
    const all = this.#strings;
    for (let at = 0; at + bytes.length <= all.length; at++) {
      if (bytes.every((byte, index) => all[at + index] === byte)) return at;
    }
    all.push(...bytes);
    return all.length - bytes.length;
  }
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}
