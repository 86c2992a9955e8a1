import type { SourceLocation } from "@spillway/core";
import { printable } from "../text/printable.ts";
import { formatLocation } from "./source-line.ts";

/** What `dis -s` shows, in crash's layout. */
export interface SourceListing {
  /** Where the address is. */
  readonly at: SourceLocation;
  /** First and last line to show. */
  readonly first: number;
  readonly last: number;
  /** Lines that code was made from. */
  readonly withCode: ReadonlySet<number>;
  /** The file's lines; null where it was not found. */
  readonly text: readonly string[] | null;
}

/** Lines with code are marked with an asterisk, as crash does; the address's own line with an arrow. */
export function formatListing({ at, first, last, withCode, text }: SourceListing): string {
  const head = `FILE: ${printable(at.file)}\nLINE: ${at.line}\n`;
  if (text === null) return head;
  const width = Math.max(5, last.toString().length);
  const rows: string[] = [];
  for (let line = first; line <= Math.min(last, text.length); line++) {
    const mark = line === at.line ? ">" : withCode.has(line) ? "*" : " ";
    rows.push(
      `${mark} ${line.toString().padStart(width)}  ${printable((text[line - 1] ?? "").replaceAll("\t", "        "))}`.trimEnd(),
    );
  }
  return `${head}\n${rows.join("\n")}\n`;
}

/** A heading of `dis -l`: the line that the instructions below it come from. */
export function formatHeading(location: SourceLocation, inlined: string | null): string {
  return `${formatLocation(location)}${inlined === null ? "" : ` (${printable(inlined)}, inlined)`}\n`;
}
