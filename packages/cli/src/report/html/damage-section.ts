/** The damaged bytes, as they lie in memory. */
import type { Diagnosis, StackMap } from "@spillway/core";
import { hex16, thousands } from "../../text/hex.ts";
import { type DamageBytes, type DamageLine, damageBytes, hexByte, textByte } from "../damage-bytes.ts";
import { damageWords } from "../damage-words.ts";
import { type Html, html, NOTHING } from "./html.ts";

function lineView(line: DamageLine, damage: DamageBytes): Html {
  const cell = (shown: string, index: number): Html => {
    const at = line.address + BigInt(index);
    const hit = line.bytes[index] !== null && at >= damage.from && at < damage.to;
    return hit ? html`<mark>${shown}</mark>` : html`${shown}`;
  };
  const bytes = line.bytes.map((byte, index) => html`${index === 8 ? "  " : " "}${cell(hexByte(byte), index)}`);
  const text = line.bytes.map((byte, index) => cell(textByte(byte), index));
  return html`<span class="dim">${hex16(line.address)}</span> ${bytes}  ${text}
`;
}

function hexdump(damage: DamageBytes | null): Html {
  if (damage === null) return NOTHING;
  const lines = damage.lines.map((line) =>
    "leftOut" in line
      ? html`<span class="dim">… ${thousands(line.leftOut)} bytes more …</span>
`
      : lineView(line, damage),
  );
  return html`<div class="scroll"><pre class="hexdump" tabindex="0" aria-label="hexdump of the damage">${lines}</pre></div>`;
}

export function damageSection(diagnosis: Diagnosis, map: StackMap | null): Html {
  const sentences = damageWords(diagnosis).map(
    (sentence) =>
      html`<p>${sentence.map((part) => (typeof part === "string" ? part : html`<code>${part.code}</code>`))}</p>
`,
  );
  if (sentences.length === 0) return NOTHING;
  const bytes = hexdump(damageBytes(diagnosis, map));
  return html`<section aria-labelledby="damage"><h2 id="damage">The damage</h2>${sentences}${bytes}</section>`;
}
