/** Is this a kernel that the module was made for? */
import type { Host } from "../host.ts";
import { type Finding, forbids, note, ok, unknown } from "./finding.ts";
import type { KernelOptions } from "./kernel-options.ts";

/** Release series that the lab's tests run on. */
const TESTED = ["6.1", "6.12"] as const;
const OLDEST = [6, 1] as const;
const NEWEST = [6, 12] as const;

function before(one: readonly [number, number], other: readonly [number, number]): boolean {
  return one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);
}

function architecture(host: Host): Finding {
  const { machine } = host;
  if (machine === "x86_64") return ok("architecture", "the machine is x86_64", "uname -m");
  return forbids(
    "architecture",
    `the machine is ${machine}; the module switches stacks on x86_64 only`,
    "uname -m",
    "there is no guard for this architecture",
  );
}

function series(host: Host): Finding {
  const match = /^(\d+)\.(\d+)/.exec(host.release);
  const source = "uname -r";
  if (match === null) return note("release", `the release "${host.release}" says no version`, source);
  const version = [Number(match[1]), Number(match[2])] as const;
  const name = version.join(".");
  if (TESTED.some((tested) => tested === name)) return ok("release", `Linux ${name} is tested`, source);
  const between = !before(version, OLDEST) && !before(NEWEST, version);
  const where = between ? "lies between the tested ones" : "lies outside of what is tested";
  return note(
    "release",
    `Linux ${name} ${where} (${TESTED.join(" and ")}): untested`,
    source,
    "try it on a machine that you do not need; the module tests itself when it is loaded, and refuses where that fails",
  );
}

/** An option the module cannot do without. */
interface Needed {
  readonly option: string;
  readonly id: string;
  readonly why: string;
}

const NEEDED: readonly Needed[] = [
  { option: "THREAD_INFO_IN_TASK", id: "thread-info-in-task", why: "the task would live in its stack" },
  {
    option: "DYNAMIC_FTRACE_WITH_DIRECT_CALLS",
    id: "ftrace-direct-calls",
    why: "nothing else lets a module hook a function",
  },
  { option: "STACKTRACE", id: "stacktrace", why: "the module's self-test takes a stack trace" },
];

function needed(options: KernelOptions, host: Host, { option, id, why }: Needed): Finding {
  const known = options.option(option);
  if (known !== null && known.value !== "n") return ok(id, `CONFIG_${option}=${known.value}`, known.source);
  if (known !== null) {
    return forbids(
      id,
      `the kernel is built without CONFIG_${option}: ${why}`,
      known.source,
      "run a kernel that is built with it; those of Debian, Ubuntu, Fedora and RHEL are",
    );
  }
  // arch/x86/Kconfig selects it for every x86 kernel since 4.9 (15f4eae70d36).
  if (option === "THREAD_INFO_IN_TASK" && host.machine === "x86_64") {
    return ok(id, "CONFIG_THREAD_INFO_IN_TASK=y, as in every x86_64 kernel since 4.9", "uname -m");
  }
  return unknown(id, `whether the kernel has CONFIG_${option} is not known`, "the module does not build without it");
}

/** A task that dies on an extra stack leaves the poison of its frames there: whoever gets the stack next trips over it. */
function kasanStack(options: KernelOptions): Finding[] {
  const known = options.option("KASAN_STACK");
  if (known === null || known.value === "n") return [];
  const text = "the kernel is built with CONFIG_KASAN_STACK, which stays in an extra stack when a task dies on it";
  return [forbids("kasan-stack", text, known.source, "run a kernel without it; it is a debugging option")];
}

/** Options that change how the guard fares. `when` is the value the note is for. */
interface Noted {
  readonly option: string;
  readonly id: string;
  readonly when: "y" | "n";
  readonly text: string;
  readonly fine: string;
  readonly advice: string;
}

const UNTESTED = "try it on a machine that you do not need";

const NOTED: readonly Noted[] = [
  {
    option: "VMAP_STACK",
    id: "vmap-stack",
    when: "n",
    text: "CONFIG_VMAP_STACK is off: tasks' stacks have no guard page",
    fine: "tasks' stacks have guard pages (CONFIG_VMAP_STACK)",
    advice: "what overflows between two critical points damages memory in silence: keep the threshold low",
  },
  {
    option: "UNWINDER_ORC",
    id: "unwinder",
    when: "n",
    text: "the kernel does not unwind with ORC: untested",
    fine: "the kernel unwinds with ORC (CONFIG_UNWINDER_ORC)",
    advice: "the self-test at load refuses if backtraces do not cross a switch",
  },
  {
    option: "KASAN",
    id: "kasan",
    when: "y",
    text: "the kernel is built with KASAN: untested, and its stacks are of another size",
    fine: "the kernel is built without KASAN",
    advice: UNTESTED,
  },
  {
    option: "GCC_PLUGIN_STACKLEAK",
    id: "stackleak",
    when: "y",
    text: "the kernel erases stacks at the end of each system call (STACKLEAK): untested",
    fine: "the kernel is built without STACKLEAK",
    advice: UNTESTED,
  },
  {
    option: "CFI_CLANG",
    id: "cfi",
    when: "y",
    text: "the kernel checks indirect calls (CFI_CLANG): untested",
    fine: "the kernel is built without CFI_CLANG",
    advice: UNTESTED,
  },
];

function noted(options: KernelOptions, about: Noted): Finding[] {
  const known = options.option(about.option);
  if (known === null) return [];
  const off = known.value === "n";
  if (off === (about.when === "n")) return [note(about.id, about.text, known.source, about.advice)];
  return [ok(about.id, about.fine, known.source)];
}

function realtime(options: KernelOptions, host: Host): Finding {
  const version = host.text("/proc/version") ?? "";
  const known = options.option("PREEMPT_RT");
  if (!/\bPREEMPT_RT\b/.test(version) && (known === null || known.value === "n")) {
    return ok("realtime", "the kernel is no PREEMPT_RT kernel", known?.source ?? "/proc/version");
  }
  return note("realtime", "the kernel is a PREEMPT_RT kernel: untested", known?.source ?? "/proc/version", UNTESTED);
}

/** Architecture, release and build options. */
export function kernelFindings(host: Host, options: KernelOptions): Finding[] {
  return [
    architecture(host),
    series(host),
    ...NEEDED.map((option) => needed(options, host, option)),
    ...kasanStack(options),
    ...NOTED.flatMap((option) => noted(options, option)),
    realtime(options, host),
  ];
}
