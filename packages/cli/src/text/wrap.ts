/**
 * Breaks text into lines of at most `width` columns at blanks. Words longer than a line (addresses, symbols) are left whole
 * rather than cut: they are there to be copied.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (word === "") continue;
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  if (line !== "") lines.push(line);
  return lines.length > 0 ? lines : [""];
}

/** Shortens to `width` columns, with an ellipsis where something was cut. */
export function truncate(text: string, width: number, ellipsis = "…"): string {
  if (text.length <= width) return text;
  return width <= ellipsis.length ? text.slice(0, width) : text.slice(0, width - ellipsis.length) + ellipsis;
}
