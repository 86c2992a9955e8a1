/** The damaged bytes, as they lie in memory. */
import type { Diagnosis, StackMap } from "@spillway/core";
import { hex16, thousands } from "../../text/hex.ts";
import { type DamageBytes, type DamageLine, damageBytes, hexByte, textByte } from "../damage-bytes.ts";
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
  const { corruption } = diagnosis;
  if (corruption === null) return NOTHING;
  const pattern = corruption.pattern === null ? "" : `: ${corruption.pattern.replace(/…$/, " …")}`;
  const intro = html`<p>${thousands(corruption.bytes)} bytes from <code>${hex16(BigInt(corruption.start))}</code> to <code>${hex16(BigInt(corruption.end))}</code>${pattern}.</p>`;
  const { canary } = corruption;
  const slot =
    canary === null
      ? NOTHING
      : html`<p>The canary slot at <code>${hex16(BigInt(canary.slot))}</code> holds <code>${hex16(BigInt(canary.found))}</code>${canary.expected === null ? NOTHING : html` instead of <code>${hex16(BigInt(canary.expected))}</code>`}.</p>`;
  return html`<section aria-labelledby="damage"><h2 id="damage">The damage</h2>${intro}${slot}${hexdump(damageBytes(diagnosis, map))}</section>`;
}
