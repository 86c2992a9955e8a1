/** Which regions of a stack the map shows by themselves, which together behind one line, and which opened. */
import type { Diagnosis, MappedStack, StackRegion, StackWord } from "@spillway/core";
import { culpritFrame, recursionFrames } from "./blame.ts";

export interface RegionItem {
  readonly kind: "region";
  readonly region: StackRegion;
  readonly index: number;
  readonly open: boolean;
}

export interface GroupItem {
  readonly kind: "group";
  readonly label: string;
  readonly bytes: number;
  readonly items: readonly RegionItem[];
}

export type LadderItem = RegionItem | GroupItem;

/** Frames shown at either end of a long run that is no recursion. */
const SHOWN_INNER = 20;
const SHOWN_OUTER = 12;
/** A group smaller than this saves no room. */
const MIN_GROUP = 4;
/** Rows of words that are open from the start; more would hide the picture. */
const MAX_OPEN_WORDS = 110;

/** Does a word in it say what went wrong? */
function tells(region: StackRegion): boolean {
  // An overflow leaves nothing of the end marker: that is its result, not its story.
  const bad = (word: StackWord): boolean => word.state === "bad" && word.kind !== "end-marker";
  return region.damaged || region.words.some((word) => bad(word) || word.source || tellsByEvidence(word.evidence));
}

/** Evidence about a word's own content; that about a frame's size or place says nothing of its words. */
function tellsByEvidence(ids: readonly string[]): boolean {
  return ids.some((id) =>
    /^(canary|live-canary|checked-word|frame-geometry|return-address|near-return|broken-link)/.test(id),
  );
}

/** The regions to open, those first that the verdict is about. */
function openRegions(stack: MappedStack, culprit: number | null): Set<StackRegion> {
  const open = new Set<StackRegion>();
  const wanted = stack.regions.filter((region) =>
    region.kind === "end-marker" ? region.words[0]?.state === "bad" : region.kind !== "left-over" && tells(region),
  );
  wanted.sort(
    (a, b) => Number(b.frame === culprit) - Number(a.frame === culprit) || Number(b.damaged) - Number(a.damaged),
  );
  let rows = 0;
  for (const region of wanted) {
    rows += region.words.length;
    if (rows > MAX_OPEN_WORDS && open.size > 0) break;
    open.add(region);
  }
  return open;
}

export function ladderItems(diagnosis: Diagnosis, stack: MappedStack): LadderItem[] {
  const culprit = culpritFrame(diagnosis);
  const open = openRegions(stack, culprit);
  const items = stack.regions.map(
    (region, index): RegionItem => ({ kind: "region", region, index, open: open.has(region) }),
  );
  const keep = (item: RegionItem): boolean => item.open || item.region.frame === culprit || item.region.damaged;
  const turns = recursionRun(diagnosis, items);
  if (turns !== null) {
    const [from, to] = turns;
    const each = diagnosis.recursion!.functions.length;
    const frames = items.slice(from, to).filter((item) => item.region.frame !== null).length;
    const label = `${Math.round(frames / each)} more turns of ${diagnosis.recursion!.functions.join(" → ")}`;
    return [...elide(items.slice(0, from), keep), group(label, items.slice(from, to)), ...elide(items.slice(to), keep)];
  }
  return elide(items, keep);
}

/** The regions of recursion's turns behind the first, as [from, to) in `items`. */
function recursionRun(diagnosis: Diagnosis, items: readonly RegionItem[]): [number, number] | null {
  const { recursion } = diagnosis;
  if (recursion === null || recursion.turns < 3) return null;
  const rest = new Set(recursionFrames(diagnosis).slice(recursion.functions.length));
  const inside = (item: RegionItem): boolean => item.region.frame !== null && rest.has(item.region.frame);
  const from = items.findIndex(inside);
  const to = items.findLastIndex(inside) + 1;
  return from < 0 || to - from < MIN_GROUP ? null : [from, to];
}

/** The middle of a long run as groups. */
function elide(items: readonly RegionItem[], keep: (item: RegionItem) => boolean): LadderItem[] {
  const frames = items.filter((item) => item.region.kind === "frame").length;
  if (frames <= SHOWN_INNER + SHOWN_OUTER + MIN_GROUP) return [...items];
  const first = items.findIndex((item) => item.region.kind === "frame");
  const shown = (item: RegionItem, index: number): boolean =>
    index < first + SHOWN_INNER || index >= items.length - SHOWN_OUTER || keep(item);
  const result: LadderItem[] = [];
  let hidden: RegionItem[] = [];
  const flush = (): void => {
    if (hidden.length < MIN_GROUP) result.push(...hidden);
    else {
      const count = hidden.filter((item) => item.region.kind === "frame").length;
      result.push(group(`${count} more frames`, hidden));
    }
    hidden = [];
  };
  for (const [index, item] of items.entries()) {
    if (shown(item, index)) {
      flush();
      result.push(item);
    } else {
      hidden.push(item);
    }
  }
  flush();
  return result;
}

function group(label: string, items: readonly RegionItem[]): GroupItem {
  return { kind: "group", label, items, bytes: items.reduce((sum, item) => sum + item.region.bytes, 0) };
}
