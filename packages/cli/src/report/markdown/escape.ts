/** Text from a dump as it may stand in Markdown (CommonMark, and GitHub's and GitLab's tables). */
import { printable } from "../../text/printable.ts";

/**
 * Running text. Underscores within a word are left alone: they mean nothing there, and names of functions stay readable and
 * searchable.
 */
export function escapeText(text: string): string {
  const line = printable(text).replaceAll(/[\\`*<>|~&]/g, "\\$&");
  const words = line.replaceAll(/(?<![A-Za-z0-9])_+|_+(?![A-Za-z0-9])/g, (run) => "\\_".repeat(run.length));
  // Brackets matter only where a link could come of them.
  const links = /\][(:[]|!\[/.test(words) ? words.replaceAll(/[[\]]/g, "\\$&") : words;
  return links.replace(
    /^(\s*)([#+-]|\d+[.)])/,
    (_all, blanks: string, mark: string) =>
      `${blanks}${mark.length === 1 ? `\\${mark}` : `${mark.slice(0, -1)}\\${mark.slice(-1)}`}`,
  );
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
}

/** A code span: as it is, in as many backticks as it needs. For a cell of a table too. */
export function codeSpan(text: string): string {
  const line = printable(text).replaceAll("|", "\\|");
  if (line === "") return "";
  const fence = "`".repeat(longestRun(line) + 1);
  const pad = /^[` ]|[` ]$/.test(line) ? " " : "";
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A fenced block of several lines. */
export function fenced(text: string): string {
  const body = printable(text, { keepLines: true }).replace(/\n+$/, "");
  const fence = "`".repeat(Math.max(3, longestRun(body) + 1));
  return `${fence}text\n${body}\n${fence}\n`;
}
