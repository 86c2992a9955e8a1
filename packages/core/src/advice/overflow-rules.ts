/** A stack that was used up. */
import { type CrashCase, known, listed, nameOf, type SizedFrame, thousands } from "./crash-case.ts";
import type { Rule } from "./rule.ts";

/** CONFIG_FRAME_WARN's default on 64-bit machines, lib/Kconfig.debug. Bytes. */
const USUAL_FRAME_WARN = 2048;
/** Below this a frame is ordinary. Bytes. */
const NOTEWORTHY_FRAME = 512;
/** Frames that are named with their size. */
const MOST_NAMED = 3;
/** Share of a chain's bytes from which on one module has the most of it. */
const MOST_OF_IT = 0.5;

function overflowed(crash: CrashCase): boolean {
  return crash.verdict.kind === "stack-overflow" || crash.verdict.kind === "irq-stack-overflow";
}

function withBytes(frames: readonly SizedFrame[]): string {
  return listed(frames.map(({ name, bytes }) => `${name} ${thousands(bytes)}`));
}

/** The circle in the order of the calls, and who called into it. */
const recursionCircle: Rule = {
  id: "recursion-circle",
  say(crash) {
    const { recursion, frames } = crash.findings;
    if (!overflowed(crash) || recursion === null || crash.verdict.cause !== "recursion") return null;
    const inside = new Set(recursion.functions);
    const last = frames.findLastIndex((frame) => frame.function !== null && inside.has(frame.function));
    const first = frames[last];
    const caller = frames[last + 1];
    const entry = first === undefined ? (recursion.functions.at(-1) ?? "it") : nameOf(first);
    const from = caller === undefined ? "" : `, first from ${nameOf(caller)}`;
    if (inside.size === 1) return `${entry} calls itself${from}: a limit to the depth belongs in it.`;
    const turn = [...recursion.functions].reverse();
    // Begin the circle where it was entered.
    const start = Math.max(0, turn.indexOf(first?.function ?? ""));
    const circle = [...turn.slice(start), ...turn.slice(0, start + 1)].join(" -> ");
    return `The circle is ${circle}; it was entered through ${entry}${from}, and a limit to the depth belongs there, where every turn comes through.`;
  },
};

const recursionLimit: Rule = {
  id: "recursion-limit",
  say(crash) {
    const { recursion } = crash.findings;
    const { stackSize } = crash;
    if (!overflowed(crash) || crash.verdict.cause !== "recursion" || recursion === null || stackSize === null)
      return null;
    const { bytesPerTurn } = recursion;
    const half = bytesPerTurn === null || bytesPerTurn <= 0 ? 0 : Math.floor(stackSize / 2 / bytesPerTurn);
    if (bytesPerTurn === null || half < 1) return null;
    const turns = half === 1 ? "1 turn takes" : `${thousands(half)} turns take`;
    return `At ${thousands(bytesPerTurn)} bytes a turn ${turns} half of the ${thousands(stackSize)} bytes: a higher limit leaves less than half to everything else.`;
  },
};

/** The culprit's frame; its size is known even if it is the innermost and reaches below the stack. */
function largeFrame(crash: CrashCase): SizedFrame | null {
  if (!overflowed(crash) || crash.verdict.cause !== "large-frame") return null;
  const name = crash.verdict.culprit?.function;
  return crash.sized.find(({ frame }) => frame.function === name) ?? crash.sized[0] ?? null;
}

const largeLocals: Rule = {
  id: "large-locals",
  say(crash) {
    const large = largeFrame(crash);
    if (large === null || crash.stackSize === null) return null;
    const others = crash.sized.filter((one) => one !== large && one.bytes >= NOTEWORTHY_FRAME).slice(0, MOST_NAMED);
    const besides = others.length === 0 ? "" : ` The next largest: ${withBytes(others)} bytes.`;
    return `${large.name} takes ${thousands(large.bytes)} of the stack's ${thousands(crash.stackSize)} bytes: its large locals belong on the heap (kmalloc), or in static data under a lock.${besides}`;
  },
};

/** Whether the compiler has warned, or could have. */
const frameWarning: Rule = {
  id: "frame-warning",
  say(crash) {
    const large = largeFrame(crash);
    if (large === null) return null;
    const { bytes, name, frame } = large;
    const option = crash.option("FRAME_WARN");
    const limit = Number(option.value ?? (option.state === "no" ? 0 : USUAL_FRAME_WARN));
    const where = frame.module === null ? "the kernel" : frame.module;
    if (option.state === "no") {
      return `CONFIG_FRAME_WARN is off${known(option)}: with -Wframe-larger-than=${USUAL_FRAME_WARN} the compiler names ${name} when ${where} is built.`;
    }
    if (bytes <= limit) {
      const lower = Math.max(256, Math.floor((bytes - 1) / 256) * 256);
      return `-Wframe-larger-than=${lower} makes the compiler name ${name} and what else is as large; this kernel's limit is too high for it${known(option)}.`;
    }
    if (option.state === "unknown") {
      return `-Wframe-larger-than=${limit}, which CONFIG_FRAME_WARN sets, makes the compiler name ${name} when ${where} is built; -Werror=frame-larger-than=${limit} makes that an error.`;
    }
    return `The compiler has warned of ${name} if ${where} was built with this kernel's options${known(option)}; -Werror=frame-larger-than=${limit} makes that an error.`;
  },
};

const biggestFrames: Rule = {
  id: "biggest-frames",
  say(crash) {
    if (!overflowed(crash) || crash.verdict.cause !== "deep-call-chain") return null;
    const { sized, stackSize } = crash;
    if (sized.length <= MOST_NAMED || stackSize === null) return null;
    const top = sized.slice(0, MOST_NAMED);
    const share = Math.round((top.reduce((sum, one) => sum + one.bytes, 0) / stackSize) * 100);
    const rest = sized.slice(MOST_NAMED).reduce((sum, one) => sum + one.bytes, 0);
    return `The three largest frames are those of ${withBytes(top)} bytes, ${share} % of the stack; the other ${sized.length - MOST_NAMED} take ${thousands(rest)}.`;
  },
};

const moduleShare: Rule = {
  id: "module-share",
  say(crash) {
    if (!overflowed(crash) || crash.verdict.cause !== "deep-call-chain") return null;
    const shares = new Map<string, { frames: number; bytes: number }>();
    let all = 0;
    for (const { frame, bytes } of crash.sized) {
      all += bytes;
      if (frame.module === null) continue;
      const share = shares.get(frame.module) ?? { frames: 0, bytes: 0 };
      shares.set(frame.module, { frames: share.frames + 1, bytes: share.bytes + bytes });
    }
    const [most] = [...shares].sort((a, b) => b[1].bytes - a[1].bytes);
    if (most === undefined || most[1].frames < 2 || most[1].bytes < all * MOST_OF_IT) return null;
    return `${most[1].frames} of the ${crash.sized.length} frames, ${thousands(most[1].bytes)} of ${thousands(all)} bytes, are those of the module ${most[0]}: that is where layers or locals can be saved.`;
  },
};

/** The tracer looks at task stacks only, and at what grows slowly: a recursion without end shows nothing beforehand. */
const stackTracer: Rule = {
  id: "stack-tracer",
  say(crash) {
    const { kind, cause } = crash.verdict;
    if (kind !== "stack-overflow" || cause === "recursion") return null;
    const large = largeFrame(crash);
    // A function that alone needs more than there is never ran to its end.
    if (large !== null && crash.stackSize !== null && large.bytes >= crash.stackSize) return null;
    const option = crash.option("STACK_TRACER");
    const shows = "/sys/kernel/tracing/stack_trace shows the deepest chain yet with the bytes of each frame";
    if (option.state === "no") {
      return `CONFIG_STACK_TRACER is off${known(option)}: with it, ${shows}, while there is room left.`;
    }
    const has =
      option.state === "yes" ? `The kernel has the stack tracer${known(option)}` : "Where CONFIG_STACK_TRACER is on";
    return `${has}: after echo 1 >/proc/sys/kernel/stack_tracer_enabled, ${shows}, while there is room left.`;
  },
};

const earlierFault: Rule = {
  id: "earlier-fault",
  say: (crash) =>
    overflowed(crash) && crash.has("earlier-fault")
      ? "Begin with the earlier fault: the stack overflowed while the kernel was reporting it."
      : null,
};

export const OVERFLOW_RULES: readonly Rule[] = [
  earlierFault,
  recursionCircle,
  recursionLimit,
  largeLocals,
  frameWarning,
  biggestFrames,
  moduleShare,
  stackTracer,
];
