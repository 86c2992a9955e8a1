/** Hypotheses about a failed canary check: overflow of a buffer, a changed reference, the wrong slot, a stray write. */
import { type CanaryFinding, explainCanary, findCanary } from "./canary-finding.ts";
import { type Damage, explainDamage, measureDamage } from "./damage.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { hex } from "./evidence.ts";
import { type CrashFacts, frameName } from "./facts.ts";
import { findOutsideWriter } from "./foreign-write.ts";
import { ENOUGH, type Hypothesis, hypothesis } from "./hypothesis.ts";
import { outsideWrite, strayWrite } from "./judge-foreign.ts";
import { judgeChangedReference, judgeEarlierReference } from "./judge-reference.ts";
import { overflowWeight } from "./overflow-weight.ts";
import { buffersBelow, explainBuffer } from "./writer.ts";

export function judgeCanary(facts: CrashFacts): Hypothesis[] {
  if (facts.detector === null) return [];
  const finding = findCanary(facts, facts.detector);
  if (finding === null) return [];
  const { frame, found } = finding;
  const damage = measureDamage(facts, finding, facts.detector);
  const base = { culprit: frame, stack: frame.stack, corruption: corruptionOf(finding, damage) };
  const name = frameName(frame);
  const judged: Hypothesis[] = [];
  const reference = judgeChangedReference(facts, finding);
  if (reference !== null) {
    explainCanary(facts, finding);
    return [reference];
  }
  const mismatch = judgeGeometry(facts, finding);
  if (mismatch !== null) {
    const checked = finding.readFrom ?? finding.slot;
    facts.evidence.add(
      "checked-word",
      checked,
      `The word that ${name} checked holds ${hex(found)}; it is no canary slot.`,
    );
    return [mismatch];
  }
  explainCanary(facts, finding);
  if (found === finding.expected) return judged;
  explainDamage(facts, finding, damage);
  const buffer = explainBuffer(facts, finding, damage.patternStart);
  // Zeros below the slot are on every stack, and the word above it may begin with some.
  const alone =
    found === 0n
      ? damage.end < finding.slot + 16n && damage.returnSlots.length === 0
      : damage.end <= finding.slot + 8n && damage.patternStart === finding.slot;
  const earlier = alone ? judgeEarlierReference(facts, finding) : null;
  const inFrame = overflowWeight(facts, finding, damage, buffer);
  const outside =
    (inFrame >= CLEAR_OVERFLOW && (earlier?.weight ?? 0) < ENOUGH) || (earlier?.weight ?? 0) >= CLEAR_OVERFLOW
      ? null
      : findOutsideWriter(facts, { start: damage.start, end: damage.end, from: damage.patternStart });
  // A pointer to a local of this very frame, which its own code has given away, may be there by right.
  const lent =
    outside !== null && buffersBelow(facts, finding, finding.slot).some((use) => use.address === outside.holder.value);
  const foreign = outside === null ? 0 : lent ? Math.min(outside.strength, LENT) : outside.strength;
  const other = Math.max(foreign, earlier?.weight ?? 0);
  const least = other >= CLEAR_OVERFLOW ? 0 : LEAST_OVERFLOW;
  const weight = other < ENOUGH ? inFrame : Math.min(inFrame, Math.max(1 - other, least));
  judged.push(
    hypothesis({
      ...base,
      kind: "stack-buffer-overflow",
      weight,
      summary: overflowSummary(finding, damage),
      why: overflowWhy(damage),
      leads: buffer === null ? {} : { bufferCallees: buffer.callees },
    }),
  );
  const victim = { what: `the frame of ${name}`, stack: frame.stack, corruption: base.corruption };
  judged.push(
    outside === null
      ? strayWrite(facts, finding, damage, victim, Math.max(weight, earlier?.weight ?? 0))
      : outsideWrite(victim, outside, Math.max(foreign, 1 - inFrame - LEAST_OVERFLOW)),
  );
  if (earlier !== null) judged.push(earlier);
  return judged;
}

/** From this weight on nobody is looked for outside the frame. */
const CLEAR_OVERFLOW = 0.9;
/** What a holder says at most whose pointer the frame's own code gave away. */
const LENT = 0.6;
/** An overrun in the frame stays an alternative to every write from elsewhere. */
const LEAST_OVERFLOW = 0.3;

/**
 * Frame geometry, before any talk of overwriting: is the slot that was checked the slot of this frame at all?
 */
function judgeGeometry(facts: CrashFacts, finding: CanaryFinding): Hypothesis | null {
  const { evidence, trace } = facts;
  const { frame } = finding;
  const name = frameName(frame);
  const rbp = frame.registers.get("rbp");
  const { stack } = frame;
  if (finding.base === "rbp" && rbp !== undefined && stack !== null && (rbp < stack.low || rbp >= stack.high)) {
    evidence.add(
      "frame-geometry",
      finding.slot,
      `${name} finds its frame through RBP, and RBP is ${hex(rbp)}: not on its stack at all.`,
    );
    return hypothesis({
      kind: "frame-mismatch",
      weight: 0.95,
      summary: `${name} lost its frame register: RBP is ${hex(rbp)}, so that the canary check read a word that is not its own. Nothing need have been overwritten.`,
      why: "the register used to find the slot does not point into the stack",
      culprit: frame,
      stack,
    });
  }
  if (finding.readFrom !== null) {
    const off = finding.readFrom - finding.slot;
    evidence.add(
      "frame-geometry",
      finding.readFrom,
      `${name} read its canary at ${hex(finding.readFrom)} through RBP, but by its RSP the slot is at ${hex(finding.slot)}: RBP is ${off} bytes off.`,
    );
    return hypothesis({
      kind: "frame-mismatch",
      weight: 0.95,
      summary: `The canary check of ${name} read the wrong place (${hex(finding.readFrom)} instead of ${hex(finding.slot)}): its frame register is not that of its frame, and nothing need have been overwritten.`,
      why: "the register used to find the slot disagrees with where RSP proves the frame to be",
      culprit: frame,
      stack: frame.stack,
    });
  }
  if (trace.displaced === null || trace.brokenFrame !== facts.detector) return null;
  const caller = facts.frames[facts.detector! + 1];
  const off = (frame.cfa ?? trace.displaced) - trace.displaced;
  evidence.add(
    "frame-geometry",
    trace.displaced - 8n,
    `The return address out of ${name} lies at ${hex(trace.displaced - 8n)}, ${off < 0n ? -off : off} bytes ${off > 0n ? "below" : "above"} where a frame of ${name} has it: ${off > 0n ? "control came into its middle" : "the stack pointer moved and was not put back"}.`,
  );
  return hypothesis({
    kind: "frame-mismatch",
    weight: 0.95,
    summary:
      off > 0n
        ? `${caller === undefined ? "A caller" : frameName(caller)} entered ${name} in its middle: the canary check read a word of another frame, and nothing need have been overwritten.`
        : `The stack pointer of ${name} is ${-off} bytes off: the canary check read the wrong word, and nothing need have been overwritten.`,
    why: "the intact stack proves the return address to lie inside what the check took for its own frame",
    culprit: off > 0n ? (caller ?? frame) : frame,
    stack: frame.stack,
  });
}

function corruptionOf(finding: CanaryFinding, damage: Damage): Diagnosis["corruption"] {
  return {
    start: hex(damage.start),
    end: hex(damage.end),
    bytes: Number(damage.end - damage.start),
    pattern: damage.pattern,
    canary: { slot: hex(finding.slot), expected: hex(finding.expected), found: hex(finding.found) },
  };
}

function overflowSummary(finding: CanaryFinding, damage: Damage): string {
  const bytes = damage.end - damage.start;
  const hits = damage.returnSlots.length;
  const reach = hits === 0 ? "" : `, over ${hits === 1 ? "its return address" : `${hits} return addresses`}`;
  return `A buffer in the frame of ${frameName(finding.frame)} was overrun: ${damage.pattern === null ? "at least " : ""}${bytes} bytes from the canary on are overwritten${reach}.`;
}

function overflowWhy(damage: Damage): string {
  if (damage.pattern !== null)
    return `the canary and what lies around it hold ${damage.pattern}, from inside the frame upwards`;
  if (damage.returnSlots.length > 0) return "the canary and the return address above it are both overwritten";
  return "the canary is overwritten, and the frame has a buffer below it";
}
