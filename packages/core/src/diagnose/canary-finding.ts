/** The failed canary check: which slot, what it held, what it should have held, and where the frame says it must be. */
import { canaryUse, type FrameSlot } from "../code/canary.ts";
import type { FunctionCode } from "../code/code-reader.ts";
import type { Frame } from "../unwind/backtrace.ts";
import { layoutAt } from "../unwind/step.ts";
import { hex } from "./evidence.ts";
import { type CrashFacts, frameName } from "./facts.ts";
import { canaryOwner, wordMeaning } from "./word.ts";

export interface CanaryFinding {
  /** The frame whose check failed: the detector. */
  readonly frame: Frame;
  readonly code: FunctionCode;
  /** CFA of that frame, told by RSP where the code allows it. */
  readonly cfa: bigint;
  /** Where the frame's geometry puts the slot. */
  readonly slot: bigint;
  /** The register that the check finds its slot by. */
  readonly base: "rsp" | "rbp";
  /** Where the check's register pointed, if that is another place: then the slot, not its content, is wrong. */
  readonly readFrom: bigint | null;
  readonly found: bigint;
  /** The reference canary in force; null where unreadable. */
  readonly reference: bigint | null;
  /** The canary of the task, which the reference copies at every switch. */
  readonly taskCanary: bigint | null;
  /** What the slot should hold. */
  readonly expected: bigint;
}

/** The code that holds the canary of a frame; for a `.cold` part the function it was split from. */
function codeWithCanary(facts: CrashFacts, frame: Frame): FunctionCode | null {
  const { reader } = facts.context;
  const code = reader.functionAt(frame.address - 1n);
  const cold = frame.function === null ? null : /^(.*)\.cold(\.\d+)?$/.exec(frame.function);
  if (code === null || cold === null) return code;
  const parent = reader.symbols.byName(cold[1]!, frame.module);
  return parent === null ? code : reader.functionAt(parent.address);
}

/** Reads the failed check of the detector's frame; null where its code or frame cannot be read (evidence says so). */
export function findCanary(facts: CrashFacts, index: number): CanaryFinding | null {
  const { kernel, context, evidence } = facts;
  const frame = facts.frames[index]!;
  const code = codeWithCanary(facts, frame);
  if (code === null) {
    evidence.miss(`The code of ${frameName(frame)} is not in the dump; it would show where the canary lies.`);
    return null;
  }
  const use = canaryUse(context.reader, code);
  const place: FrameSlot | null = use?.checks[0]?.slot ?? use?.stored ?? null;
  if (place === null || frame.cfa === null) {
    evidence.miss(`Where ${frameName(frame)} keeps its canary could not be read from its code.`);
    return null;
  }
  const cfa = geometricFrame(facts, frame) ?? frame.cfa;
  const slot = place.depth === null ? frame.sp + BigInt(place.displacement) : cfa - BigInt(place.depth);
  const rbp = frame.registers.get("rbp");
  const read = place.base === "rbp" && rbp !== undefined ? rbp + BigInt(place.displacement) : slot;
  const found = kernel.memory.u64(read);
  if (found === null) {
    evidence.miss(`The canary slot at ${hex(read)} is not in the dump.`);
    return null;
  }
  const cpu = facts.cpu?.number ?? facts.trace.cpu ?? 0;
  const reference = kernel.referenceCanary(cpu);
  const taskCanary = facts.task?.canary ?? null;
  if (reference === null)
    evidence.miss("The reference canary could not be read; the task's own copy stands in for it.");
  const expected = taskCanary ?? reference?.value ?? 0n;
  if (reference !== null) {
    const agree =
      taskCanary === null ? "" : reference.value === taskCanary ? ", the task's own" : ", but the task has another";
    evidence.add(
      "reference-canary",
      reference.address,
      `The reference canary of CPU ${cpu} is ${hex(reference.value)}${agree}.`,
    );
  }
  if (taskCanary !== null && taskCanary !== reference?.value) {
    evidence.add("task-canary", facts.task!.address, `The task's stack_canary is ${hex(taskCanary)}.`);
  }
  return {
    frame,
    code,
    cfa,
    slot,
    base: place.base,
    readFrom: read === slot ? null : read,
    found,
    reference: reference?.value ?? null,
    taskCanary,
    expected,
  };
}

/**
 * The frame's CFA as RSP proves it: the call of `__stack_chk_fail` left its return address just below the frame's RSP, and
 * how far RSP lies below the CFA there follows from the function's own pushes and subtractions. RBP, if the code finds the
 * slot by it, must agree; where it does not, RBP is wrong and not the stack.
 */
function geometricFrame(facts: CrashFacts, frame: Frame): bigint | null {
  const depth = layoutAt(facts.context, frame.address, false)?.rspDepth;
  return depth == null ? null : frame.sp + BigInt(depth);
}

/** Says what the slot holds. Only for a slot that is the frame's own. */
export function explainCanary(facts: CrashFacts, finding: CanaryFinding): void {
  const { kernel, evidence } = facts;
  const { frame, found, expected } = finding;
  const slot = finding.readFrom ?? finding.slot;
  if (found === expected) {
    evidence.add("canary-intact", slot, `The canary slot of ${frameName(frame)} holds ${hex(found)}, the right value.`);
    return;
  }
  const owner = canaryOwner(kernel, found, facts.task?.address ?? null);
  const distance = found > expected ? found - expected : expected - found;
  const meaning =
    owner !== null
      ? `the canary of task ${owner.pid} (${owner.comm})`
      : distance < 0x10000n
        ? `the right value ${found > expected ? "plus" : "minus"} ${distance}`
        : wordMeaning(kernel, found).text;
  evidence.add(
    "canary-mismatch",
    slot,
    `The canary slot of ${frameName(frame)} holds ${hex(found)} (${meaning}) instead of ${hex(expected)}.`,
  );
}
