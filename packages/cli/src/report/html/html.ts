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

/** What no HTML document may hold: noncharacters, and halves of surrogate pairs. */
const NOT_TEXT = /[\p{Noncharacter_Code_Point}\p{Cs}]/gu;

/** Text as it may stand in an element or in a quoted attribute; control characters become dots. */
export function escapeHtml(text: string): string {
  const safe = printable(text, { keepLines: true }).replaceAll(NOT_TEXT, "\ufffd");
  return safe.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
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

/** As JSON writes a character that must not stand for itself. */
function escaped(character: string): string {
  let text = "";
  for (let at = 0; at < character.length; at++) text += `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  return text;
}

/** A value as JSON inside a script element: no text in it can end the element. */
export function jsonText(value: unknown): Html {
  const json = JSON.stringify(value);
  return new Html(json.replaceAll(/[<>&\u007f-\u009f\u2028\u2029]|\p{Noncharacter_Code_Point}/gu, escaped));
}
