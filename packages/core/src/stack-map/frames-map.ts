/** A map of what a text tells of a stack: where its frames lie, without the words in them. */
import type { Diagnosis } from "../diagnose/diagnosis.ts";
import type { StackKind } from "../kernel/kernel.ts";
import type { MappedStack, StackMap, StackRegion, StackWord } from "./stack-map.ts";

/** How far below a stack's low end a frame still belongs to it: a guard page. Bytes. */
const GUARD_SIZE = 4096n;
/** Fewer frames whose places are known are no picture. */
const MIN_FRAMES = 2;

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** The map of a diagnosis that has no dump behind it; null where the text does not say where the frames lie. */
export function framesMap(diagnosis: Diagnosis): StackMap | null {
  const { stack, frames, corruption } = diagnosis;
  if (stack === null) return null;
  const low = BigInt(stack.low);
  const high = BigInt(stack.high);
  const placed = frames
    .flatMap((frame, index) => (frame.sp === null || frame.inlined ? [] : [{ index, frame, sp: BigInt(frame.sp) }]))
    .filter((one) => one.sp >= low - GUARD_SIZE && one.sp < high)
    .sort((a, b) => (a.sp < b.sp ? -1 : a.sp > b.sp ? 1 : 0));
  if (placed.length < MIN_FRAMES || high <= low) return null;
  const damage = corruption === null ? null : { start: BigInt(corruption.start), end: BigInt(corruption.end) };

  const region = (
    kind: StackRegion["kind"],
    start: bigint,
    end: bigint,
    label: string,
    why: string | null,
  ): StackRegion => ({
    kind,
    start: hex(start),
    end: hex(end),
    bytes: Number(end - start),
    label,
    why,
    frame: null,
    damaged: damage !== null && damage.start < end && damage.end > start,
    evidence: diagnosis.evidence
      .filter((item) => item.address !== null && BigInt(item.address) >= start && BigInt(item.address) < end)
      .map((item) => item.id),
    variables: [],
    words: canaryWords(diagnosis, start, end),
  });

  const lowest = placed[0]!.sp;
  const regions: StackRegion[] = [];
  if (lowest > low) regions.push(region("unclaimed", low, lowest, "not in the text", null));
  for (const [at, { index, frame, sp }] of placed.entries()) {
    const end = placed[at + 1]?.sp ?? sp;
    const offset = frame.offset === null ? "" : `+0x${frame.offset.toString(16)}`;
    const module = frame.module === null ? "" : ` [${frame.module}]`;
    const label =
      frame.function === null ? `${frame.address ?? "?"} (no known function)` : `${frame.function}${offset}${module}`;
    regions.push({ ...region("frame", sp, end, label, frame.why), frame: index });
  }
  const top = placed[placed.length - 1]!.sp;
  if (top < high) regions.push(region("unclaimed", top, high, "above the outermost frame", null));
  const mapped: MappedStack = {
    kind: stack.kind as StackKind,
    name: "",
    cpu: null,
    task: diagnosis.panic.task,
    low: stack.low,
    high: stack.high,
    verdict: true,
    guard: "unknown",
    usedBytes: stack.usedBytes,
    deepestUse: null,
    regions,
  };
  return { stacks: [mapped], code: {} };
}

/** The canary slot, where the text shows it: the only word that a diagnosis itself holds. */
function canaryWords(diagnosis: Diagnosis, start: bigint, end: bigint): StackWord[] {
  const canary = diagnosis.corruption?.canary ?? null;
  if (canary === null || BigInt(canary.slot) < start || BigInt(canary.slot) + 8n > end) return [];
  const { expected } = canary;
  const good = expected !== null && BigInt(canary.found) === BigInt(expected);
  const was = expected === null ? "" : `; it was ${expected}`;
  return [
    {
      address: canary.slot,
      count: 1,
      value: canary.found,
      kind: "canary",
      label: good ? "canary, intact" : `canary, overwritten${was}`,
      why: null,
      state: good ? "good" : "bad",
      expected: good ? null : expected,
      damage: null,
      source: false,
      variables: [],
      code: [],
      evidence: diagnosis.evidence.filter((item) => item.address === canary.slot).map((item) => item.id),
    },
  ];
}
