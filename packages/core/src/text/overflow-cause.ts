/** Why a stack ran out: recursion, one large frame, or a chain too deep, as far as a trace tells. */
import type { Diagnosis, OverflowCause } from "../diagnose/diagnosis.ts";
import type { LogFacts } from "./log-facts.ts";
import type { LogFrame } from "./log-frames.ts";
import { placeName } from "./place-name.ts";
import type { TextHypothesis } from "./text-hypothesis.ts";
import { culpritOf, findTextCycle } from "./text-recursion.ts";

export function named(frame: LogFrame | null): TextHypothesis["culprit"] {
  return frame?.function == null ? null : { function: frame.function, module: frame.module };
}

export interface Reason {
  readonly cause: OverflowCause | null;
  readonly because: string;
  readonly culprit: TextHypothesis["culprit"];
  readonly recursion: Diagnosis["recursion"];
  /** What is left of the overflow's weight, as far as its cause goes. */
  readonly share: number;
}

/** @param depth size of the stack in bytes; null where not known */
export function overflowReason(facts: LogFacts, onStack: readonly LogFrame[], depth: number | null): Reason {
  return recursionOf(facts, onStack, depth) ?? sizesOf(facts, onStack, depth);
}

/** The frames on the innermost stack: those up to the first marker that differs. */
export function framesOnStack(facts: LogFacts): readonly LogFrame[] {
  const { frames } = facts.chain;
  const marker = frames[1]?.marker ?? frames[0]?.marker ?? null;
  const end = frames.findIndex((frame, index) => index > 0 && frame.marker !== marker);
  return end < 0 ? frames : frames.slice(0, end);
}

function recursionOf(facts: LogFacts, onStack: readonly LogFrame[], depth: number | null): Reason | null {
  const { stale, trace } = facts.chain;
  const live = findTextCycle(onStack);
  const elided = trace === null || trace.elided === 0 ? "" : `, and the log left out ${trace.elided} entries`;
  if (live !== null) {
    const culprit = culpritOf(live);
    const most = depth === null ? "" : `: at most ${Math.floor(depth / live.turns)} bytes a turn`;
    const who =
      live.functions.length === 1
        ? `${placeName(culprit)} calls itself`
        : `${live.functions.join(" <- ")} call each other in a circle`;
    facts.evidence.add(
      "recursion",
      null,
      `${live.functions.join(" <- ")} repeats ${live.turns} times in ${onStack.length} frames${elided}${most}.`,
    );
    const into = onStack.slice(live.first + live.length).find((frame) => frame.function !== null);
    if (into !== undefined)
      facts.evidence.add(
        "recursion-entered",
        null,
        `The circle was entered from ${placeName(into)}${outerNote(onStack, into)}.`,
      );
    return {
      cause: "recursion",
      because: `${who}, ${live.turns} turns in the trace`,
      culprit: named(culprit),
      recursion: { functions: live.functions, firstFrame: live.first, turns: live.turns, bytesPerTurn: null },
      share: 1,
    };
  }
  // Without frames that the unwinder vouches for: the same return addresses over and over on the stack say it too.
  // An address at a function's very start or end is a pointer to a function that lay there, not into a call.
  const returns = stale.filter((entry) => entry.offset !== 0 && entry.offset !== entry.size);
  const cycle = onStack.length > 3 ? null : findTextCycle(returns);
  if (cycle === null) return null;
  const culprit = culpritOf(cycle);
  facts.evidence.add(
    "recursion",
    null,
    `Among the return addresses that lay on the stack ${cycle.functions.join(", ")} come ${cycle.turns} times in the same order.`,
  );
  return {
    cause: "recursion",
    because: `${cycle.functions.length === 1 ? `${placeName(culprit)} calls itself` : `${cycle.functions.join(", ")} return again and again`}, ${cycle.turns} times on the stack`,
    culprit: { function: culprit.function!, module: culprit.module },
    recursion: null,
    share: 0.85,
  };
}

/** "; further out lie f, g and h": what a reader may know the circle by. */
function outerNote(onStack: readonly LogFrame[], into: LogFrame): string {
  const outer = onStack
    .slice(onStack.indexOf(into) + 1)
    .flatMap((frame) => (frame.function === null ? [] : [frame.function]));
  return outer.length === 0 ? "" : `, called by ${outer.slice(0, 4).join(" <- ")}`;
}

/** A frame that takes this share of its stack can be the reason by itself. */
const LARGE_SHARE = 1 / 4;
/** A frame of the average size that the compiler warns of (CONFIG_FRAME_WARN) by default on 64-bit machines. */
const FRAME_WARN = 2048;
/** With more frames than this a stack is full of ordinary ones; their sum is what was too deep. */
const MANY_FRAMES = 24;

/** Without recursion: one large frame, or a chain too deep? Sizes are known of the innermost frame at best. */
function sizesOf(facts: LogFacts, onStack: readonly LogFrame[], depth: number | null): Reason {
  const { code, evidence } = facts;
  const top = onStack[0] ?? null;
  const own = code?.frameBytes ?? null;
  if (own !== null && top !== null) {
    evidence.add(
      "frame-size",
      null,
      `By the code bytes, the frame of ${placeName(top)} takes ${code!.fromStart ? "" : "at least "}${own} bytes.`,
    );
  }
  const complete = facts.chain.complete || onStack.length < facts.chain.frames.length;
  const base = { recursion: null } as const;
  if (own !== null && top !== null && own >= (depth ?? 16384) * LARGE_SHARE) {
    return {
      ...base,
      cause: "large-frame",
      because: `the frame of ${placeName(top)} alone takes ${own} bytes`,
      culprit: named(top),
      share: 1,
    };
  }
  if (depth === null || !complete || onStack.length < 2) {
    evidence.miss(
      "Which frames took the stack: the trace is cut or has no frames that the unwinder vouched for. A dump has their sizes.",
    );
    return { ...base, cause: null, because: "the log does not tell by what", culprit: named(top), share: 0.9 };
  }
  const callers = onStack.length - 1;
  const average = Math.round((depth - (own ?? 0)) / callers);
  evidence.add(
    "average-frame",
    null,
    `${callers === 1 ? "One caller has" : `${callers} callers share`} ${depth - (own ?? 0)} bytes${callers === 1 ? "" : `: ${average} on average`}.`,
  );
  evidence.miss("The size of each frame: a dump, or the kernel's debug information, tells which is large.");
  if (average >= FRAME_WARN / 2 && callers < MANY_FRAMES) {
    // Ordinary callers take some hundred bytes each. Which of them is the large one, a trace does not tell.
    const suspect = largeCaller(onStack);
    return {
      ...base,
      cause: "large-frame",
      because: `${callers === 1 ? `one caller has ${average} bytes` : `${callers} callers take ${average} bytes each on average, so that one must be large`}${suspect === null ? "" : `, perhaps ${placeName(suspect)}`}`,
      culprit: named(suspect),
      share: average >= FRAME_WARN ? 0.8 : 0.7,
    };
  }
  return {
    ...base,
    cause: "deep-call-chain",
    because: `the call chain is too deep, without recursion: ${onStack.length} frames`,
    culprit: null,
    share: callers >= MANY_FRAMES ? 0.9 : 0.7,
  };
}

/** The innermost caller that belongs to a module, else the innermost: what lies further out was there in healthy runs too. */
function largeCaller(onStack: readonly LogFrame[]): LogFrame | null {
  const callers = onStack.slice(1);
  return callers.find((frame) => frame.module !== null) ?? callers[0] ?? null;
}
