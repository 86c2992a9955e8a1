import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { VerdictKind } from "../diagnose/diagnosis.ts";
import { configuredOptions, type KernelOptions } from "../kernel/option-state.ts";
import { chain, context, findings, type Given, hex, LOW, SIZE } from "./advice.fixture.ts";
import type { AdviceContext } from "./advice-input.ts";
import { advise, RULES } from "./advise.ts";
import { crashCase } from "./crash-case.ts";

function advice(given: Given): string[] {
  return advise(findings(given), context(given));
}

/** Options as a configuration has them; all that are not named are off. */
function config(...lines: readonly string[]): KernelOptions {
  const entries = lines.map((line): [string, string] => [line.split("=")[0]!, line.split("=")[1] ?? "y"]);
  return configuredOptions(new Map(entries), "the file");
}

const evidence = (...ids: readonly string[]) => ids.map((id) => ({ id, address: hex(LOW + 0x3000n), text: id }));
const OWN: Partial<AdviceContext> = { leads: { bufferCallees: [] } };
const PARSE: Given = {
  kind: "stack-buffer-overflow",
  culprit: "parse_value@vandal",
  rest: { evidence: evidence("buffer") },
};
const PANIC = findings(PARSE).panic;
const MODULE = { name: "blob", taints: "POE" };

/** What the advice must be: each part in a sentence of its own, in this order, and nothing else. */
const CASES: readonly [string, Given, readonly string[]][] = [
  [
    "an overrun buffer, nothing known of the kernel's options",
    { ...PARSE, context: { leads: { bufferCallees: ["lookup_field", "strcpy"] } } },
    [
      "the local buffer of parse_value [vandal] at 0xffffc90000013000: by its own code, and by lookup_field and strcpy, which get its address.",
      "A kernel with CONFIG_KASAN and CONFIG_KASAN_STACK reports the first byte written past a local variable, with the writer's backtrace, vandal built for it too.",
    ],
  ],
  [
    "an overrun buffer that debug information names",
    {
      ...PARSE,
      rest: {
        corruption: {
          start: "0x0",
          end: "0x8",
          bytes: 8,
          pattern: null,
          canary: null,
          variable: { name: "value", type: "char [32]", function: "parse_value", low: "0x0", high: "0x20" },
        },
      },
      context: { ...OWN, options: config("KASAN", "KASAN_STACK") },
    },
    ["the writes into value (char [32]) of parse_value [vandal]: by its own code.", "reported nothing"],
  ],
  [
    "without KASAN and FORTIFY_SOURCE, through strcpy",
    { ...PARSE, context: { options: config("STACKPROTECTOR"), leads: { bufferCallees: ["strcpy"] } } },
    [
      "by its own code, and by strcpy, which gets its address",
      "KASAN is off (no CONFIG_KASAN in the file)",
      "CONFIG_FORTIFY_SOURCE is off",
    ],
  ],
  [
    "with FORTIFY_SOURCE, through strcpy",
    { ...PARSE, context: { options: config("FORTIFY_SOURCE"), leads: { bufferCallees: ["strcpy"] } } },
    ["by its own code, and by strcpy", "KASAN is off"],
  ],
  [
    "with KASAN, but not for stacks",
    { ...PARSE, context: { ...OWN, options: config("KASAN", "UBSAN_BOUNDS") } },
    ["by its own code.", "KASAN is on, but not for stacks (no CONFIG_KASAN_STACK in the file)"],
  ],
  [
    "with KASAN for stacks, which saw nothing",
    { ...PARSE, context: { ...OWN, options: config("KASAN", "KASAN_STACK", "UBSAN_BOUNDS") } },
    ["by its own code.", "reported nothing: the writer is code without its checks"],
  ],
  [
    "written by the function's own code",
    { ...PARSE, context: { ...OWN, options: config("KASAN", "KASAN_STACK") } },
    ["by its own code.", "reported nothing", "CONFIG_UBSAN_BOUNDS reports the first index"],
  ],
  [
    "direct recursion",
    {
      kind: "stack-overflow",
      cause: "recursion",
      culprit: "walk@m",
      rest: {
        frames: chain(["walk@m", 128], ["walk@m", 128], ["measure@m", 64], ["do_syscall_64", 200]),
        recursion: { functions: ["walk"], firstFrame: 0, turns: 120, bytesPerTurn: 128 },
      },
    },
    [
      "walk [m] calls itself, first from measure [m]: a limit to the depth belongs in it.",
      "At 128 bytes a turn 64 turns take half of the 16,384 bytes",
    ],
  ],
  [
    "a circle of functions, told from where it was entered",
    {
      kind: "irq-stack-overflow",
      cause: "recursion",
      culprit: "b@m",
      rest: {
        frames: chain(["b@m", 64], ["a", 64], ["c@m", 64], ["b@m", 64], ["a", 64], ["start@m", 64]),
        recursion: { functions: ["b", "a", "c"], firstFrame: 0, turns: 2, bytesPerTurn: null },
      },
    },
    ["The circle is a -> b -> c -> a; it was entered through a, first from start [m], and a limit"],
  ],
  [
    "a large frame that the compiler must have warned of",
    {
      kind: "stack-overflow",
      cause: "large-frame",
      culprit: "expand@m",
      rest: { frames: chain(["expand@m", 14000], ["fill@m", 600], ["read@m", 64], ["do_syscall_64", 900]) },
      context: { options: config("FRAME_WARN=2048", "STACK_TRACER", "VMAP_STACK") },
    },
    [
      "expand [m] takes 14,000 of the stack's 16,384 bytes: its large locals belong on the heap (kmalloc), or in static data under a lock. The next largest: fill [m] 600 bytes.",
      "The compiler has warned of expand [m] if m was built with this kernel's options (CONFIG_FRAME_WARN=2048 in the file); -Werror=frame-larger-than=2048",
      "The kernel has the stack tracer (CONFIG_STACK_TRACER=y in the file): after echo 1",
    ],
  ],
  [
    "a large frame below the limit of the warning",
    {
      kind: "stack-overflow",
      cause: "large-frame",
      culprit: "expand",
      rest: { frames: chain(["expand", 6000], ["f", 64], ["do_syscall_64", 100]) },
      context: { options: config("FRAME_WARN=8192", "VMAP_STACK") },
    },
    ["expand takes 6,000 of", "-Wframe-larger-than=5888 makes the compiler name expand", "CONFIG_STACK_TRACER is off"],
  ],
  [
    "a frame larger than its stack: no tracer sees it",
    {
      kind: "stack-overflow",
      cause: "large-frame",
      culprit: "expand",
      rest: { frames: chain(["expand", 17000], ["f", 64], ["do_syscall_64", 100]) },
      context: { options: config() },
    },
    [
      "expand takes 17,000 of",
      "CONFIG_FRAME_WARN is off (no CONFIG_FRAME_WARN in the file): with -Wframe-larger-than=2048",
      "CONFIG_VMAP_STACK is off",
    ],
  ],
  [
    "a deep chain, most of it in one module",
    {
      kind: "stack-overflow",
      cause: "deep-call-chain",
      culprit: "c@m",
      rest: {
        frames: chain(["a@m", 800], ["b@m", 700], ["c@m", 900], ["d", 100], ["e@m", 300], ["do_syscall_64", 900]),
      },
      context: { options: config("VMAP_STACK", "STACK_TRACER") },
    },
    [
      "The three largest frames are those of c [m] 900, a [m] 800 and b [m] 700 bytes, 15 % of the stack; the other 2 take 400.",
      "4 of the 5 frames, 2,700 of 2,800 bytes, are those of the module m",
      "The kernel has the stack tracer",
    ],
  ],
  [
    "an overflow while a fault was reported",
    { kind: "stack-overflow", cause: "deep-call-chain", culprit: "c", rest: { evidence: evidence("earlier-fault") } },
    ["Begin with the earlier fault", "Where CONFIG_STACK_TRACER is on"],
  ],
  [
    "a word from elsewhere, in a dump without free pages",
    {
      kind: "foreign-write",
      rest: {
        frames: chain(["__stack_chk_fail", 8], ["estimate@m", 300], ["query@m", 64]),
        corruption: {
          start: "0x0",
          end: "0x8",
          bytes: 8,
          pattern: null,
          canary: { slot: hex(LOW + SIZE - 168n - 364n + 0x100n), expected: "0x1", found: "0x2" },
        },
      },
      context: { taintedModules: [MODULE], dumpLevel: 31 },
    },
    [
      "arm one (register_wide_hw_breakpoint, 8 bytes, write) on the canary of estimate [m] (RSP+0x100 inside it)",
      "KASAN reports such a write only where it hits the gap",
      "blob (POE) is proprietary or out of tree: see whether it happens without.",
      "Take the next dump with makedumpfile -d 15 (this one: 31), which keeps free pages",
    ],
  ],
  [
    "the end of a stack, found by the scheduler",
    {
      kind: "stack-end-corrupted",
      rest: {
        panic: {
          ...findings(PARSE).panic,
          message: "Kernel panic - not syncing: corrupted stack end detected inside scheduler",
        },
      },
      context: { options: config("SCHED_STACK_END_CHECK", "VMAP_STACK", "HAVE_HW_BREAKPOINT") },
    },
    [
      "The scheduler checks the word whenever",
      "Nothing writes the lowest word of a stack (here 0xffffc90000010000) after fork()",
    ],
  ],
  [
    "the end of a stack, found by something else",
    { kind: "stack-end-corrupted", context: { options: config("HAVE_HW_BREAKPOINT") } },
    ["CONFIG_SCHED_STACK_END_CHECK is off", "Nothing writes the lowest word", "CONFIG_VMAP_STACK is off"],
  ],
  [
    "a CPU without watchpoints",
    { kind: "stack-end-corrupted", context: { options: config("SCHED_STACK_END_CHECK", "VMAP_STACK") } },
    [],
  ],
  [
    "the reference canary",
    { kind: "reference-canary-changed", rest: { evidence: evidence("reference-canary") } },
    ["The reference canary of CPU 1 lies at 0xffffc90000013000"],
  ],
  [
    "a return address",
    {
      kind: "return-address-corrupted",
      culprit: "copy_label@m",
      context: { options: config("HAVE_HW_BREAKPOINT", "KASAN", "STACKPROTECTOR") },
    },
    ["at the first instruction of copy_label [m] it lies at RSP", "KASAN is on, but not for stacks"],
  ],
  [
    "control in the middle of a function",
    {
      kind: "frame-mismatch",
      culprit: "complete@m",
      rest: { frames: chain(["__stack_chk_fail", 8], ["audit@m", 64], ["complete@m", 64], ["f", 8]) },
      context: { options: config(), taintedModules: [{ name: "m", taints: "OE" }] },
    },
    [
      "Look at the call or jump of complete [m] before complete+0x10: where does the address come from that led into the middle of audit [m]?",
      "CONFIG_X86_KERNEL_IBT is off",
    ],
  ],
  [
    "a lost register in the kernel's own code, with a live patch and hardware errors",
    {
      kind: "frame-mismatch",
      culprit: "hrtimer_nanosleep",
      rest: {
        frames: chain(["__stack_chk_fail", 8], ["hrtimer_nanosleep", 64], ["do_futex", 64], ["f", 8]),
        stale: [{ function: "f", sp: null }],
      },
      context: {
        options: config("X86_KERNEL_IBT"),
        taintedModules: [{ name: "kpatch_7_0", taints: "OEK" }],
        taints: "MOEK",
        log: () => [
          "mce: [Hardware Error]: CPU 3: Machine Check: 0",
          "microcode: microcode updated early to revision 0x21",
        ],
      },
    },
    [
      "Between the prologue of hrtimer_nanosleep and its check RBP or RSP got another value",
      "if this CPU has IBT, no indirect call",
      "kpatch_7_0 can change the kernel's code while it runs",
      'The log has 1 line of hardware errors, first: "mce: [Hardware Error]: CPU 3: Machine Check: 0". It says "microcode: microcode updated early to revision 0x21".',
      "The kernel was tainted before (M): a machine check had happened.",
      "kpatch_7_0 (OEK) is out of tree",
    ],
  ],
  [
    "a sound stack",
    {
      kind: "not-stack-related",
      culprit: "peer_bytes@m",
      rest: { frames: chain(["peer_bytes@m", 8], ["f", 8]) },
      context: { options: config(), taintedModules: [MODULE], taints: "MPOE", dumpLevel: 31 },
    },
    [
      "Spillway has nothing more to say: this is no matter of the stack. Go on from peer_bytes [m]+0x10: dis -r 0xffffffff81000010",
    ],
  ],
  [
    "a crash that was asked for",
    { kind: "not-stack-related", culprit: "sysrq_handle_crash" },
    ["This crash was asked for"],
  ],
  [
    "a hung task",
    {
      kind: "not-stack-related",
      culprit: "watchdog",
      rest: { panic: { ...PANIC, message: "Kernel panic - not syncing: hung_task: blocked tasks" } },
    },
    ["The task that panicked only reports"],
  ],
  [
    "undetermined, for want of pages",
    {
      kind: "undetermined",
      rest: { frames: chain(["f", 8]), missing: ["The code of f is not in the dump."] },
      context: { dumpLevel: 31 },
    },
    [
      "Missing first of all: The code of f is not in the dump.",
      "makedumpfile -d 15 (this one: 31), which keeps free pages: pages that were wanted",
    ],
  ],
  [
    "certain, though a page was missing",
    {
      ...PARSE,
      rest: { missing: ["3 pages of the log are not in the dump"] },
      context: { dumpLevel: 31, options: config("KASAN", "KASAN_STACK") },
    },
    ["by its own code and by that of whatever gets its address.", "reported nothing"],
  ],
  [
    "undetermined, with nothing read",
    {
      kind: "undetermined",
      context: { imageProblems: ["SPW_IMAGE_TRUNCATED"], dumpLevel: 31 },
      rest: { missing: ["The stack is not in the dump."] },
    },
    ["The crashed CPU's registers and stack are what is missing", "The dump is not whole"],
  ],
  [
    "from a log, kdump loaded",
    {
      kind: "stack-overflow",
      cause: "recursion",
      rest: { input: { kind: "log", format: "console", path: "-" } },
      context: { log: () => ["CPU: 1 PID: 9 Comm: sh Kdump: loaded Not tainted"] },
    },
    ["kdump was loaded (the log says so): its vmcore, mostly under /var/crash, shows every frame with its bytes."],
  ],
  [
    "from a log, without kdump",
    { kind: "undetermined", rest: { input: { kind: "log", format: "console", path: "-" } } },
    ["With kdump (crashkernel= and its service) the next crash leaves a vmcore, which shows the stack itself."],
  ],
  [
    "from a session of crash",
    {
      kind: "stack-overflow",
      cause: "recursion",
      rest: { input: { kind: "crash-session", format: "crash", path: "-" } },
    },
    ["The vmcore of this session shows every frame with its bytes: spillway diagnose VMCORE."],
  ],
  [
    "a lockup",
    {
      kind: "not-stack-related",
      culprit: "watchdog_timer_fn",
      rest: { panic: { ...PANIC, message: "Kernel panic - not syncing: softlockup: hung tasks" } },
    },
    ["The detector panicked on a CPU that made no progress"],
  ],
  [
    "a timer still points into the frame",
    {
      kind: "foreign-write",
      rest: { evidence: [{ id: "holder", address: null, text: "The timer at 0x10 points there." }] },
      context: { options: config("KASAN") },
    },
    ["CONFIG_DEBUG_OBJECTS_TIMERS, which is off", "CONFIG_VMAP_STACK is off"],
  ],
  [
    "a kernel without canaries",
    { kind: "undetermined", rest: { frames: chain(["f", 8]) }, context: { options: config() } },
    ["CONFIG_STACKPROTECTOR is off"],
  ],
];

describe("advice", () => {
  test.each(CASES)("%s", (_what, given, expected) => {
    const got = advice(given);
    expect(
      got.map((sentence, index) => (sentence.includes(expected[index] ?? "\0") ? "as expected" : sentence)),
    ).toEqual(expected.map(() => "as expected"));
  });

  const KINDS: readonly VerdictKind[] = [
    ...([
      "stack-buffer-overflow",
      "stack-overflow",
      "irq-stack-overflow",
      "stack-end-corrupted",
      "foreign-write",
    ] as const),
    ...(["frame-mismatch", "reference-canary-changed", "return-address-corrupted", "undetermined"] as const),
  ];

  test("no sentence is said of every kind of crash", () => {
    const context = { taintedModules: [MODULE], taints: "M", dumpLevel: 31, imageProblems: [] };
    const said = KINDS.map((kind) =>
      advice({ kind, culprit: "f@m", rest: { frames: chain(["f@m", 8], ["g", 8]) }, context }),
    );
    const common = said.reduce((all, one) => all.filter((sentence) => one.includes(sentence)));
    // A machine check before the crash is the one thing that comes first whatever was seen.
    expect(common.filter((sentence) => !sentence.startsWith("The kernel was tainted before (M)"))).toEqual([]);
  });

  test("a kind alone, with nothing known besides, is worth no more than two sentences", () => {
    for (const kind of KINDS) expect(advice({ kind }).length, kind).toBeLessThanOrEqual(2);
  });

  test("every rule stands in docs/advice.md, and fires in a case here", () => {
    const documented = readFileSync(new URL("../../../../docs/advice.md", import.meta.url), "utf8");
    const missing = RULES.filter(({ id }) => !documented.includes(`\`${id}\``)).map(({ id }) => id);
    expect(missing).toEqual([]);
    const silent = RULES.filter(({ say }) =>
      CASES.every(([, given]) => say(crashCase(findings(given), context(given))) === null),
    );
    expect(silent.map(({ id }) => id)).toEqual([]);
    expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
  });
});
