/** Hypothesis: the magic word at a task stack's low end was overwritten, and not by the stack running over it. */
import { STACK_END_MAGIC, stackEndAt } from "../kernel/stack-end.ts";
import { firstDifferentByte, lastDifferentByte } from "./bytes-of-word.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { hex } from "./evidence.ts";
import type { CrashFacts } from "./facts.ts";
import { findOutsideWriter, writerName } from "./foreign-write.ts";
import { type Hypothesis, hypothesis } from "./hypothesis.ts";
import { findPattern } from "./pattern.ts";
import { findStackEndWriter } from "./stack-end-writer.ts";
import { ownStack } from "./stack-health.ts";

/** Bytes from the stack's end upwards in which the same data are followed. */
const WINDOW = 4096;

export function judgeStackEnd(facts: CrashFacts): Hypothesis {
  const { kernel } = facts;
  const stack = ownStack(facts);
  const end = stack === null ? null : stackEndAt(kernel, stack.low);
  const corruption = end === null ? null : corruptionAt(facts, end);
  const writer = findStackEndWriter(facts);
  const base = { kind: "stack-end-corrupted", stack, corruption } as const;
  const what = "The magic word at the low end of the task's stack is overwritten";
  if (writer !== null) {
    const name = writer.module === null ? writer.function : `${writer.function} [${writer.module}]`;
    return hypothesis({
      ...base,
      weight: 0.9,
      summary: `${what}: ${name} is given that address and writes there.`,
      culprit: writer,
      why: "STACK_END_MAGIC is gone, no guard page was hit, and code of the call chain stores there",
    });
  }
  const outside =
    end === null || corruption === null
      ? null
      : findOutsideWriter(facts, { start: end, end: BigInt(corruption.end), from: end });
  return hypothesis({
    ...base,
    weight: outside === null ? 0.85 : 0.88,
    summary:
      outside === null
        ? `${what}.`
        : `${what}, most likely by ${writerName(outside.writer)}: ${outside.holder.place.text} holds a pointer there.`,
    culprit:
      outside === null ? null : { function: outside.writer.function.name, module: outside.writer.function.module },
    why: "STACK_END_MAGIC is gone, and no guard page was hit",
  });
}

/** From the word upwards as far as the same data go; of zeros, which nobody can tell from unused stack, the word alone. */
function corruptionAt({ kernel }: CrashFacts, end: bigint): Diagnosis["corruption"] {
  const found = kernel.memory.u64(end);
  if (found === null) return null;
  const { bytes } = kernel.memory.readSparse(end, WINDOW);
  const pattern = found === 0n ? null : findPattern(bytes, 0);
  const first = pattern === null ? firstDifferentByte(found, STACK_END_MAGIC) : 0;
  const length = pattern === null ? lastDifferentByte(found, STACK_END_MAGIC) + 1 : pattern.end;
  return {
    start: hex(end + BigInt(first)),
    end: hex(end + BigInt(length)),
    bytes: length - first,
    pattern: pattern?.text ?? null,
    canary: null,
  };
}
