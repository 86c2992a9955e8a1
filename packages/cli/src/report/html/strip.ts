/** The whole of a stack in proportion, as a drawing: what is in use, what was, what is damaged, what lies below. */
import type { Diagnosis, MappedStack, StackRegion } from "@spillway/core";
import { thousands } from "../../text/hex.ts";
import { truncate } from "../../text/wrap.ts";
import { blamedFrames, isBlamed } from "./blame.ts";
import { type Html, html, NOTHING } from "./html.ts";
import { type Label, labelsOf, spread } from "./strip-labels.ts";
import { GUARD_HEIGHT, Scale, STACK_HEIGHT } from "./strip-scale.ts";

/** Pixels. */
const BAR_LEFT = 8;
const BAR_WIDTH = 64;
const LABEL_LEFT = 92;
const LABEL_STEP = 30;
const WIDTH = 234;
/** Anything that matters is at least this high. */
const MIN_HEIGHT = 4;
/** More intact canaries than these are a row of teeth that says nothing. */
const MAX_CANARIES = 40;

const CLASSES: Readonly<Record<StackRegion["kind"], string>> = {
  guard: "s-guard",
  "end-marker": "s-marker",
  untouched: "s-free",
  "left-over": "s-old",
  frame: "s-frame",
  registers: "s-registers",
  unclaimed: "s-unclaimed",
};

function block(blamed: ReadonlySet<number>, region: StackRegion, index: number, scale: Scale): Html {
  const top = scale.y(region.start);
  const height = Math.max(region.bytes === 0 ? 0 : 0.75, scale.y(region.end) - top);
  if (height === 0) return NOTHING;
  // Stripes thinner than this only flicker.
  const striped = region.kind === "frame" && index % 2 === 1 && height > 2.5;
  const odd = `${isBlamed(blamed, region) ? " blamed" : ""}${striped ? " odd" : ""}`;
  return html`<rect class="${CLASSES[region.kind]}${odd}" x="${BAR_LEFT}" y="${top.toFixed(2)}" width="${BAR_WIDTH}" height="${height.toFixed(2)}"><title>${region.label}: ${thousands(region.bytes)} bytes</title></rect>`;
}

/** Thin lines for single words: canaries, and return addresses that earlier calls left. */
function ticks(stack: MappedStack, scale: Scale): Html[] {
  const lines: Html[] = [];
  const canaries = stack.regions.flatMap((region) => region.words.filter((word) => word.kind === "canary"));
  const crowded = canaries.length > MAX_CANARIES;
  for (const region of stack.regions) {
    for (const word of region.words) {
      const y = scale.y(word.address).toFixed(2);
      if (word.kind === "canary") {
        if (crowded && word.state !== "bad") continue;
        const state = word.state === "bad" ? " bad" : "";
        lines.push(html`<path class="s-canary${state}" d="M${BAR_LEFT + BAR_WIDTH} ${y}l6 -3v6z"/>`);
      } else if (word.kind === "stale-return" && region.kind === "left-over") {
        lines.push(html`<rect class="s-stale" x="${BAR_LEFT}" y="${y}" width="14" height="1"/>`);
      }
    }
  }
  return lines;
}

function damage(start: string, end: string, scale: Scale): Html {
  const top = scale.y(start);
  const height = Math.max(MIN_HEIGHT, scale.y(end) - top);
  return html`<rect class="s-damage" x="${BAR_LEFT - 5}" y="${top.toFixed(2)}" width="${BAR_WIDTH + 10}" height="${height.toFixed(2)}"/>`;
}

/** About what fits beside the bar. Characters. */
const MAX_LABEL = 22;

function labelView(label: Label, y: number): Html {
  const edge = BAR_LEFT + BAR_WIDTH + 8;
  return html`<path class="s-leader" d="M${edge} ${label.at.toFixed(1)}L${LABEL_LEFT - 4} ${y.toFixed(1)}"/><a href="${label.href}"><text class="s-label ${label.kind}" x="${LABEL_LEFT}" y="${(y - 2).toFixed(1)}">${truncate(label.text, MAX_LABEL)}</text><text class="s-more" x="${LABEL_LEFT}" y="${(y + 11).toFixed(1)}">${label.more}</text></a>`;
}

/** @param damaged start and end of the damage on this stack */
export function strip(
  diagnosis: Diagnosis,
  stack: MappedStack,
  stackIndex: number,
  damaged: readonly [string, string] | null,
  title: string,
): Html {
  const scale = new Scale(stack);
  const height = GUARD_HEIGHT + STACK_HEIGHT + 8;
  const labels = labelsOf(diagnosis, stack, stackIndex, damaged, scale);
  const places = spread(
    labels.map((label) => label.at),
    LABEL_STEP,
    14,
    height - 14,
  );
  let frame = 0;
  const blamed = blamedFrames(diagnosis);
  const blocks = stack.regions.map((region) => block(blamed, region, region.kind === "frame" ? frame++ : 0, scale));
  const low = GUARD_HEIGHT.toFixed(1);
  const [lowest] = stack.regions.filter((region) => region.kind === "frame");
  const overflow = lowest !== undefined && BigInt(lowest.start) < BigInt(stack.low);
  const top = overflow ? scale.y(lowest.start) : 0;
  const arrow = html`<rect class="s-over" x="${BAR_LEFT}" y="${top.toFixed(1)}" width="${BAR_WIDTH}" height="${(GUARD_HEIGHT - top).toFixed(1)}"/>`;
  return html`<svg class="strip" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="group" aria-label="${title}, in proportion">
<defs><pattern id="hatch${stackIndex}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch" width="2.5" height="6"/></pattern></defs>
${blocks}<rect x="${BAR_LEFT}" y="0" width="${BAR_WIDTH}" height="${low}" fill="url(#hatch${stackIndex})"/>${overflow && arrow}
${ticks(stack, scale)}${damaged !== null && damage(damaged[0], damaged[1], scale)}
<rect class="s-outline" x="${BAR_LEFT}" y="${low}" width="${BAR_WIDTH}" height="${STACK_HEIGHT}"/>
${labels.map((label, index) => labelView(label, places[index]!))}
</svg>`;
}
