import type { Terminal } from "../../terminal.ts";
import { wrap } from "../../text/wrap.ts";

/** What a result has to say of itself, each note a paragraph below it. */
export function formatNotes(notes: readonly string[], { width }: Pick<Terminal, "width">): string {
  const paragraph = (note: string): string =>
    wrap(note, width - 2)
      .map((line) => `  ${line}\n`)
      .join("");
  return notes.map((note) => `\n${paragraph(note)}`).join("");
}
