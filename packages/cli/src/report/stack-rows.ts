import { type Diagnosis, type DiagnosisFrame, withoutInlined } from "@spillway/core";

/** A line of the drawing, before it is laid out. Rows run from the lowest address, which is the innermost frame, upwards. */
export type StackRow =
  | {
      readonly kind: "frame";
      /** Its stack pointer; null where a text does not say it. */
      readonly address: bigint | null;
      readonly frame: DiagnosisFrame;
      readonly bytes: number | null;
      readonly damaged: boolean;
      readonly culprit: boolean;
      readonly cycle: "first" | "inner" | null;
    }
  /** A function that was inlined into that of the next frame. */
  | { readonly kind: "inlined"; readonly frame: DiagnosisFrame }
  | { readonly kind: "turns"; readonly turns: number; readonly bytesPerTurn: number | null }
  | { readonly kind: "elided"; readonly frames: number; readonly bytes: number | null }
  | ({ readonly kind: "mark" } & Mark)
  | { readonly kind: "region"; readonly region: Region };

/** A place inside a frame. */
export interface Mark {
  readonly address: bigint;
  readonly what: "damage-start" | "damage-end" | "canary";
}

/** Where a frame lies: on the stack the verdict is about, just past its low end (in its guard page), or elsewhere. */
export type Region = "this" | "below" | "other";

/** How far past the low end a frame still belongs to the stack: a guard page. Bytes. */
const GUARD = 4096n;

/** Frames at either end of a long run that are shown; the ones between are counted. */
const SHOWN_INNER = 20;
const SHOWN_OUTER = 10;

/** Two stack pointers further apart than any stack is large are not on one. Bytes. */
const MAX_FRAME = 0x1_0000n;

interface Extent {
  readonly low: bigint;
  readonly high: bigint;
}

function stackOf(diagnosis: Diagnosis): Extent | null {
  const stack = diagnosis.stack;
  return stack === null ? null : { low: BigInt(stack.low), high: BigInt(stack.high) };
}

function regionOf(stack: Extent | null, address: bigint | null): Region {
  if (stack === null || address === null || (address >= stack.low && address < stack.high)) return "this";
  return address < stack.low && address >= stack.low - GUARD ? "below" : "other";
}

function spOf(frame: DiagnosisFrame): bigint | null {
  return frame.sp === null ? null : BigInt(frame.sp);
}

/** Bytes of each frame: up to the next one's stack pointer where both lie on the same stack. */
export function frameBytes(diagnosis: Diagnosis): (number | null)[] {
  const stack = stackOf(diagnosis);
  return diagnosis.frames.map((frame, index) => {
    const next = diagnosis.frames[index + 1];
    const [sp, end] = [spOf(frame), next === undefined ? null : spOf(next)];
    if (sp === null || end === null) return null;
    const size = end - sp;
    const elsewhere = (regionOf(stack, sp) === "other") !== (regionOf(stack, end) === "other");
    return size > 0n && size <= MAX_FRAME && !elsewhere ? Number(size) : null;
  });
}

interface Run {
  readonly from: number;
  readonly to: number;
  readonly shown: "all" | "cycle" | "elided";
}

/**
 * Frames `[from, to)` with the middle of a long run summed up; frames in `keep` are always shown.
 */
function elide(from: number, to: number, keep: ReadonlySet<number>): Run[] {
  const runs: Run[] = [];
  const shown = (index: number): boolean => index < from + SHOWN_INNER || index >= to - SHOWN_OUTER || keep.has(index);
  for (let start = from; start < to; ) {
    let end = start + 1;
    while (end < to && shown(end) === shown(start)) end++;
    // A line that says "1 more frame" is no shorter than the frame.
    runs.push({ from: start, to: end, shown: shown(start) || end - start === 1 ? "all" : "elided" });
    start = end;
  }
  return runs;
}

/** Which frames to show, as runs; recursion's repeated turns and the middle of each stack's long runs are summed up. */
function plan(diagnosis: Diagnosis, regions: readonly Region[], keep: ReadonlySet<number>): Run[] {
  const total = diagnosis.frames.length;
  const { recursion } = diagnosis;
  const cycles = recursion !== null && recursion.turns >= 2;
  const cycleFrom = cycles ? recursion.firstFrame : total;
  const cycleTo = cycles ? Math.min(total, cycleFrom + recursion.functions.length * recursion.turns) : total;
  const runs: Run[] = [];
  for (let start = 0; start < total; ) {
    if (start === cycleFrom) {
      runs.push({ from: start, to: cycleTo, shown: "cycle" });
      start = cycleTo;
      continue;
    }
    const limit = start < cycleFrom ? cycleFrom : total;
    const elsewhere = regions[start] === "other";
    let end = start + 1;
    while (end < limit && (regions[end] === "other") === elsewhere) end++;
    runs.push(...elide(start, end, keep));
    start = end;
  }
  return runs;
}

function sum(values: readonly (number | null)[]): number | null {
  return values.some((value) => value === null) ? null : values.reduce<number>((total, value) => total + value!, 0);
}

/** Frames that the verdict is about: the culprit's innermost one, and those that the damage touches. */
function framesToKeep(diagnosis: Diagnosis): Set<number> {
  const keep = new Set<number>();
  const { culprit } = diagnosis.verdict;
  if (culprit !== null) {
    keep.add(diagnosis.frames.findIndex((one) => one.function === culprit.function && one.module === culprit.module));
  }
  const { corruption } = diagnosis;
  diagnosis.frames.forEach((frame, index) => {
    if (corruption === null) return;
    const next = diagnosis.frames[index + 1];
    const sp = spOf(frame);
    if (sp === null) return;
    const end = (next === undefined ? null : spOf(next)) ?? sp;
    if (sp < BigInt(corruption.end) && end > BigInt(corruption.start)) keep.add(index);
  });
  return keep;
}

/** What was inlined into each frame, innermost first. */
function inlinedInto(frames: readonly DiagnosisFrame[]): Map<DiagnosisFrame, DiagnosisFrame[]> {
  const into = new Map<DiagnosisFrame, DiagnosisFrame[]>();
  let inlined: DiagnosisFrame[] = [];
  for (const frame of frames) {
    if (frame.inlined) inlined.push(frame);
    else {
      into.set(frame, inlined);
      inlined = [];
    }
  }
  return into;
}

/** Lays the diagnosis out as rows of the drawing. */
export function stackRows(whole: Diagnosis): StackRow[] {
  const inlined = inlinedInto(whole.frames);
  const diagnosis = withoutInlined(whole);
  const stack = stackOf(diagnosis);
  const bytes = frameBytes(diagnosis);
  const regions = diagnosis.frames.map((frame) => regionOf(stack, spOf(frame)));
  const { corruption, recursion } = diagnosis;
  const damage = corruption === null ? null : { low: BigInt(corruption.start), high: BigInt(corruption.end) };
  const marks: Mark[] = [];
  if (corruption !== null && damage !== null) {
    marks.push({ address: damage.low, what: "damage-start" });
    if (corruption.canary !== null) marks.push({ address: BigInt(corruption.canary.slot), what: "canary" });
    marks.push({ address: damage.high, what: "damage-end" });
    marks.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  }
  const rows: StackRow[] = [];
  let region: Region | null = stack === null ? "this" : null;
  let culpritSeen = false;
  const enter = (next: Region): void => {
    if (next !== region) rows.push({ kind: "region", region: next });
    region = next;
  };
  const frameRow = (index: number, cycle: "first" | "inner" | null): void => {
    const frame = diagnosis.frames[index]!;
    const sp = spOf(frame);
    const now = regions[index]!;
    enter(now);
    for (const inner of inlined.get(frame) ?? []) rows.push({ kind: "inlined", frame: inner });
    const named = diagnosis.verdict.culprit;
    const culprit =
      !culpritSeen && named !== null && named.function === frame.function && named.module === frame.module;
    culpritSeen ||= culprit;
    if (sp === null) {
      rows.push({ kind: "frame", address: null, frame, bytes: null, damaged: false, culprit, cycle });
      return;
    }
    const end =
      bytes[index] === null ? (stack !== null && now === "this" ? stack.high : sp + 8n) : sp + BigInt(bytes[index]!);
    const damaged = damage !== null && damage.low < end && damage.high > sp;
    rows.push({ kind: "frame", address: sp, frame, bytes: bytes[index]!, damaged, culprit, cycle });
    const inside = (mark: Mark): boolean => mark.address < end || (mark.what === "damage-end" && mark.address === end);
    while (now !== "other" && marks[0] !== undefined && inside(marks[0]))
      rows.push({ kind: "mark", ...marks.shift()! });
  };
  for (const run of plan(diagnosis, regions, framesToKeep(diagnosis))) {
    if (run.shown === "elided") {
      enter(regions[run.from]!);
      rows.push({ kind: "elided", frames: run.to - run.from, bytes: sum(bytes.slice(run.from, run.to)) });
    } else if (run.shown === "cycle") {
      const first = run.from + recursion!.functions.length;
      for (let index = run.from; index < first; index++) frameRow(index, index === run.from ? "first" : "inner");
      // Where the turns cross the low end of the stack, the drawing shows it before it sums them up.
      enter(regions[run.to - 1]!);
      rows.push({ kind: "turns", turns: recursion!.turns, bytesPerTurn: recursion!.bytesPerTurn });
    } else {
      for (let index = run.from; index < run.to; index++) frameRow(index, null);
    }
  }
  for (const mark of marks) rows.push({ kind: "mark", ...mark });
  return rows;
}
