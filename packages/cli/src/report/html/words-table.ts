/** The words of a region as a table: address, value, text, what it is; behind it why, and the code that wrote or read it. */
import type { StackMap, StackRegion, StackWord } from "@spillway/core";
import { hex16, thousands } from "../../text/hex.ts";
import { type Html, html, NOTHING } from "./html.ts";
import type { Anchors } from "./ids.ts";

/** Bytes in the order they lie in memory; text where they are printable. */
function asText(value: string): string {
  const digits = value.slice(2).padStart(16, "0");
  let text = "";
  for (let byte = 7; byte >= 0; byte--) {
    const code = Number.parseInt(digits.slice(byte * 2, byte * 2 + 2), 16);
    text += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ".";
  }
  return text;
}

/** A value of 16 digits; the digits of bytes that were overwritten are marked. */
function valueCell(word: StackWord): Html {
  if (word.value === null) return html`<span class="dim">????????????????</span>`;
  const digits = word.value.slice(2).padStart(16, "0");
  if (word.damage === null) return html`${digits}`;
  const [first, end] = word.damage;
  // The lowest byte is written last.
  const from = (8 - end) * 2;
  const to = (8 - first) * 2;
  return html`${digits.slice(0, from)}<mark>${digits.slice(from, to)}</mark>${digits.slice(to)}`;
}

/** The digits that all words of a stack share stand back; a narrow screen leaves them out. */
function addressCell(address: string): Html {
  const digits = hex16(BigInt(address));
  return html`<span class="p">${digits.slice(0, 11)}</span>${digits.slice(11)}`;
}

function behind(word: StackWord, map: StackMap): Html {
  const code = word.code.map((address) => html`<li><span class="dim">${address}</span> ${map.code[address]}</li>`);
  const expected =
    word.expected === null ? NOTHING : html`<p>It should hold <code>${hex16(BigInt(word.expected))}</code>.</p>`;
  return html`${word.why === null ? NOTHING : html`<p>${word.why}</p>`}${expected}${code.length > 0 && html`<ul class="code">${code}</ul>`}`;
}

function evidenceLinks(ids: readonly string[], anchors: Anchors): Html {
  const links = ids.flatMap((id) => {
    const number = anchors.number(id);
    return number === null ? [] : [html` <a href="#e${number}">${number}</a>`];
  });
  return links.length === 0 ? NOTHING : html` <span class="ev">evidence${links}</span>`;
}

/** What some evidence says of a word, in short. */
const TAGS: Readonly<Record<string, string>> = {
  "checked-word": "checked as the canary",
  buffer: "a local whose address was taken",
};

function evidenceTags(ids: readonly string[]): Html[] {
  return ids.flatMap((id) => (TAGS[id] === undefined ? [] : [html` <span class="tag src">${TAGS[id]}</span>`]));
}

/** The first of the words that ran over says so; the colour says it of the others. */
function sourceTag(word: StackWord, before: StackWord | undefined): Html {
  return word.source && before?.source !== true ? html` <span class="tag src">the data that ran over</span>` : NOTHING;
}

function row(word: StackWord, before: StackWord | undefined, map: StackMap, anchors: Anchors, plain: boolean): Html {
  const label = word.label === "" ? word.variables.join(", ") : word.label;
  const variables =
    word.variables.length > 0 && word.label !== ""
      ? html` <span class="var">${word.variables.join(", ")}</span>`
      : NOTHING;
  const source = sourceTag(word, before);
  const more = plain ? NOTHING : behind(word, map);
  const text =
    more.text === "" ? html`${label}` : html`<details class="why"><summary>${label}</summary>${more}</details>`;
  const marks = evidenceLinks(word.evidence, anchors);
  const id = word.evidence.length > 0 ? html` id="w-${word.address.slice(2)}"` : NOTHING;
  const classes = [
    "w",
    `w-${word.kind}`,
    word.state === "bad" && "bad",
    word.state === "good" && "good",
    word.damage !== null && "hit",
    word.source && "source",
  ];
  const many = word.count > 1 ? html` <span class="dim">× ${thousands(word.count)} words</span>` : NOTHING;
  return html`<tr${id} class="${classes.filter(Boolean).join(" ")}"><th scope="row">${addressCell(word.address)}</th><td class="v">${valueCell(word)}</td><td class="t">${word.value === null || word.kind === "zero" ? "" : asText(word.value)}</td><td class="l">${text}${many}${variables}${source}${evidenceTags(word.evidence)}${marks}</td></tr>`;
}

/** Words that nothing is said about, one after the other: so many are shown at either end of a run. */
const QUIET_SHOWN = 3;
const MIN_QUIET = 10;

function isQuiet(word: StackWord): boolean {
  const plain = word.kind === "content" || word.kind === "zero" || word.kind === "missing";
  return plain && !word.source && word.damage === null && word.evidence.length === 0 && word.variables.length === 0;
}

interface Run {
  readonly words: readonly StackWord[];
  readonly quiet: boolean;
}

/** The words as runs; the inner part of a long quiet one apart. */
export function quietRuns(words: readonly StackWord[]): Run[] {
  const runs: Run[] = [];
  let shown: StackWord[] = [];
  for (let start = 0; start < words.length; ) {
    let end = start;
    while (end < words.length && isQuiet(words[end]!)) end++;
    if (end - start >= MIN_QUIET) {
      const [from, to] = [start + QUIET_SHOWN, end - QUIET_SHOWN];
      runs.push({ words: [...shown, ...words.slice(start, from)], quiet: false });
      runs.push({ words: words.slice(from, to), quiet: true });
      shown = words.slice(to, end);
    } else {
      shown.push(...words.slice(start, Math.max(end, start + 1)));
    }
    start = Math.max(end, start + 1);
  }
  if (shown.length > 0) runs.push({ words: shown, quiet: false });
  return runs;
}

function table(words: readonly StackWord[], caption: string, map: StackMap, anchors: Anchors, plain: boolean): Html {
  const rows = words.map(
    (word, index) => html`${row(word, words[index - 1], map, anchors, plain)}
`,
  );
  return html`<table class="words"><caption class="sr">${caption}</caption><thead class="sr"><tr><th scope="col">address</th><th scope="col">value</th><th scope="col">as text</th><th scope="col">what it is</th></tr></thead><tbody>
${rows}</tbody></table>`;
}

/** @param plain without the words behind each row: for the many turns of a recursion */
export function wordsTable(region: StackRegion, map: StackMap, anchors: Anchors, plain: boolean): Html {
  if (region.words.length === 0) return NOTHING;
  const caption = `Words of ${region.label}`;
  const parts = quietRuns(region.words).map((run) => {
    const rows = table(run.words, caption, map, anchors, plain);
    if (!run.quiet) return rows;
    const count = run.words.reduce((sum, word) => sum + word.count, 0);
    return html`<details class="quiet"><summary>… ${thousands(count)} more words, ${thousands(count * 8)} bytes</summary>${rows}</details>`;
  });
  return html`<div class="scroll">${parts}</div>`;
}
