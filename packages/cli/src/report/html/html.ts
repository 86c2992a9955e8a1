/** HTML as values: whatever is put into a template is escaped, unless it is HTML already. Dumps are hostile. */
import { printable } from "../../text/printable.ts";

export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Html | string | number | bigint | null | undefined | false | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it may stand in an element or in a quoted attribute; control characters become dots. */
export function escapeHtml(text: string): string {
  return printable(text, { keepLines: true }).replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}

function textOf(part: Part): string {
  if (part === null || part === undefined || part === false) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  return escapeHtml(String(part));
}

/** A template: html`<b>${anything}</b>`. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0]!;
  for (const [index, part] of parts.entries()) text += textOf(part) + strings[index + 1]!;
  return new Html(text);
}

export const NOTHING = new Html("");

/** A value as JSON inside a script element: no text in it can end the element. */
export function jsonText(value: unknown): Html {
  return new Html(
    JSON.stringify(value).replaceAll(
      /[<>&\u2028\u2029]/g,
      (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  );
}
