/** Explanations of what KASAN caught. */
import { hex } from "../diagnose/evidence.ts";
import type { LogFacts } from "./log-facts.ts";
import type { LogFrame } from "./log-frames.ts";
import { placeName } from "./place-name.ts";
import { type TextHypothesis, textHypothesis } from "./text-hypothesis.ts";
import { culpritOf, findTextCycle } from "./text-recursion.ts";

/** KASAN's own functions, and those that access memory for whoever called them. */
const HELPERS =
  /^(?:dump_stack\w*|show_stack|dump_backtrace|print_\w+|kasan_\w+|__kasan\w*|__asan_\w+|__hwasan\w+|check_memory_region\w*|check_region_inline|memcpy|memset|memmove|memcmp|mem\w*|str\w+|__?copy_\w+|_copy_\w+|debug_lockdep_rcu\w*|rcu_\w+|lock_\w+|__lock_\w+|instrument_\w+|inline\b|end_report\w*|v?s?c?n?printf|vs\w*printf|v?printk\w*|_printk|string(?:_nocheck)?|pointer|_?raw_\w*lock\w*|(?:do_|__)?raw_spin\w*|mutex_\w+|__\w*_noabort)(?:\.\w+)*$/;
/** The unwinder reads other tasks' stacks while they run, on purpose: KASAN may complain of nothing. */
const UNWINDER =
  /^(?:unwind_\w+|__unwind_\w+|update_stack_state|__?save_stack_trace\w*|get_wchan|stack_trace_\w+|arch_stack_walk\w*|deref_stack_reg|walk_stackframe|save_trace)(?:\.\w+)*$/;

export function judgeKasan(facts: LogFacts): TextHypothesis[] {
  const { kasan } = facts.crash;
  if (kasan === null) return [];
  const { evidence } = facts;
  const accessor = accessorOf(facts);
  const name = accessor === null ? "a function" : placeName(accessor);
  const culprit = accessor?.function == null ? null : { function: accessor.function, module: accessor.module };
  const what = kasan.access === "write" ? "wrote" : "read";
  const size = kasan.bytes === null ? "" : ` ${kasan.bytes} bytes`;
  const at = kasan.address === null ? "" : ` at ${hex(kasan.address)}`;
  if (!/^(?:stack-out-of-bounds|use-after-scope|alloca-out-of-bounds)/.test(kasan.bug)) {
    return [
      textHypothesis({
        kind: "not-stack-related",
        weight: 0.8,
        summary: `KASAN caught a bad access (${kasan.bug}) in ${name}, to memory that is no stack.`,
        why: "KASAN knows which memory it is",
        culprit,
      }),
    ];
  }
  evidence.add("kasan", kasan.address, `KASAN: ${kasan.bug}: ${name} ${what}${size}${at}.`);
  const { frames } = facts.chain;
  const outer = frames.slice(frames.findIndex((frame) => frame.function === accessor?.function) + 1);
  if (outer.length > 0)
    evidence.add("called-by", null, `It was called by ${outer.slice(0, 4).map(placeName).join(" <- ")}.`);
  if (accessor !== null && UNWINDER.test(accessor.function ?? "")) {
    return [
      textHypothesis({
        kind: "undetermined",
        weight: 0.6,
        summary: `KASAN complains of ${name}, which reads stacks while they change: this may be no defect at all.`,
        why: "unwinders read what KASAN has not marked for them",
        culprit,
      }),
    ];
  }
  const cycle = findTextCycle(facts.chain.frames);
  if (cycle !== null) return [recursion(facts, cycle)];
  if (kasan.bug === "use-after-scope") {
    return [
      textHypothesis({
        kind: "undetermined",
        weight: 0.6,
        summary: `${name} used a local variable after its scope had ended (KASAN): no buffer was overrun and no stack ran over.`,
        why: "a pointer to a local variable outlived it",
        culprit,
      }),
    ];
  }
  const object = objectAt(facts);
  if (object !== null) evidence.add("kasan-object", kasan.address, object);
  return [
    textHypothesis({
      kind: "stack-buffer-overflow",
      weight: 0.85,
      summary:
        `${name} ${what}${size} outside the variables of a stack frame (KASAN stopped it there)${object === null ? "" : `: ${object}`}`.replace(
          /\.?$/,
          ".",
        ),
      why: "KASAN keeps red zones around every variable on the stack, and one was touched",
      culprit,
      corruption:
        kasan.access !== "write" || kasan.address === null || kasan.bytes === null
          ? null
          : {
              start: hex(kasan.address),
              end: hex(kasan.address + BigInt(kasan.bytes)),
              bytes: kasan.bytes,
              pattern: null,
              canary: null,
            },
    }),
  ];
}

function recursion(facts: LogFacts, cycle: NonNullable<ReturnType<typeof findTextCycle<LogFrame>>>): TextHypothesis {
  const culprit = culpritOf(cycle);
  facts.evidence.add("recursion", null, `${cycle.functions.join(" <- ")} repeats ${cycle.turns} times in the trace.`);
  return textHypothesis({
    kind: "stack-overflow",
    cause: "recursion",
    weight: 0.75,
    summary: `The stack is full of recursion, ${cycle.functions.join(" <- ")} ${cycle.turns} times over: it ran over, and KASAN noticed what that did.`,
    why: "a bad access to a stack at the end of deep recursion is mostly the recursion's",
    culprit: { function: culprit.function!, module: culprit.module },
    recursion: { functions: cycle.functions, firstFrame: cycle.first, turns: cycle.turns, bytesPerTurn: null },
  });
}

/** The innermost function of the trace that is not KASAN's and does not access memory for another. */
function accessorOf(facts: LogFacts): Pick<LogFrame, "function" | "module" | "address"> | null {
  const { frames } = facts.chain;
  const own = frames.find((frame) => frame.function !== null && !HELPERS.test(frame.function));
  const stated = facts.crash.headline.at;
  if (stated?.function != null && !HELPERS.test(stated.function)) return stated;
  return own ?? stated ?? null;
}

/** Which variable the access passed, where KASAN lists those of the frame. */
function objectAt(facts: LogFacts): string | null {
  const { objects, offsetInFrame, frame } = facts.crash.kasan!;
  if (offsetInFrame === null || objects.length === 0) return null;
  const below = objects.filter((object) => object.to <= offsetInFrame).at(-1);
  const above = objects.find((object) => object.from > offsetInFrame);
  const whose = frame === null ? "" : ` of ${placeName(frame)}`;
  if (below !== undefined && (above === undefined || offsetInFrame - below.to <= above.from - offsetInFrame)) {
    return `${offsetInFrame - below.to} bytes past the end of '${below.name}'${whose} (${below.to - below.from} bytes)`;
  }
  return above === undefined ? null : `${above.from - offsetInFrame} bytes before '${above.name}'${whose}`;
}
