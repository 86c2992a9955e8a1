/** Turns the kernel's refusal of a module into words and advice. */
import { SpillwayError } from "@spillway/core";

/** What is known of a load that failed. */
export interface LoadFailure {
  /** The error's name; null where the program's message has none that is known. */
  readonly errno: string | null;
  /** What insmod or modprobe printed. */
  readonly output: string;
  /** What the kernel's log says of it (see troubleIn); null where it may not be read. */
  readonly log: readonly string[] | null;
  /** Whether root tried. */
  readonly root: boolean;
  readonly release: string;
  /** Whether sysctl kernel.ftrace_enabled is 0. */
  readonly ftraceOff: boolean;
}

interface Explanation {
  readonly message: string;
  readonly hint: string;
}

const FTRACE_OFF: Explanation = {
  message: "functions cannot be hooked: ftrace is switched off",
  hint: "sudo sysctl kernel.ftrace_enabled=1, and see that /etc/sysctl.d does not set it to 0 again",
};

/** What the log says decides before what the error number says: many reasons share one number. */
const BY_LOG: readonly (readonly [RegExp, (failure: LoadFailure, line: string) => Explanation])[] = [
  [
    /unsigned module|unavailable key|^Lockdown/i,
    () => ({
      message: "the kernel takes signed modules only, and this one is not, or with an unknown key",
      hint: "sign it with a key that the firmware knows (MOK): docs/guard.md, Secure boot",
    }),
  ],
  [
    /^version magic/,
    ({ release }, line) => ({
      message: `the module was built for another kernel: ${line}`,
      hint: `build it for this one: spillway guard build --kernel ${release}`,
    }),
  ],
  [
    /^(Unknown symbol|disagrees about)/,
    ({ release }, line) => ({
      message: `the module does not fit this kernel: ${line}`,
      hint: `build it for this one: spillway guard build --kernel ${release}`,
    }),
  ],
  [
    /no (direct|ipmodify) hooks on this kernel: -16/,
    () => ({ message: "functions cannot be hooked: all hooks are taken", hint: "spillway guard check says by whom" }),
  ],
  [
    /cannot be hooked: -16/,
    (_, line) => ({
      message: line,
      hint: "unload what holds it (bpftool prog; /sys/kernel/livepatch); or leave it out with --points, or try the other --mode",
    }),
  ],
  [
    /cannot be hooked/,
    (_, line) => ({
      message: line,
      hint: "see /sys/kernel/tracing/available_filter_functions for the functions that can be; --points names others",
    }),
  ],
  [
    /self-test/,
    (_, line) => ({
      message: `the module found by its self-test that it cannot work on this kernel: ${line}`,
      hint: "nothing was changed; please report it, with the output of spillway guard check",
    }),
  ],
  [
    /no memory/,
    (_, line) => ({ message: `there is too little memory: ${line}`, hint: "ask for fewer stacks with --stacks" }),
  ],
];

const BY_ERRNO: Readonly<Record<string, (failure: LoadFailure) => Explanation>> = {
  EPERM: ({ root }) =>
    root
      ? {
          message: "the kernel lets nobody here load modules",
          hint: "spillway guard check says why: a container, a locked down kernel, or kernel.modules_disabled",
        }
      : { message: "only root may load modules", hint: "run it with sudo" },
  EACCES: () => ({ message: "only root may load modules", hint: "run it with sudo" }),
  EKEYREJECTED: () => ({
    message: "the kernel takes modules only that are signed with a key it knows",
    hint: "sign it with a key that the firmware knows (MOK): docs/guard.md, Secure boot",
  }),
  ENOEXEC: ({ release }) => ({
    message: "this is no module for this kernel",
    hint: `build it for this one: spillway guard build --kernel ${release}`,
  }),
  ENOENT: ({ release }) => ({
    message: "the module needs something that this kernel has not",
    hint: `build it for this one: spillway guard build --kernel ${release}`,
  }),
  ENOMEM: () => ({ message: "there is too little memory", hint: "ask for fewer stacks with --stacks" }),
  EINVAL: () => ({ message: "the module refuses its parameters", hint: "see dmesg for which" }),
  EBUSY: () => ({
    message: "functions that were to be hooked are held by others, or ftrace is switched off",
    hint: "spillway guard check says by whom",
  }),
};

/** The error for a load that failed. */
export function loadError(failure: LoadFailure): SpillwayError {
  const facts = { errno: failure.errno, output: failure.output.trim(), log: failure.log ?? [] };
  const permission = failure.errno === "EACCES" || (failure.errno === "EPERM" && !failure.root);
  const code = permission ? "SPW_GUARD_PERMISSION" : "SPW_GUARD_LOAD_FAILED";
  const { message, hint } = explain(failure);
  return new SpillwayError(code, message, { class: "environment", facts, hint });
}

function explain(failure: LoadFailure): Explanation {
  const log = failure.log ?? [];
  // Whatever could not be hooked then, it is because of that.
  if (failure.ftraceOff && log.some((line) => /hook/.test(line))) return FTRACE_OFF;
  for (const [pattern, words] of BY_LOG) {
    const line = log.find((text) => pattern.test(text));
    if (line !== undefined) return words(failure, line);
  }
  // The module's own last word, as it is: "at most 1024 stacks, and 64 for each CPU".
  const own = log.at(-1);
  if (own !== undefined) return { message: `the module refuses: ${own}`, hint: "see spillway guard load --help" };
  const known = BY_ERRNO[failure.errno ?? ""];
  if (known !== undefined) return known(failure);
  const last = failure.output.trim().split("\n").at(-1) ?? "";
  return { message: `the module could not be loaded: ${last || "no reason was given"}`, hint: "see dmesg for more" };
}
