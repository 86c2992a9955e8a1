import {
  type CAggregate,
  type CValue,
  type DefinitionLine,
  definitionLines,
  formatMember,
  formatValue,
  type MemberLocation,
  type ValueStyle,
} from "@spillway/core";
import { hex16 } from "../text/hex.ts";

/** How a definition shows where its members lie. */
export interface OffsetColumn {
  /** `offset`: bytes from the start; `none`: no column; else the address of each member of the struct there. */
  readonly show: "none" | "offset" | { readonly address: bigint };
  readonly radix: 10 | 16;
}

const INDENT = "    ";

/** The definition of a struct or union as crash prints it, with its size. */
export function formatDefinition(type: CAggregate, column: OffsetColumn): string {
  const size = column.radix === 16 ? `0x${type.size.toString(16)}` : String(type.size);
  return `${formatLines(definitionLines(type), type.size, column)}SIZE: ${size}\n`;
}

/** Lines of a definition behind a column of offsets. */
export function formatLines(lines: readonly DefinitionLine[], size: number, column: OffsetColumn): string {
  const widest = column.show === "none" ? 0 : labelOf(size * 8, { ...column, show: column.show }).length;
  return lines
    .map((line) => {
      if (line.depth === 0) return `${line.text}\n`;
      if (column.show === "none") return `${INDENT.repeat(line.depth)}${line.text}\n`;
      const label = line.bitOffset === null ? "" : labelOf(line.bitOffset, column);
      return `  ${label.padStart(widest)} ${INDENT.repeat(line.depth - 1)}${line.text}\n`;
    })
    .join("");
}

function labelOf(bitOffset: number, { show, radix }: OffsetColumn): string {
  const bytes = Math.floor(bitOffset / 8);
  if (typeof show === "object") return `[${hex16(BigInt.asUintN(64, show.address + BigInt(bytes)))}]`;
  return radix === 16 ? `[0x${bytes.toString(16)}]` : `[${bytes}]`;
}

/** One member's offset and declaration, as crash prints `struct NAME.member`. */
export function formatMembers(
  type: CAggregate,
  members: readonly { readonly path: string; readonly location: MemberLocation }[],
  column: OffsetColumn,
): string {
  const lines = members.map(({ path, location }) => ({
    depth: 1,
    text: `${formatMember(path, location.type, location.bitSize)};`,
    bitOffset: location.bitOffset,
  }));
  const head = type.name === "" ? type.kind : `${type.kind} ${type.name}`;
  const whole = [{ depth: 0, text: `${head} {`, bitOffset: null }, ...lines, { depth: 0, text: "}", bitOffset: null }];
  return formatLines(whole, type.size, column.show === "none" ? { ...column, show: "offset" } : column);
}

/** A struct's content, as crash prints it. */
export function formatStructValue(type: CAggregate, name: string, value: CValue, style: ValueStyle): string {
  return `${type.kind} ${type.name || name} ${formatValue(value, style)}\n`;
}

/** Some members' content, indented by two. */
export function formatMemberValues(
  members: readonly { readonly path: string; readonly value: CValue }[],
  style: ValueStyle,
): string {
  return members.map(({ path, value }) => `  ${path} = ${formatValue(value, style, 2)}\n`).join("");
}
