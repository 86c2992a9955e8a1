/** Something on a stack, or the canary it is held against, was changed. */
import type { VerdictKind } from "../diagnose/diagnosis.ts";
import { type CrashCase, hex, known, listed, nameOf } from "./crash-case.ts";
import type { Rule } from "./rule.ts";

function isKind(crash: CrashCase, ...kinds: readonly VerdictKind[]): boolean {
  return kinds.includes(crash.verdict.kind);
}

const bufferBounds: Rule = {
  id: "buffer-bounds",
  say(crash) {
    if (!isKind(crash, "stack-buffer-overflow") || crash.culprit === null) return null;
    const at = crash.evidenceAt("buffer");
    const callees = crash.context.leads.bufferCallees;
    const others =
      callees === undefined
        ? " and by that of whatever gets its address"
        : callees.length === 0
          ? ""
          : `, and by ${listed(callees)}, which ${callees.length === 1 ? "gets" : "get"} its address`;
    const variable = crash.findings.corruption?.variable;
    const what = variable === undefined ? "the local buffer" : `${variable.name} (${variable.type})`;
    const where = at === null ? "" : ` at ${hex(at)}`;
    return `Check what bounds the writes into ${what} of ${crash.culprit}${where}: by its own code${others}.`;
  },
};

/** What KASAN would have said, or what its silence says. */
const kasanStack: Rule = {
  id: "kasan-stack",
  say(crash) {
    if (!isKind(crash, "stack-buffer-overflow", "return-address-corrupted") || crash.culprit === null) return null;
    const kasan = crash.option("KASAN");
    const stack = crash.option("KASAN_STACK");
    const module = crash.verdict.culprit?.module ?? null;
    const built = module === null ? "" : `, ${module} built for it too`;
    const reports = `reports the first byte written past a local variable, with the writer's backtrace${built}`;
    if (kasan.state === "no")
      return `KASAN is off${known(kasan)}: a kernel with CONFIG_KASAN and CONFIG_KASAN_STACK ${reports}.`;
    if (kasan.state === "unknown") return `A kernel with CONFIG_KASAN and CONFIG_KASAN_STACK ${reports}.`;
    if (stack.state === "no")
      return `KASAN is on, but not for stacks${known(stack)}: with CONFIG_KASAN_STACK it ${reports}.`;
    if (stack.state === "unknown") return null;
    return `KASAN was on for stacks${known(stack)} and reported nothing: the writer is code without its checks, which is assembly, a module built without it, or a device's DMA.`;
  },
};

/** Functions that CONFIG_FORTIFY_SOURCE checks (include/linux/fortify-string.h). */
const FORTIFIED =
  /^_*(memcpy|memmove|memset|strcpy|strncpy|strscpy|sized_strscpy|strlcpy|strcat|strncat|strlcat)(_\w+)?$/;

const fortify: Rule = {
  id: "fortify-source",
  say(crash) {
    const callee = crash.context.leads.bufferCallees?.find((name) => FORTIFIED.test(name));
    const option = crash.option("FORTIFY_SOURCE");
    if (!isKind(crash, "stack-buffer-overflow") || callee === undefined || option.state !== "no") return null;
    return `CONFIG_FORTIFY_SOURCE is off${known(option)}: it checks the length of such a ${callee} against a buffer whose size the compiler knows.`;
  },
};

const ubsanBounds: Rule = {
  id: "ubsan-bounds",
  say(crash) {
    const own = crash.has("buffer") && crash.context.leads.bufferCallees?.length === 0;
    const option = crash.option("UBSAN_BOUNDS");
    if (!isKind(crash, "stack-buffer-overflow") || !own || option.state === "yes" || crash.culprit === null)
      return null;
    return `The buffer's address goes to no callee: if ${crash.culprit} writes it as an array, CONFIG_UBSAN_BOUNDS reports the first index that is out of range${known(option)}.`;
  },
};

/** A watchpoint needs debug registers and something that arms it at the right moment. */
function canWatch(crash: CrashCase): boolean {
  return crash.option("HAVE_HW_BREAKPOINT").state !== "no";
}

const watchSlot: Rule = {
  id: "watch-canary-slot",
  say(crash) {
    const { detector } = crash;
    const slot = crash.findings.corruption?.canary?.slot;
    if (!isKind(crash, "foreign-write") || detector === null || !canWatch(crash)) return null;
    const name = nameOf(detector);
    const above = slot === undefined || detector.sp === null ? null : BigInt(slot) - BigInt(detector.sp);
    const where = above === null || above < 0n || above > 0xffffn ? "" : ` (RSP+${hex(above)} inside it)`;
    return `Where it can be repeated, a hardware watchpoint names the writer: arm one (register_wide_hw_breakpoint, 8 bytes, write) on the canary of ${name}${where} from a probe behind its prologue, and disarm it before the check. Nothing else may write there meanwhile.`;
  },
};

const kasanForeign: Rule = {
  id: "kasan-foreign-write",
  say(crash) {
    const kasan = crash.option("KASAN");
    if (!isKind(crash, "foreign-write") || kasan.state === "yes") return null;
    return `KASAN${kasan.state === "no" ? `, which is off${known(kasan)},` : ""} reports such a write only where it hits the gap between two locals, as here; it does not know a frame that is over from one that is live, so its silence would prove nothing.`;
  },
};

/** A timer that outlives the frame it points into. */
const timerObjects: Rule = {
  id: "debug-objects-timers",
  say(crash) {
    const option = crash.option("DEBUG_OBJECTS_TIMERS");
    const timer = crash.findings.evidence.some(
      ({ id, text }) => /holder|pointer|writer/.test(id) && /timer/i.test(text),
    );
    if (!isKind(crash, "foreign-write") || !timer || option.state === "yes") return null;
    return `CONFIG_DEBUG_OBJECTS_TIMERS${option.state === "no" ? `, which is off${known(option)},` : ""} reports a timer that is freed or set up again while it is still pending.`;
  },
};

const watchStackEnd: Rule = {
  id: "watch-stack-end",
  say(crash) {
    const low = crash.findings.stack?.low;
    if (!isKind(crash, "stack-end-corrupted") || low === undefined || !canWatch(crash)) return null;
    return `Nothing writes the lowest word of a stack (here ${low}) after fork(): where it can be repeated, a hardware watchpoint there names the writer.`;
  },
};

/** The kernel looks at the magic word only where a task gives up the CPU. */
const stackEndWindow: Rule = {
  id: "stack-end-window",
  say(crash) {
    if (!isKind(crash, "stack-end-corrupted")) return null;
    const option = crash.option("SCHED_STACK_END_CHECK");
    if (/corrupted stack end/.test(crash.findings.panic.message ?? "")) {
      return "The scheduler checks the word whenever a task gives up the CPU: it was overwritten since this task did so the last time, by what it called since, or from elsewhere.";
    }
    if (option.state !== "no") return null;
    return `CONFIG_SCHED_STACK_END_CHECK is off${known(option)}: with it the scheduler stops at the first switch after the overwrite.`;
  },
};

const vmapStack: Rule = {
  id: "vmap-stack",
  say(crash) {
    const option = crash.option("VMAP_STACK");
    const task = crash.findings.stack === null || crash.findings.stack.kind === "task";
    if (!isKind(crash, "stack-overflow", "stack-end-corrupted", "foreign-write") || option.state !== "no" || !task)
      return null;
    return `CONFIG_VMAP_STACK is off${known(option)}: with it a guard page lies below each stack, and what runs over its end faults there instead of writing into other memory.`;
  },
};

const watchReference: Rule = {
  id: "watch-reference-canary",
  say(crash) {
    const at = crash.evidenceAt("reference-canary");
    if (!isKind(crash, "reference-canary-changed") || at === null || !canWatch(crash)) return null;
    const cpu = crash.findings.panic.cpu;
    const of = cpu === null ? "" : ` of CPU ${cpu}`;
    return `The reference canary${of} lies at ${hex(at)} (gs:0x28, or __stack_chk_guard since 6.15), in front of other per-CPU variables, and only the context switch writes it: a write watchpoint there (perf record -e mem:ADDRESS:w) names anybody else. Begin with what is added to a per-CPU variable through a wrong pointer.`;
  },
};

const watchReturn: Rule = {
  id: "watch-return-address",
  say(crash) {
    if (!isKind(crash, "return-address-corrupted") || crash.culprit === null || !canWatch(crash)) return null;
    return `Where it can be repeated, a hardware watchpoint on the return address names the writer: at the first instruction of ${crash.culprit} it lies at RSP, and nothing may write there until it returns.`;
  },
};

const stackProtector: Rule = {
  id: "stack-protector",
  say(crash) {
    const option = crash.option("STACKPROTECTOR");
    if (!isKind(crash, "return-address-corrupted", "undetermined") || option.state !== "no") return null;
    return `CONFIG_STACKPROTECTOR is off${known(option)}: with CONFIG_STACKPROTECTOR_STRONG every function with a buffer checks a canary before it returns.`;
  },
};

export const CORRUPTION_RULES: readonly Rule[] = [
  bufferBounds,
  stackEndWindow,
  watchSlot,
  watchStackEnd,
  watchReference,
  watchReturn,
  kasanStack,
  kasanForeign,
  fortify,
  ubsanBounds,
  timerObjects,
  stackProtector,
  vmapStack,
];
