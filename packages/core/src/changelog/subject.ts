/** What a verdict is about, as words to look for: functions, their source files, their module or subsystem. */
import type { Diagnosis, VerdictKind } from "../diagnose/diagnosis.ts";

export type SubjectSource = Pick<Diagnosis, "verdict" | "frames" | "recursion">;

export interface Term {
  /** For the list of matches: "function walk_tree", "subsystem ext4". */
  readonly label: string;
  readonly pattern: RegExp;
  /** How much a match says; only the order counts. */
  readonly weight: number;
  /** Where it is looked for: a subsystem is named in an entry's first line, or it is not what the entry is about. */
  readonly where: "text" | "whole";
}

/** Functions that every crash or half the kernel goes through: entries about them have nothing to do with this crash. */
const EVERYWHERE =
  /^(panic|vpanic|nmi_panic|__stack_chk_fail|oops_end|die|no_context|.*_bad_area.*|page_fault_oops|do_syscall_64|entry_\w+|asm_\w+|exc_\w+|ret_from_fork\w*|kthread|worker_thread|process_one_work|__?crash_kexec|machine_kexec|(ksys|vfs|sys)_(read|write|ioctl)|__(x64|se)_sys_\w+|memcpy|memset|strcpy|sprintf)$/;
/** Words that begin many functions' names and name no subsystem. */
const NO_SUBSYSTEM =
  /^(read|write|init|exit|start|stop|work|kernel|core|page|list|timer|find|alloc|free|check|test|lock|call|send|load|store|show|parse|handle|update|process|queue|common|generic|default)$/;
/** Frames whose functions are looked for where the verdict names none. */
const INNERMOST = 3;

interface Role {
  readonly function: string;
  readonly module: string | null;
  readonly file: string | null;
  readonly role: string;
  readonly weight: number;
}

/** The functions that the verdict rests on, each with the part it plays. */
function rolesOf(diagnosis: SubjectSource): Role[] {
  const { verdict, frames, recursion } = diagnosis;
  const roles: Role[] = [];
  const add = (
    name: string | null | undefined,
    module: string | null,
    role: string,
    weight: number,
    file: string | null,
  ): void => {
    const plain = name?.replace(/\.(?:isra|constprop|part|cold|llvm)\b.*$/, "");
    if (plain === undefined || plain === "" || EVERYWHERE.test(plain) || roles.some((one) => one.function === plain))
      return;
    roles.push({ function: plain, module, file, role, weight });
  };
  const { culprit } = verdict;
  if (culprit !== null) add(culprit.function, culprit.module, "culprit", 100, culprit.file);
  const check = frames.findIndex((frame) => frame.function === "__stack_chk_fail");
  const detector = check < 0 ? undefined : frames.slice(check + 1).find((frame) => !frame.inlined);
  if (detector !== undefined) add(detector.function, detector.module, "detector", 80, null);
  for (const name of recursion?.functions ?? []) {
    add(name, frames.find((frame) => frame.function === name)?.module ?? null, "recursion", 70, null);
  }
  if (roles.length === 0) {
    for (const frame of frames) {
      if (roles.length < INNERMOST) add(frame.function, frame.module, "innermost", 50, null);
    }
  }
  return roles;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** A name without an underscore or a digit is a word of plain English as well: then it must be written as a function. */
function functionPattern(name: string): RegExp {
  const plain = /^[a-z]+$/i.test(name);
  return new RegExp(`(?<![\\w.])${escaped(name)}${plain ? "\\(\\)" : "(?!\\w|\\.[chS]\\b)"}`);
}

/** "ext4: …", "fs/ext4: …", "[fs] ext4: …", "ext4/jbd2: …", "[ext4] …"; a dash counts as an underscore. */
function subsystemPattern(name: string): RegExp {
  const word = escaped(name).replaceAll("_", "[-_]");
  return new RegExp(`(?:^|[\\s/\\[(,])${word}(?:\\]|\\)?:|/[^\\s:]*:)`, "i");
}

function filePattern(file: string): RegExp {
  return new RegExp(`(?<![\\w./-])(?:[\\w.-]+/)*${escaped(file.split("/").slice(-2).join("/"))}(?!\\w)`);
}

/** The terms to look for, and what makes a match more likely to be the fix. */
export function subjectOf(diagnosis: SubjectSource): readonly Term[] {
  const roles = rolesOf(diagnosis);
  const terms: Term[] = [];
  const add = (term: Term): void => {
    if (!terms.some((one) => one.label === term.label)) terms.push(term);
  };
  for (const { function: name, role, weight } of roles) {
    add({ label: `function ${name} (${role})`, pattern: functionPattern(name), weight, where: "whole" });
  }
  for (const { file } of roles) {
    if (file !== null) add({ label: `file ${file}`, pattern: filePattern(file), weight: 60, where: "whole" });
  }
  for (const { module } of roles) {
    if (module !== null) {
      add({ label: `module ${module}`, pattern: subsystemPattern(module), weight: 30, where: "text" });
    }
  }
  for (const { module, function: name, file } of roles) {
    if (module !== null) continue;
    for (const word of subsystemWords(name, file)) {
      add({ label: `subsystem ${word}`, pattern: subsystemPattern(word), weight: 20, where: "text" });
    }
  }
  return terms;
}

/** What built-in code may be called: the first word of the function's name, its file's name. */
function subsystemWords(name: string, file: string | null): string[] {
  const words = name.split("_").filter((word) => word.length >= 4);
  const stem = file
    ?.split("/")
    .at(-1)
    ?.replace(/\.[chS]$/, "");
  return [...new Set([...words.slice(0, 2), ...(stem === undefined ? [] : [stem])])].filter(
    (word) => !NO_SUBSYSTEM.test(word),
  );
}

/** Wording that goes with each kind of trouble; it ranks what matches, and matches nothing by itself. */
const WORDING: Record<VerdictKind, RegExp | null> = {
  "stack-buffer-overflow": /overflow|overrun|out[- ]of[- ]bounds|\bOOB\b|\bbounds?\b|too (?:long|large)|length/i,
  "stack-overflow": /stack (?:usage|overflow|depth|frame|size)|frame size|on[- ]stack|recurs|nesting|depth/i,
  "irq-stack-overflow": /stack (?:usage|overflow|depth|frame|size)|frame size|on[- ]stack|recurs|nesting|depth/i,
  "stack-end-corrupted": /stack|overflow|out[- ]of[- ]bounds|memset|memcpy/i,
  "foreign-write": /use[- ]after|\bUAF\b|\brace|dangling|timer|cancel|stale|stack/i,
  "frame-mismatch": /microcode|unwind|ftrace|livepatch|kprobe|kretprobe|retpoline|indirect|\bstack\b|canary/i,
  "reference-canary-changed": /per-?cpu|canary|stackprotector|stack protector|\bgs\b/i,
  "return-address-corrupted": /overflow|overrun|out[- ]of[- ]bounds|\bOOB\b|stack|return address/i,
  "not-stack-related": /\bNULL\b|\boops|crash|panic|use[- ]after|\bUAF\b|\bBUG\b/i,
  undetermined: null,
};

export function wordingOf(kind: VerdictKind): RegExp | null {
  return WORDING[kind];
}
