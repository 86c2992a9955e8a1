/** What to rule out before anything else, and what to capture next time. */
import type { VerdictKind } from "../diagnose/diagnosis.ts";
import { type CrashCase, listed } from "./crash-case.ts";
import type { Rule } from "./rule.ts";

/** Kinds where it is open who wrote, or how control got there. */
const WRITER_OPEN: ReadonlySet<VerdictKind> = new Set([
  "foreign-write",
  "stack-end-corrupted",
  "reference-canary-changed",
  "return-address-corrupted",
  "frame-mismatch",
  "undetermined",
]);

/** Modules from outside the kernel's sources, by the letters that tell so: P proprietary, O out of tree, F forced. */
const foreignModules: Rule = {
  id: "foreign-modules",
  say(crash) {
    const { verdict, context } = crash;
    const others = context.taintedModules.filter(
      ({ name, taints }) => /[POF]/.test(taints) && name !== verdict.culprit?.module,
    );
    if (!WRITER_OPEN.has(verdict.kind) || others.length === 0) return null;
    const named = others.slice(0, 6).map(({ name, taints }) => `${name} (${taints})`);
    const more = others.length > named.length ? ` and ${others.length - named.length} more` : "";
    const kinds = others.some(({ taints }) => taints.includes("P")) ? "proprietary or out of tree" : "out of tree";
    return `${listed(named)}${more} ${others.length === 1 ? "is" : "are"} ${kinds}: see whether it happens without.`;
  },
};

/** Taints that say that something had gone wrong before this crash (Documentation/admin-guide/tainted-kernels.rst). */
const EARLIER: Readonly<Record<string, string>> = {
  M: "a machine check had happened",
  B: "a page had been found in a bad state",
  R: "a module had been unloaded by force",
  F: "a module had been loaded by force",
  S: "the CPU is used out of its specification",
};

const earlierTaint: Rule = {
  id: "earlier-taint",
  say(crash) {
    const letters = [...(crash.context.taints ?? "")].filter((letter) => EARLIER[letter] !== undefined);
    if (crash.verdict.kind === "not-stack-related" || letters.length === 0) return null;
    return `The kernel was tainted before (${letters.join("")}): ${listed(letters.map((letter) => EARLIER[letter]!))}. Look at that first.`;
  },
};

/** Bits of makedumpfile's `-d`. */
const FREE_PAGES = 16;

const NEXT_DUMP = "Take the next dump";
const NOT_WHOLE = "The dump is not whole";

/** Whether a sentence is about the dump file, and not about the crash: an extract of the dump has other ones. */
export function isAboutFile(sentence: string): boolean {
  return sentence.startsWith(NEXT_DUMP) || sentence.startsWith(NOT_WHOLE);
}

/** Free pages hold what was freed while somebody still had a pointer to it: stacks of tasks that are gone, slabs. */
const dumpLevel: Rule = {
  id: "dump-level",
  say(crash) {
    const { dumpLevel: level } = crash.context;
    const { verdict, missing } = crash.findings;
    // What a certain verdict lacks would not have changed it; and types are never on free pages.
    const open = verdict.confidence !== "certain" || verdict.kind === "undetermined";
    const excluded = missing.filter(
      (text) => /not in the dump|excluded|left out/.test(text) && !/\(BTF\)/.test(text),
    ).length;
    const wanted = (open && excluded > 0) || verdict.kind === "foreign-write";
    // What a cut file lost was not left out.
    if (level === null || (level & FREE_PAGES) === 0 || !wanted || isCut(crash) || verdict.kind === "not-stack-related")
      return null;
    const why =
      excluded > 0
        ? "pages that were wanted are not in this dump"
        : "a stack or object that was freed may show the writer";
    return `${NEXT_DUMP} with makedumpfile -d ${level & ~FREE_PAGES} (this one: ${level}), which keeps free pages: ${why}.`;
  },
};

function isCut({ context }: CrashCase): boolean {
  return context.imageProblems.some((code) => code === "SPW_IMAGE_INCOMPLETE" || code === "SPW_IMAGE_TRUNCATED");
}

const incomplete: Rule = {
  id: "incomplete-dump",
  say: (crash) =>
    isCut(crash)
      ? `${NOT_WHOLE}: give the next one more room (disk of the dump target, or makedumpfile -d 31 -c), and copy it anew if this is a copy.`
      : null,
};

/** What a dump would add to a text, by verdict. */
const WOULD_SHOW: Partial<Record<VerdictKind, string>> = {
  "stack-buffer-overflow": "the overwritten bytes, and where they begin",
  "stack-overflow": "every frame with its bytes",
  "irq-stack-overflow": "every frame with its bytes",
  "stack-end-corrupted": "what the end of the stack holds, and how deep it was used",
  "foreign-write": "who else holds a pointer to that place",
  "frame-mismatch": "the whole stack and the code as it was in memory",
  "reference-canary-changed": "the per-CPU data around the reference",
  "return-address-corrupted": "the stack around the return address",
  undetermined: "the stack itself",
};

const kdump: Rule = {
  id: "kdump",
  say(crash) {
    const shows = WOULD_SHOW[crash.verdict.kind];
    const { kind } = crash.findings.input;
    if (kind === "vmcore" || shows === undefined) return null;
    if (kind === "crash-session") return `The vmcore of this session shows ${shows}: spillway diagnose VMCORE.`;
    const loaded = crash.context.log().some((line) => /\bKdump: loaded\b/.test(line));
    return loaded
      ? `kdump was loaded (the log says so): its vmcore, mostly under /var/crash, shows ${shows}.`
      : `With kdump (crashkernel= and its service) the next crash leaves a vmcore, which shows ${shows}.`;
  },
};

export const RULE_OUT: readonly Rule[] = [earlierTaint, foreignModules];
export const CAPTURE_RULES: readonly Rule[] = [incomplete, dumpLevel, kdump];
