/** The whole of a stack in proportion, as a drawing: what is in use, what was, what is damaged, what lies below. */
import type { Diagnosis, MappedStack, StackRegion } from "@spillway/core";
import { thousands } from "../../text/hex.ts";
import { truncate } from "../../text/wrap.ts";
import { type Html, html, NOTHING } from "./html.ts";
import { Anchors } from "./ids.ts";
import { culpritFrame, recursionFrames } from "./ladder-items.ts";

/** Pixels. The guard page is not drawn to scale: it is only there to be seen. */
const BAR_LEFT = 8;
const BAR_WIDTH = 64;
const GUARD_HEIGHT = 26;
const STACK_HEIGHT = 400;
const LABEL_LEFT = 92;
const LABEL_STEP = 30;
const WIDTH = 234;
/** Anything that matters is at least this high. */
const MIN_HEIGHT = 4;
/** More intact canaries than these are a row of teeth that says nothing. */
const MAX_CANARIES = 40;

interface Label {
  /** Where in the bar it belongs. */
  readonly at: number;
  readonly text: string;
  readonly more: string;
  readonly kind: string;
  readonly href: string;
}

class Scale {
  readonly #low: bigint;
  readonly #perByte: number;

  constructor(stack: MappedStack) {
    this.#low = BigInt(stack.low);
    this.#perByte = STACK_HEIGHT / Number(BigInt(stack.high) - this.#low);
  }

  y(address: string): number {
    const offset = Number(BigInt(address) - this.#low);
    // Below the low end: within the guard page's drawing, however far it is.
    return offset >= 0 ? GUARD_HEIGHT + offset * this.#perByte : Math.max(4, GUARD_HEIGHT * (1 + offset / 4096));
  }
}

const CLASSES: Readonly<Record<StackRegion["kind"], string>> = {
  guard: "s-guard",
  "end-marker": "s-marker",
  untouched: "s-free",
  "left-over": "s-old",
  frame: "s-frame",
  registers: "s-registers",
  unclaimed: "s-unclaimed",
};

/** Frames that the verdict blames: the culprit's, or all turns of the recursion. */
function blamedFrames(diagnosis: Diagnosis): ReadonlySet<number> {
  const { verdict, recursion } = diagnosis;
  if (verdict.kind === "not-stack-related") return new Set();
  if (recursion !== null) return new Set(recursionFrames(diagnosis));
  const culprit = culpritFrame(diagnosis);
  return new Set(culprit === null ? [] : [culprit]);
}

function isBlamed(blamed: ReadonlySet<number>, region: StackRegion): boolean {
  return region.frame !== null && blamed.has(region.frame);
}

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

function share(bytes: number, stack: MappedStack): string {
  return `${Math.round((bytes / Number(BigInt(stack.high) - BigInt(stack.low))) * 100)} %`;
}

function guardWord(stack: MappedStack): string {
  return stack.guard === "unmapped" ? "not touched" : stack.guard;
}

function labelsOf(
  diagnosis: Diagnosis,
  stack: MappedStack,
  stackIndex: number,
  damaged: readonly [string, string] | null,
  scale: Scale,
): Label[] {
  const labels: Label[] = [];
  const href = (region: StackRegion): string => `#${Anchors.region(stackIndex, stack.regions.indexOf(region))}`;
  const middle = (start: string, end: string): number => (scale.y(start) + scale.y(end)) / 2;
  for (const region of stack.regions) {
    const at = middle(region.start, region.end);
    const more = `${thousands(region.bytes)} bytes`;
    if (region.kind === "guard") {
      const below = Number(BigInt(stack.low) - BigInt(region.end));
      const hit = below > 0 || region.evidence.length > 0;
      const past = below > 0 ? `hit: RSP ${thousands(below)} bytes in` : hit ? "hit" : guardWord(stack);
      labels.push({ at, text: region.label, more: past, kind: hit ? "bad" : "", href: href(region) });
    } else if (region.kind === "end-marker" && region.words[0]?.state === "bad")
      labels.push({ at, text: "STACK_END_MAGIC", more: "overwritten", kind: "bad", href: href(region) });
    else if (region.kind === "untouched") labels.push({ at, text: "never used", more, kind: "", href: href(region) });
    else if (region.kind === "left-over" && region === stack.regions.findLast((one) => one.kind === "left-over")) {
      const deepest = stack.deepestUse === null ? more : `deepest use ${share(stack.deepestUse, stack)}`;
      labels.push({ at, text: "left by earlier calls", more: deepest, kind: "", href: href(region) });
    }
  }
  const frames = stack.regions.filter((region) => region.kind === "frame");
  const [first] = frames;
  const last = frames[frames.length - 1];
  if (first !== undefined && last !== undefined) {
    const used = `${thousands(stack.usedBytes)} bytes, ${share(stack.usedBytes, stack)}`;
    const turns = diagnosis.recursion;
    const names = blamedFrames(diagnosis);
    const blame = frames.filter((region) => isBlamed(names, region));
    const largest = blame[0];
    if (turns !== null && blame.length > 1) {
      const each = turns.bytesPerTurn === null ? "" : ` of ${thousands(turns.bytesPerTurn)} bytes`;
      const at = middle(blame[0]!.start, blame[blame.length - 1]!.end);
      labels.push({
        at,
        text: "recursion",
        more: `${thousands(turns.turns)} turns${each}`,
        kind: "bad",
        href: href(blame[0]!),
      });
    } else if (largest !== undefined && diagnosis.verdict.cause === "large-frame") {
      const at = middle(largest.start, largest.end);
      const name = diagnosis.verdict.culprit?.function ?? largest.label;
      labels.push({
        at,
        text: name,
        more: `one frame, ${thousands(largest.bytes)} bytes`,
        kind: "bad",
        href: href(largest),
      });
    }
    const text = frames.length === 1 ? "in use: 1 frame" : `in use: ${frames.length} frames`;
    labels.push({ at: middle(first.start, last.end), text, more: used, kind: "", href: href(first) });
  }
  const hit = stack.regions.find((region) => region.damaged);
  if (damaged !== null && hit !== undefined) {
    const bytes = Number(BigInt(damaged[1]) - BigInt(damaged[0]));
    labels.push({
      at: scale.y(damaged[0]),
      text: "damage",
      more: `${thousands(bytes)} bytes`,
      kind: "bad",
      href: href(hit),
    });
  }
  return labels.sort((a, b) => a.at - b.at);
}

/** Moves labels apart so that none covers another, each as near to its place as that allows. */
export function spread(places: readonly number[], step: number, from: number, to: number): number[] {
  const result: number[] = [];
  for (const place of places) {
    const above = result[result.length - 1];
    result.push(Math.max(place, above === undefined ? from : above + step));
  }
  let limit = to;
  for (let index = result.length - 1; index >= 0; index--) {
    result[index] = Math.max(from, Math.min(result[index]!, limit));
    limit = result[index]! - step;
  }
  return result;
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
