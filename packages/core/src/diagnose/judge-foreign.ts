/** Hypothesis: something that is not the frame's own code, nor a callee's, wrote into it. */
import type { StackRange } from "../kernel/kernel.ts";
import type { CanaryFinding } from "./canary-finding.ts";
import type { Damage } from "./damage.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { type CrashFacts, frameName } from "./facts.ts";
import { type OutsideWriter, writerName } from "./foreign-write.ts";
import { type Hypothesis, hypothesis } from "./hypothesis.ts";
import { canaryOwner, wordMeaning } from "./word.ts";

export interface Victim {
  /** What was written over, for a sentence: "the frame of parse_packet [vandal]". */
  readonly what: string;
  readonly stack: StackRange | null;
  readonly corruption: Diagnosis["corruption"];
}

/** Somebody is known who holds a pointer there, with code that uses it. */
export function outsideWrite(victim: Victim, outside: OutsideWriter, weight: number): Hypothesis {
  const { holder, writer } = outside;
  const { name, module } = writer.function;
  const summary =
    writer.certainty === "stores"
      ? `${writerName(writer)} wrote into ${victim.what} from outside: ${holder.place.text} still holds a pointer there, and it stores through that.`
      : `Something outside wrote into ${victim.what}, most likely ${writerName(writer)}: ${holder.place.text} holds a pointer there.`;
  return hypothesis({
    kind: "foreign-write",
    weight,
    summary,
    why:
      writer.certainty === "stores"
        ? `${writerName(writer)} stores through a pointer into the damaged range that is kept outside this stack`
        : "a pointer into the damaged range is kept outside this stack",
    culprit: { function: name, module },
    stack: victim.stack,
    corruption: victim.corruption,
  });
}

/** Nobody is known: what only the look of the damage says. */
export function strayWrite(
  facts: CrashFacts,
  finding: CanaryFinding,
  damage: Damage,
  victim: Victim,
  overflow: number,
): Hypothesis {
  const { kernel, task } = facts;
  const meaning = wordMeaning(kernel, finding.found);
  const owner = canaryOwner(kernel, finding.found, task?.address ?? null);
  const single = damage.end <= finding.slot + 8n && damage.patternStart === finding.slot;
  const difference = finding.found - finding.expected;
  const near = difference < NEAR && difference > -NEAR;
  let weight = single ? 0.55 : 0.15;
  if (single && (near || meaning.class === "zero")) weight = 0.6;
  if (owner !== null) weight = 0.2;
  return hypothesis({
    kind: "foreign-write",
    weight: Math.min(weight, 1 - overflow),
    summary: `Something outside ${frameName(finding.frame)} wrote over its canary.`,
    why: single
      ? "only the canary's word is changed and its neighbours are not, as a stray write would leave it"
      : "the overwritten bytes could also have come from outside the frame",
    stack: victim.stack,
    corruption: victim.corruption,
  });
}

/** A value that differs from the true one by less was counted up or down, not overrun. */
const NEAR = 0x10000n;
