/** An overflow that shows in crash's `bt` alone: frames that repeat, over the whole of a stack. */
import { hex } from "../../diagnose/evidence.ts";
import { type TextHypothesis, textHypothesis } from "../text-hypothesis.ts";
import { culpritOf, findTextCycle } from "../text-recursion.ts";
import type { SessionFacts } from "./session-facts.ts";

/** THREAD_SIZE of x86_64: 16 KiB since 3.15 (6538b8ea886e), 8 KiB before; twice with KASAN. Bytes. */
const STACK_SIZES = [8192n, 16384n, 32768n];
/** What an overflow leaves of a stack: less than the largest frame that is usual. Bytes. */
const LEFT = 2048n;
const MIN_TURNS = 8;

export function judgeDepth(facts: SessionFacts): TextHypothesis | null {
  const { task, log } = facts;
  const frames = log.chain.frames.filter((frame) => frame.sp !== null);
  const cycle = findTextCycle(frames);
  if (task === null || cycle === null || cycle.turns < MIN_TURNS) return null;
  const slots = frames.map((frame) => frame.sp!).sort((a, b) => (a < b ? -1 : 1));
  const [lowest, highest] = [slots[0]!, slots.at(-1)!];
  const size = STACK_SIZES.find((bytes) => lowest / bytes === highest / bytes && lowest % bytes < LEFT);
  if (size === undefined) return null;
  const culprit = culpritOf(cycle);
  log.evidence.add(
    "stack-depth",
    lowest,
    `The frames reach from ${hex(highest)} down to ${hex(lowest)}: ${lowest % size} bytes above the low end of a stack of ${size} bytes.`,
  );
  log.evidence.add("recursion", lowest, `${cycle.functions.join(" <- ")} repeats ${cycle.turns} times.`);
  return textHypothesis({
    kind: "stack-overflow",
    cause: "recursion",
    weight: 0.75,
    summary: `The task's stack was used up by recursion: ${cycle.functions.join(" <- ")}, ${cycle.turns} turns.`,
    why: "crash's frames repeat down to the low end of the stack",
    culprit: culprit.function === null ? null : { function: culprit.function, module: culprit.module },
    stack: {
      kind: "task",
      low: hex(lowest - (lowest % size)),
      high: hex(lowest - (lowest % size) + size),
      usedBytes: Number(size - (lowest % size)),
    },
  });
}
