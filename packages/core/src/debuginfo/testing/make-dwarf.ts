import { DW_FORM } from "../dwarf/constants.ts";
import { DwarfFile } from "../dwarf/dwarf-file.ts";
import { type DebugSection, LoadedSection } from "../elf/debug-section.ts";
import { ByteWriter } from "./byte-writer.ts";

/** A value as its form takes it: a number, text, a block's bytes, or (for references) the label of a DIE. */
export type MadeValue = number | bigint | string | readonly number[];

/** An attribute: DW_AT code, DW_FORM code, value. */
export type MadeAttribute = readonly [number, number, MadeValue];

export interface MadeDie {
  readonly tag: number;
  readonly attributes: readonly MadeAttribute[];
  readonly children?: readonly MadeDie[];
  /** For references to it. */
  readonly label?: string;
}

export interface MadeUnit {
  readonly version?: 2 | 3 | 4 | 5;
  readonly offsetSize?: 4 | 8;
  readonly addressSize?: 4 | 8;
  /** DW_UT code; compile by default. */
  readonly type?: number;
  readonly signature?: bigint;
  /** Label of the type that a type unit defines. */
  readonly typeLabel?: string;
  readonly root: MadeDie;
}

/** Sections by their names. */
export type MadeSections = Record<string, Uint8Array>;

/**
 * Makes .debug_info and .debug_abbrev of units, each with abbreviations of its own, one for each DIE.
 * @returns the sections and each label's offset in .debug_info
 */
export function makeDwarf(units: readonly MadeUnit[]): { sections: MadeSections; labels: Map<string, number> } {
  const info = new ByteWriter();
  const abbrev = new ByteWriter();
  const labels = new Map<string, number>();
  const patches: { at: number; label: string; from: number }[] = [];
  for (const unit of units) makeUnit(unit, info, abbrev, labels, patches);
  for (const { at, label, from } of patches) info.patch32(at, (labels.get(label) ?? 0) - from);
  return { sections: { ".debug_info": info.bytes, ".debug_abbrev": abbrev.bytes }, labels };
}

function makeUnit(
  unit: MadeUnit,
  info: ByteWriter,
  abbrev: ByteWriter,
  labels: Map<string, number>,
  patches: { at: number; label: string; from: number }[],
): void {
  const { version = 5, offsetSize = 4, addressSize = 8, type = 1 } = unit;
  const start = info.length;
  if (offsetSize === 8) info.u32(0xffffffff);
  const lengthAt = info.length;
  info.offset(0, offsetSize).u16(version);
  if (version >= 5) info.u8(type, addressSize).offset(abbrev.length, offsetSize);
  else info.offset(abbrev.length, offsetSize).u8(addressSize);
  if (unit.signature !== undefined) {
    info.u64(unit.signature);
    patches.push({ at: info.length, label: unit.typeLabel ?? "", from: start });
    info.offset(0, offsetSize);
  }
  let code = 0;
  const write = (die: MadeDie): void => {
    code++;
    if (die.label !== undefined) labels.set(die.label, info.length);
    info.uleb(code);
    abbrev
      .uleb(code)
      .uleb(die.tag)
      .u8(die.children === undefined ? 0 : 1);
    for (const [name, form, value] of die.attributes) {
      abbrev.uleb(name).uleb(form);
      if (form === DW_FORM.implicitConst) abbrev.sleb(value as number);
      else if (typeof value === "string" && REFERENCES.has(form)) {
        patches.push({ at: info.length, label: value, from: form === DW_FORM.refAddr ? 0 : start });
        info.offset(0, form === DW_FORM.ref8 ? 8 : 4);
      } else writeForm(info, form, value, addressSize, offsetSize);
    }
    abbrev.u8(0, 0);
    if (die.children !== undefined) {
      for (const child of die.children) write(child);
      info.u8(0);
    }
  };
  write(unit.root);
  abbrev.u8(0);
  info.patch32(lengthAt, info.length - lengthAt - offsetSize);
}

const REFERENCES = new Set<number>([DW_FORM.ref4, DW_FORM.ref8, DW_FORM.refAddr]);

/** Writes a value in its form; `indirect` takes [form, …bytes]. */
function writeForm(out: ByteWriter, form: number, value: MadeValue, addressSize: 4 | 8, offsetSize: 4 | 8): void {
  const number = typeof value === "string" || Array.isArray(value) ? 0 : (value as number | bigint);
  const block = Array.isArray(value) ? (value as readonly number[]) : [];
  switch (form) {
    case DW_FORM.addr:
      if (addressSize === 8) out.u64(number);
      else out.u32(Number(number));
      return;
    case DW_FORM.string:
      out.text(value as string);
      return;
    case DW_FORM.flagPresent:
      return;
    case DW_FORM.flag:
    case DW_FORM.data1:
    case DW_FORM.ref1:
    case DW_FORM.strx1:
    case DW_FORM.addrx1:
      out.u8(Number(number));
      return;
    case DW_FORM.data2:
    case DW_FORM.ref2:
    case DW_FORM.strx2:
    case DW_FORM.addrx2:
      out.u16(Number(number));
      return;
    case DW_FORM.strx3:
    case DW_FORM.addrx3:
      out.u16(Number(number) & 0xffff).u8(Number(number) >>> 16);
      return;
    case DW_FORM.data4:
    case DW_FORM.ref4:
    case DW_FORM.refSup4:
    case DW_FORM.strx4:
    case DW_FORM.addrx4:
      out.u32(Number(number));
      return;
    case DW_FORM.data8:
    case DW_FORM.ref8:
    case DW_FORM.refSig8:
    case DW_FORM.refSup8:
      out.u64(number);
      return;
    case DW_FORM.data16:
    case DW_FORM.indirect:
      out.append(block);
      return;
    case DW_FORM.sdata:
      out.sleb(number);
      return;
    case DW_FORM.exprloc:
    case DW_FORM.block:
      out.uleb(block.length).append(block);
      return;
    case DW_FORM.block1:
      out.u8(block.length).append(block);
      return;
    case DW_FORM.block2:
      out.u16(block.length).append(block);
      return;
    case DW_FORM.block4:
      out.u32(block.length).append(block);
      return;
    case DW_FORM.strp:
    case DW_FORM.lineStrp:
    case DW_FORM.secOffset:
    case DW_FORM.refAddr:
    case DW_FORM.strpSup:
    case DW_FORM.gnuRefAlt:
    case DW_FORM.gnuStrpAlt:
      out.offset(Number(number), offsetSize);
      return;
    default:
      out.uleb(number);
  }
}

/** Sections that lie in memory, as a DwarfFile reads them. */
export function dwarfFile(sections: MadeSections, bias = 0n): DwarfFile {
  const opened = new Map<string, DebugSection>();
  for (const [name, bytes] of Object.entries(sections)) {
    opened.set(name, new LoadedSection(name, bytes.length, () => bytes));
  }
  return new DwarfFile({ name: "test.debug", problems: [], section: (name) => opened.get(name) ?? null }, bias);
}
