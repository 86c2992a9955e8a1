import { decodeUtf8 } from "../../memory/utf8.ts";
import { DW_FORM } from "./constants.ts";
import type { DwarfFile } from "./dwarf-file.ts";
import { skipForm } from "./form-size.ts";
import { readNumber } from "./form-values.ts";
import { corrupt, type Reader } from "./reader.ts";

/** What the header of a line program says (DWARF 5, 6.2.4; DWARF 4 and before, the same without formats of entries). */
export interface LineHeader {
  readonly version: number;
  readonly addressSize: number;
  readonly minimumInstruction: number;
  readonly defaultIsStatement: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Number of operands of each standard opcode, by opcode. */
  readonly operands: Uint8Array;
  /** Where the program begins and ends, from the start of the header. */
  readonly program: number;
  readonly end: number;
  readonly directories: readonly LazyText[];
  readonly files: readonly LineFile[];
}

export interface LineFile {
  readonly name: LazyText;
  readonly directory: number;
}

/** Text, or where it is: most names of a header are never asked for. */
export type LazyText = string | { readonly section: string; readonly offset: number };

const LNCT_PATH = 1;
const LNCT_DIRECTORY_INDEX = 2;
/** Clang's table of one unit names some thousand headers. */
const MOST_ENTRIES = 1 << 20;

/**
 * Reads a header that begins where the reader stands, at 0.
 * @param addressSize the unit's; version 5 has its own
 * @throws SpillwayError `SPW_DEBUGINFO_CORRUPT`
 */
export function readLineHeader(reader: Reader, unitAddressSize: number): LineHeader {
  let length = reader.u32();
  const offsetSize = length === 0xffffffff ? 8 : 4;
  if (offsetSize === 8) length = reader.u64();
  const end = reader.at + length;
  const version = reader.u16();
  if (version < 2 || version > 5) throw corrupt(`a line program of version ${version}`);
  let addressSize = unitAddressSize;
  if (version >= 5) {
    addressSize = reader.u8();
    reader.skip(1);
  }
  const headerLength = reader.offset(offsetSize);
  const program = reader.at + headerLength;
  const minimumInstruction = reader.u8();
  // Operations in one instruction: more than one only on VLIW machines, which no kernel here runs on.
  if (version >= 4) reader.skip(1);
  const defaultIsStatement = reader.u8() !== 0;
  const lineBase = (reader.u8() << 24) >> 24;
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  if (lineRange === 0 || opcodeBase === 0 || !(program <= end)) throw corrupt("the header of a line program");
  const operands = new Uint8Array(opcodeBase);
  for (let opcode = 1; opcode < opcodeBase; opcode++) operands[opcode] = reader.u8();
  const context = { version, addressSize, offsetSize } as const;
  const { directories, files } = version >= 5 ? readTables(reader, context) : readOldTables(reader);
  return {
    version,
    addressSize,
    minimumInstruction,
    defaultIsStatement,
    lineBase,
    lineRange,
    opcodeBase,
    operands,
    program,
    end,
    directories,
    files,
  };
}

interface Tables {
  readonly directories: readonly LazyText[];
  readonly files: readonly LineFile[];
}

/** Versions 2 to 4: texts up to an empty one. Numbers count from 1; directory 0 is the unit's, file 0 is none. */
function readOldTables(reader: Reader): Tables {
  const directories: LazyText[] = [""];
  for (let text = reader.cstring(); text.length > 0; text = reader.cstring()) directories.push(decodeUtf8(text));
  const files: LineFile[] = [{ name: "", directory: 0 }];
  for (let text = reader.cstring(); text.length > 0; text = reader.cstring()) {
    files.push({ name: decodeUtf8(text), directory: reader.uleb() });
    reader.skipLeb();
    reader.skipLeb();
  }
  return { directories, files };
}

type Context = { readonly version: number; readonly addressSize: number; readonly offsetSize: 4 | 8 };

function readTables(reader: Reader, context: Context): Tables {
  const directories = readEntries(reader, context).map((entry) => entry.name);
  return { directories, files: readEntries(reader, context) };
}

/** Version 5: the format of the entries, then the entries. */
function readEntries(reader: Reader, context: Context): LineFile[] {
  const formats: [number, number][] = [];
  for (let count = reader.u8(); count > 0; count--) formats.push([reader.uleb(), reader.uleb()]);
  const count = reader.uleb();
  // Entries of no bytes would not run into the end.
  if (!(count <= MOST_ENTRIES) || (count > 0 && formats.length === 0))
    throw corrupt(`a line program with ${count} files`);
  const entries: LineFile[] = [];
  for (let i = 0; i < count; i++) {
    let name: LazyText = "";
    let directory = 0;
    for (const [content, form] of formats) {
      if (content === LNCT_PATH) name = readText(reader, form, context);
      else if (content === LNCT_DIRECTORY_INDEX) directory = readNumber(reader, form) ?? 0;
      else skipForm(reader, form, context);
    }
    entries.push({ name, directory });
  }
  return entries;
}

function readText(reader: Reader, form: number, context: Context): LazyText {
  switch (form) {
    case DW_FORM.string:
      return decodeUtf8(reader.cstring());
    case DW_FORM.lineStrp:
      return { section: ".debug_line_str", offset: reader.offset(context.offsetSize) };
    case DW_FORM.strp:
      return { section: ".debug_str", offset: reader.offset(context.offsetSize) };
    default:
      skipForm(reader, form, context);
      return "";
  }
}

/** The text itself. */
export function textOf(file: DwarfFile, text: LazyText): string {
  return typeof text === "string" ? text : (file.string(text.section, text.offset) ?? "");
}
