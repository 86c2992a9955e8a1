/** The stacks that the call chain ran over: the verdict's drawn, the others a click away, in the order of the chain. */
import type { Diagnosis, MappedStack, StackMap } from "@spillway/core";
import { thousands } from "../../text/hex.ts";
import { type Html, html, NOTHING } from "./html.ts";
import type { Anchors } from "./ids.ts";
import { ladder } from "./ladder.ts";
import { strip } from "./strip.ts";

function nameOf(stack: MappedStack): string {
  const name = stack.name === "" ? "" : `${stack.name} `;
  const cpu = stack.cpu === null ? "" : ` of CPU ${stack.cpu}`;
  return `${name}${stack.kind} stack${cpu}`;
}

function sizeOf(stack: MappedStack): number {
  return Number(BigInt(stack.high) - BigInt(stack.low));
}

function figures(stack: MappedStack): string {
  const size = sizeOf(stack);
  if (!stack.regions.some((region) => region.kind === "frame")) return "no known frame on it";
  if (stack.usedBytes > size)
    return `all of its ${thousands(size)} bytes used, and ${thousands(stack.usedBytes - size)} more`;
  if (stack.usedBytes === size) return `all of its ${thousands(size)} bytes used`;
  return `${thousands(stack.usedBytes)} of ${thousands(size)} bytes used`;
}

function damageOn(diagnosis: Diagnosis, stack: MappedStack): readonly [string, string] | null {
  const { corruption } = diagnosis;
  if (corruption === null) return null;
  const on = BigInt(corruption.end) > BigInt(stack.low) && BigInt(corruption.start) < BigInt(stack.high);
  return on ? [corruption.start, corruption.end] : null;
}

function functionsOf(diagnosis: Diagnosis, stack: MappedStack): string {
  const names = stack.regions.flatMap((region) =>
    region.frame === null ? [] : [diagnosis.frames[region.frame]?.function ?? "?"],
  );
  return names.length <= 4 ? names.join(" ← ") : `${names[0]} ← … ← ${names.slice(-2).join(" ← ")}`;
}

/** What the marks mean; only those that the picture has. */
function legend(map: StackMap): Html {
  const regions = map.stacks.flatMap((stack) => stack.regions);
  const words = regions.flatMap((region) => region.words);
  const canary = html`<svg width="14" height="12" aria-hidden="true"><path class="s-canary" d="M2 6l8 -5v10z"/></svg> canary`;
  const entries: [boolean, Html][] = [
    [true, html`<span class="mark">●</span> proven frame`],
    [true, html`<span class="mark inferred">○</span> inferred frame`],
    [words.some((word) => word.kind === "canary"), canary],
    [regions.some((region) => region.damaged), html`<span class="swatch sw-damage"></span> damage`],
    [words.some((word) => word.source), html`<span class="swatch sw-source"></span> the data that ran over`],
    [
      regions.some((region) => region.kind === "left-over"),
      html`<span class="swatch sw-old"></span> left by earlier calls; its return addresses are lines`,
    ],
    [
      regions.some((region) => region.kind === "registers"),
      html`<span class="swatch sw-registers"></span> saved registers`,
    ],
  ];
  return html`<ul class="legend">${entries.map(([there, entry]) => there && html`<li>${entry}</li>`)}</ul>`;
}

function stackView(diagnosis: Diagnosis, map: StackMap, index: number, anchors: Anchors): Html {
  const stack = map.stacks[index]!;
  const name = nameOf(stack);
  const drawn = strip(diagnosis, stack, index, damageOn(diagnosis, stack), name);
  return html`<div class="stack"><div class="overview">${drawn}</div>${ladder(diagnosis, map, index, anchors)}</div>`;
}

/** The picture of the report; nothing where there is neither a dump nor a place of its frames. */
export function stackSection(diagnosis: Diagnosis, map: StackMap | null, anchors: Anchors): Html {
  if (map === null || map.stacks.length === 0) return NOTHING;
  const main = Math.max(
    0,
    map.stacks.findIndex((stack) => stack.verdict),
  );
  const parts = map.stacks.map((stack, index) => {
    if (index === main) {
      return html`<h3>${nameOf(stack)}<span class="dim">, ${figures(stack)}</span></h3>
${stackView(diagnosis, map, index, anchors)}`;
    }
    return html`<details class="other" id="s${index}"><summary><span class="o-name">${nameOf(stack)}</span> <span class="dim">${figures(stack)} · ${functionsOf(diagnosis, stack)}</span></summary>
${stackView(diagnosis, map, index, anchors)}</details>`;
  });
  const order =
    map.stacks.length > 1
      ? html`<p class="note">The chain runs over ${map.stacks.length} stacks, the innermost first.</p>`
      : NOTHING;
  return html`<section aria-labelledby="stack"><div class="head"><h2 id="stack">The stack</h2><div class="tools"></div></div>
${order}${parts}
${legend(map)}<p class="note">Low addresses are at the top; the stack grows upwards. A line opens to the words behind it, a word to how it is known.</p></section>`;
}
