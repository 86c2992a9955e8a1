/** The words beside the drawing of a stack: what each part of it is. */
import type { Diagnosis, MappedStack, StackRegion } from "@spillway/core";
import { thousands } from "../../text/hex.ts";
import { blamedFrames, isBlamed } from "./blame.ts";
import { Anchors } from "./ids.ts";
import type { Scale } from "./strip-scale.ts";

export interface Label {
  /** Where in the bar it belongs. */
  readonly at: number;
  readonly text: string;
  readonly more: string;
  readonly kind: string;
  readonly href: string;
}

/** A stack with what places its labels. */
interface Drawn {
  readonly diagnosis: Diagnosis;
  readonly stack: MappedStack;
  readonly scale: Scale;
  /** Link to a region in the list beside the drawing. */
  readonly href: (region: StackRegion) => string;
}

function share(bytes: number, stack: MappedStack): string {
  return `${Math.round((bytes / Number(BigInt(stack.high) - BigInt(stack.low))) * 100)} %`;
}

/** A label in the middle of `[first, last]`, leading to `first`. */
function labelOf(drawn: Drawn, first: StackRegion, last: StackRegion, text: string, more: string, bad = false): Label {
  const at = (drawn.scale.y(first.start) + drawn.scale.y(last.end)) / 2;
  return { at, text, more, kind: bad ? "bad" : "", href: drawn.href(first) };
}

function guardLabel(drawn: Drawn, region: StackRegion): Label {
  const { low, guard } = drawn.stack;
  const below = Number(BigInt(low) - BigInt(region.end));
  if (below > 0) return labelOf(drawn, region, region, region.label, `hit: RSP ${thousands(below)} bytes in`, true);
  if (region.evidence.length > 0) return labelOf(drawn, region, region, region.label, "hit", true);
  return labelOf(drawn, region, region, region.label, guard === "unmapped" ? "not touched" : guard);
}

function unusedLabel(drawn: Drawn, region: StackRegion): Label | null {
  const { stack } = drawn;
  const bytes = `${thousands(region.bytes)} bytes`;
  switch (region.kind) {
    case "guard":
      return guardLabel(drawn, region);
    case "end-marker":
      if (region.words[0]?.state !== "bad") return null;
      return labelOf(drawn, region, region, "STACK_END_MAGIC", "overwritten", true);
    case "untouched":
      return labelOf(drawn, region, region, "never used", bytes);
    case "left-over": {
      // What was written over the end marker is one too; the calls' own lies next to the frames.
      if (region !== stack.regions.findLast((one) => one.kind === "left-over")) return null;
      const deepest = stack.deepestUse === null ? bytes : `deepest use ${share(stack.deepestUse, stack)}`;
      return labelOf(drawn, region, region, "left by earlier calls", deepest);
    }
    default:
      return null;
  }
}

/** What used the stack up, where one thing did. */
function blameLabel(drawn: Drawn, frames: readonly StackRegion[]): Label | null {
  const { verdict, recursion } = drawn.diagnosis;
  const names = blamedFrames(drawn.diagnosis);
  const blamed = frames.filter((region) => isBlamed(names, region));
  const [first] = blamed;
  const last = blamed[blamed.length - 1];
  if (first === undefined || last === undefined) return null;
  if (recursion !== null && blamed.length > 1) {
    const each = recursion.bytesPerTurn === null ? "" : ` of ${thousands(recursion.bytesPerTurn)} bytes`;
    return labelOf(drawn, first, last, "recursion", `${thousands(recursion.turns)} turns${each}`, true);
  }
  if (verdict.cause !== "large-frame") return null;
  const name = verdict.culprit?.function ?? first.label;
  return labelOf(drawn, first, first, name, `one frame, ${thousands(first.bytes)} bytes`, true);
}

function usedLabel(drawn: Drawn, frames: readonly StackRegion[]): Label | null {
  const [first] = frames;
  const last = frames[frames.length - 1];
  if (first === undefined || last === undefined) return null;
  const { stack } = drawn;
  const text = frames.length === 1 ? "in use: 1 frame" : `in use: ${frames.length} frames`;
  return labelOf(drawn, first, last, text, `${thousands(stack.usedBytes)} bytes, ${share(stack.usedBytes, stack)}`);
}

function damageLabel(drawn: Drawn, damaged: readonly [string, string] | null): Label | null {
  const hit = drawn.stack.regions.find((region) => region.damaged);
  if (damaged === null || hit === undefined) return null;
  const bytes = Number(BigInt(damaged[1]) - BigInt(damaged[0]));
  const href = drawn.href(hit);
  return { at: drawn.scale.y(damaged[0]), text: "damage", more: `${thousands(bytes)} bytes`, kind: "bad", href };
}

/**
 * The labels of a stack, from low to high.
 * @param damaged start and end of the damage on this stack
 */
export function labelsOf(
  diagnosis: Diagnosis,
  stack: MappedStack,
  stackIndex: number,
  damaged: readonly [string, string] | null,
  scale: Scale,
): Label[] {
  const href = (region: StackRegion): string => `#${Anchors.region(stackIndex, stack.regions.indexOf(region))}`;
  const drawn: Drawn = { diagnosis, stack, scale, href };
  const frames = stack.regions.filter((region) => region.kind === "frame");
  return [
    ...stack.regions.map((region) => unusedLabel(drawn, region)),
    blameLabel(drawn, frames),
    usedLabel(drawn, frames),
    damageLabel(drawn, damaged),
  ]
    .filter((label) => label !== null)
    .sort((a, b) => a.at - b.at);
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
