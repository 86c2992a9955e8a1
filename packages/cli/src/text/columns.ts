/** A column of a table: where its cells stand, and whether its colour has to be left out of the count. */
export type Alignment = "left" | "right";

export interface TableCell {
  readonly text: string;
  /** Applied after the padding, so that escape sequences do not count. */
  readonly paint?: (text: string) => string;
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
        return paint === undefined ? padded : paint(padded);
      })
      .join("  ");
  return cells.map((row) => `${" ".repeat(indent)}${line(row)}`.trimEnd().concat("\n")).join("");
}
