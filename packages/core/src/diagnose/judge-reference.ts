/** Hypothesis: the stack is whole, and what the canary was compared with was changed. */
import { canaryUse } from "../code/canary.ts";
import type { CanaryFinding } from "./canary-finding.ts";
import { hex } from "./evidence.ts";
import { type CrashFacts, frameName } from "./facts.ts";
import { type Hypothesis, hypothesis } from "./hypothesis.ts";
import { findPerCpuWriter, findPerCpuWriterElsewhere, isSwitch, type PerCpuWriter } from "./per-cpu-writer.ts";
import { canaryOwner } from "./word.ts";

/** Frames further out whose canaries are compared. */
const MOST_FRAMES = 32;

/** The slot holds what the task says it must: then nothing else than the reference can be wrong. Null where it does not. */
export function judgeChangedReference(facts: CrashFacts, finding: CanaryFinding): Hypothesis | null {
  const { frame, found, taskCanary, reference } = finding;
  if (taskCanary === null || reference === null || reference === taskCanary || found !== taskCanary) return null;
  const writer = findPerCpuWriter(facts, facts.detector!) ?? findPerCpuWriterElsewhere(facts);
  return changed(finding, writer, {
    weight: 0.97,
    summary: `The stack is whole: the canary in the frame of ${frameName(frame)} is the task's own, but the per-CPU reference it was checked against was changed.`,
    why: "slot and task agree, the reference does not",
  });
}

/**
 * Reference and task agree now, and the slot holds something else: was that the reference when the function was entered?
 * To be asked only where nothing but the slot differs.
 */
export function judgeEarlierReference(facts: CrashFacts, finding: CanaryFinding): Hypothesis | null {
  const { evidence, kernel, task } = facts;
  const { frame, found, expected } = finding;
  const name = frameName(frame);
  const outer = outerCanaries(facts, finding);
  const alike = outer.filter((one) => one.value === found);
  if (alike.length > 0) {
    evidence.add(
      "canaries-alike",
      alike[0]!.slot,
      `The frame of ${alike.map((one) => one.name).join(", ")} holds the same value ${hex(found)} as its canary: it was the reference when they were entered.`,
    );
    return changed(finding, findPerCpuWriter(facts, facts.detector!) ?? findPerCpuWriterElsewhere(facts), {
      weight: 0.95,
      summary: `The stack is whole: the reference canary was changed from ${hex(found)} to ${hex(expected)} while ${name} and its callers were active.`,
      why: "frames that were entered before hold the same value as their canaries",
    });
  }
  const own = findPerCpuWriter(facts, facts.detector!);
  if (own?.how === "exact") {
    return changed(finding, own, {
      weight: 0.92,
      summary: `${own.function.name} wrote a new reference canary while ${name} was active, whose slot still holds the old one.`,
      why: "code between the slot's store and its check writes the reference",
    });
  }
  const owner = canaryOwner(kernel, found, task?.address ?? null);
  if (owner !== null) {
    return changed(finding, own ?? findPerCpuWriterElsewhere(facts), {
      weight: 0.7,
      summary: `The reference canary was that of task ${owner.pid} (${owner.comm}) when ${name} was entered, and is another one now.`,
      why: "the slot holds the canary of another task, whole, and nothing around it is changed",
    });
  }
  const intact = outer.filter((one) => one.value === expected);
  if (switchesTasks(facts, finding)) {
    evidence.add(
      "switch-between",
      finding.slot,
      `${name} switches tasks between storing its canary and checking it, and each switch sets the reference anew: what the slot holds was the reference before.`,
    );
    if (intact.length > 0)
      evidence.add(
        "outer-canaries",
        intact[0]!.slot,
        `The frames further out (${intact.map((one) => one.name).join(", ")}) hold the right canary: it was changed after they were entered.`,
      );
    return changed(finding, findPerCpuWriterElsewhere(facts), {
      weight: 0.75,
      summary: `The reference canary of this CPU was ${hex(found)} when ${name} was entered; the next switch of tasks put it right, so that the check failed although the stack is whole.`,
      why: `${name} is the one place where a reference that was changed for a while is noticed, and only its slot is wrong`,
    });
  }
  if (found !== 0n) return null;
  // A zero in the slot alone is also what the prologue stored, if the reference was zero when the function was entered.
  return changed(finding, null, {
    weight: 0.3,
    summary: `The reference canary was zero when ${name} was entered, and is not any more.`,
    why: "the slot holds zero and nothing around it is changed; the reference may have been wiped for a while, or the task have come from a CPU where it was",
  });
}

function changed(
  finding: CanaryFinding,
  writer: PerCpuWriter | null,
  said: { readonly weight: number; readonly summary: string; readonly why: string },
): Hypothesis {
  return hypothesis({
    kind: "reference-canary-changed",
    ...said,
    culprit: writer === null ? null : { function: writer.function.name, module: writer.function.module },
    stack: finding.frame.stack,
  });
}

/** Does the function call `__switch_to_asm`? Then its store and its check lie on two sides of a switch. */
function switchesTasks(facts: CrashFacts, { code }: CanaryFinding): boolean {
  return code.instructions.some((instruction) => {
    const target = instruction.flow === "call" ? instruction.target : null;
    const callee = target === null ? null : facts.kernel.symbols.functionAt(target);
    return callee !== null && isSwitch(callee);
  });
}

/** Canaries of the frames further out on the same stack. */
function outerCanaries(facts: CrashFacts, finding: CanaryFinding): { name: string; slot: bigint; value: bigint }[] {
  const { context, frames, kernel } = facts;
  const found: { name: string; slot: bigint; value: bigint }[] = [];
  for (const frame of frames.slice(facts.detector! + 1, facts.detector! + 1 + MOST_FRAMES)) {
    if (frame.cfa === null || frame.interrupted || frame.stack?.low !== finding.frame.stack?.low) continue;
    const code = context.reader.functionAt(frame.address - 1n);
    const stored = code === null ? null : (canaryUse(context.reader, code)?.stored ?? null);
    if (stored?.depth == null || stored.at >= frame.address) continue;
    const slot = frame.cfa - BigInt(stored.depth);
    const value = kernel.memory.u64(slot);
    if (value !== null) found.push({ name: frameName(frame), slot, value });
  }
  return found;
}
