import { truncate } from "./wrap.ts";

/** No text is cut shorter than that. */
const LEAST_CUT = 16;

/** A column of a table: where its cells stand, and whether its colour has to be left out of the count. */
export type Alignment = "left" | "right";

export interface TableCell {
  readonly text: string;
  /** Applied after the padding, so that escape sequences do not count. */
  readonly paint?: (text: string) => string;
}

/**
 * Rows of which the last column says more than is needed: cut, with an ellipsis, to what the others leave of `width` columns, but
 * to no less than a word's length.
 * @param count how many columns there are; rows that have fewer are left as they are
 */
export function cutLast(
  rows: readonly (readonly (TableCell | string)[])[],
  count: number,
  width: number,
  indent = 2,
): (readonly (TableCell | string)[])[] {
  const text = (cell: TableCell | string | undefined): string => (typeof cell === "object" ? cell.text : (cell ?? ""));
  let room = width - indent;
  for (let column = 0; column < count - 1; column++) {
    room -= Math.max(0, ...rows.map((row) => text(row[column]).length)) + 2;
  }
  return rows.map((row) => {
    const last = row[count - 1];
    if (last === undefined) return row;
    const cut = truncate(text(last), Math.max(LEAST_CUT, room));
    return [...row.slice(0, count - 1), typeof last === "string" ? cut : { ...last, text: cut }];
  });
}

/**
 * Rows of cells as lines of aligned columns, two blanks between them; the last column is not padded.
 * @param rows the heading first, if there is one; short rows are fine
 */
export function columns(
  rows: readonly (readonly (TableCell | string)[])[],
  alignments: readonly Alignment[],
  indent = 2,
): string {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === "string" ? { text: cell } : cell)));
  const widths = alignments.map((_, column) => Math.max(0, ...cells.map((row) => row[column]?.text.length ?? 0)));
  const line = (row: readonly TableCell[]): string =>
    row
      .map(({ text, paint }, column) => {
        const width = widths[column] ?? 0;
        const isLast = column === row.length - 1;
        const padded = alignments[column] === "right" ? text.padStart(width) : isLast ? text : text.padEnd(width);
        // Escape sequences around nothing would keep the padding before them.
        return paint === undefined || padded === "" ? padded : paint(padded);
      })
      .join("  ");
  return cells.map((row) => `${" ".repeat(indent)}${line(row)}`.trimEnd().concat("\n")).join("");
}
