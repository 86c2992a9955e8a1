/** Values as text, in the manner of gdb and crash. */
import { stripTypedefs } from "./strip.ts";
import type { CType } from "./type-provider.ts";
import type { CValue } from "./value.ts";

export interface ValueStyle {
  /** Radix of whole numbers; pointers are always hexadecimal. */
  readonly radix: 10 | 16;
  /** `name+8` of an address, or null. */
  readonly symbolize: (address: bigint) => string | null;
  /** The text that a `char *` points to; null where it cannot be read. */
  readonly text: (address: bigint) => string | null;
  /** What stands for bytes that are not there; "not in the dump" by default. */
  readonly missing?: string;
}

/** Equal array elements that are written once, with how many there are. */
const REPEATS = 8;
/** Columns of an array of numbers on one line before it is broken. */
const LINE = 100;

/** A value in crash's layout; lines after the first are indented by `indent` blanks (struct members by two more). */
export function formatValue(value: CValue, style: ValueStyle, indent = 0): string {
  switch (value.kind) {
    case "integer":
      return formatInteger(value.value, style.radix, value.size);
    case "boolean":
      return value.value === 0n ? "false" : value.value === 1n ? "true" : formatInteger(value.value, style.radix, 1);
    case "character":
      return `${formatInteger(BigInt((value.value << 24) >> 24), style.radix, 1)} '${escaped(value.value, "'")}'`;
    case "float":
      return String(value.value);
    case "enum":
      return value.name ?? formatInteger(value.value, style.radix, 4);
    case "pointer":
      return formatPointer(value.value, value.target, style);
    case "text":
      return formatText(value.bytes);
    case "array":
      return formatArray(value, style, indent);
    case "struct":
      return formatStruct(value, style, indent);
    case "none":
      return `<${value.what}>`;
    case "missing":
      return `<${style.missing ?? "not in the dump"}>`;
  }
}

function formatInteger(value: bigint, radix: 10 | 16, size: number): string {
  if (radix === 10) return value.toString();
  return `0x${BigInt.asUintN(size * 8, value).toString(16)}`;
}

function formatPointer(value: bigint, target: CType, style: ValueStyle): string {
  const digits = `0x${value.toString(16)}`;
  if (value === 0n) return digits;
  const symbol = style.symbolize(value);
  const named = symbol === null ? digits : `${digits} <${symbol}>`;
  const pointee = stripTypedefs(target);
  if (pointee.kind !== "int" || pointee.size !== 1 || pointee.name !== "char") return named;
  const text = style.text(value);
  return text === null ? named : `${named} "${[...text].map((char) => escaped(char.codePointAt(0)!, '"')).join("")}"`;
}

/** An array of characters as a string; NULs at its end are left out, what lies behind another NUL is not. */
export function formatText(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  let text = "";
  for (let at = 0; at < end; at++) text += escaped(bytes[at]!, '"');
  return `"${text}"`;
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [7, "\\a"],
  [8, "\\b"],
  [9, "\\t"],
  [10, "\\n"],
  [11, "\\v"],
  [12, "\\f"],
  [13, "\\r"],
  [27, "\\e"],
  [0x5c, "\\\\"],
]);

function escaped(code: number, quote: string): string {
  if (code === quote.codePointAt(0)) return `\\${quote}`;
  const known = ESCAPES.get(code);
  if (known !== undefined) return known;
  if (code >= 0x20 && code < 0x7f) return String.fromCharCode(code);
  return code > 0xff ? String.fromCodePoint(code) : `\\${code.toString(8).padStart(3, "0")}`;
}

function formatStruct(value: Extract<CValue, { kind: "struct" }>, style: ValueStyle, indent: number): string {
  if (value.members.length === 0) return "{}";
  const margin = " ".repeat(indent + 2);
  const lines = value.members.map(({ name, value: member }) => {
    const text = formatValue(member, style, indent + 2);
    return `${margin}${name === "" ? "" : `${name} = `}${text}`;
  });
  return `{\n${lines.join(",\n")}\n${" ".repeat(indent)}}`;
}

function formatArray(value: Extract<CValue, { kind: "array" }>, style: ValueStyle, indent: number): string {
  const nested = value.items.some((item) => item.kind === "struct" || item.kind === "array");
  const runs: { text: string; count: number }[] = [];
  for (const item of value.items) {
    const text = formatValue(item, style, indent + (nested ? 2 : 0));
    const last = runs.at(-1);
    if (last?.text === text) last.count++;
    else runs.push({ text, count: 1 });
  }
  const parts = runs.flatMap(({ text, count }) =>
    count > REPEATS ? [`${text} <repeats ${count} times>`] : Array<string>(count).fill(text),
  );
  if (value.items.length < value.length) parts.push(`… ${value.length - value.items.length} more`);
  return nested ? `{${parts.join(", ")}}` : `{${broken(parts, indent + 2)}}`;
}

/** Joins by commas, on several lines where one would be too long. */
function broken(parts: readonly string[], indent: number): string {
  let text = "";
  let column = indent;
  parts.forEach((part, index) => {
    const separator = index === 0 ? "" : ", ";
    if (index > 0 && column + part.length > LINE) {
      text += `,\n${" ".repeat(indent)}${part}`;
      column = indent + part.length;
    } else {
      text += separator + part;
      column += separator.length + part.length;
    }
  });
  return text;
}
