/** The canary check looked at the wrong place: a stray transfer of control, a lost register, or the machine itself. */
import { type CrashCase, hex, known, listed, nameOf } from "./crash-case.ts";
import type { Rule } from "./rule.ts";

function mismatch(crash: CrashCase): boolean {
  return crash.verdict.kind === "frame-mismatch";
}

/** The culprit is another function than the one that noticed: it sent control into the middle of that one. */
function enteredInMiddle(crash: CrashCase): boolean {
  const { detector, verdict } = crash;
  return (
    mismatch(crash) && detector !== null && verdict.culprit !== null && verdict.culprit.function !== detector.function
  );
}

const strayTransfer: Rule = {
  id: "stray-transfer",
  say(crash) {
    if (!enteredInMiddle(crash) || crash.detector === null) return null;
    const { culprit } = crash.verdict;
    const frame = crash.findings.frames.find(
      (one) => one.function === culprit?.function && one.module === culprit?.module,
    );
    const at = frame?.offset == null ? "" : ` before ${frame.function}+${hex(BigInt(frame.offset))}`;
    return `Look at the call or jump of ${crash.culprit}${at}: where does the address come from that led into the middle of ${nameOf(crash.detector)}?`;
  },
};

const lostRegister: Rule = {
  id: "lost-register",
  say(crash) {
    const { detector } = crash;
    if (!mismatch(crash) || detector === null || enteredInMiddle(crash)) return null;
    const callees = crash.findings.stale.length;
    const stale = callees === 0 ? "" : "; what it called last left its return addresses behind (bt --stale)";
    return `Between the prologue of ${nameOf(detector)} and its check RBP or RSP got another value: by a callee that does not restore it (assembly, a hook), or because control never came through that prologue${stale}.`;
  },
};

/** An indirect branch must land on ENDBR where IBT is on; a return need not. */
const branchTracking: Rule = {
  id: "branch-tracking",
  say(crash) {
    if (!mismatch(crash)) return null;
    const option = crash.option("X86_KERNEL_IBT");
    if (option.state === "no") {
      return `CONFIG_X86_KERNEL_IBT is off${known(option)}: with it, on a CPU that has IBT, an indirect call or jump into the middle of a function faults right there.`;
    }
    if (option.state === "yes") {
      return `The kernel is built with CONFIG_X86_KERNEL_IBT${known(option)}: if this CPU has IBT, no indirect call or jump can have come into the middle of a function, but a return can.`;
    }
    return null;
  },
};

/** Modules that change the kernel's code while it runs. */
const PATCHER = /^(kpatch|livepatch|klp|ksplice|kgr|stap|kprobe|lttng|sysdig|falco|uprobe|dynamic_ftrace)/i;

const livePatching: Rule = {
  id: "live-patching",
  say(crash) {
    if (!mismatch(crash) && crash.verdict.kind !== "return-address-corrupted") return null;
    const patchers = crash.context.taintedModules.filter(
      ({ name, taints }) => taints.includes("K") || PATCHER.test(name),
    );
    if (patchers.length === 0 && !(crash.context.taints ?? "").includes("K")) return null;
    const who =
      patchers.length === 0
        ? "A live patch was applied"
        : `${listed(patchers.map(({ name }) => name))} can change the kernel's code while it runs`;
    return `${who}: repeat without, and compare the code of the functions above with the package's (dis).`;
  },
};

/** What the hardware itself said. */
const MACHINE_CHECK =
  /machine check|\[Hardware Error\]|\bmce: (?!CPU\d* supports|\[Firmware|Using)|EDAC .*(?:CE|UE)\b.*error/i;
const MICROCODE = /microcode.*\brevision\b|microcode: .*(?:0x[0-9a-f]+|updated)/i;

/** Code of the kernel's own that millions of machines run: then the machine is a suspect. */
const hardware: Rule = {
  id: "hardware",
  say(crash) {
    const { culprit } = crash.verdict;
    const builtIn = culprit?.module == null && crash.findings.frames.every((frame) => frame.module === null);
    const suspicious = mismatch(crash) || crash.verdict.kind === "return-address-corrupted";
    if (!suspicious || !builtIn) return null;
    const log = crash.context.log();
    // Of a text, only what is about the crash may be left.
    const whole = crash.findings.input.kind === "vmcore";
    const errors = log.filter((line) => MACHINE_CHECK.test(line));
    const said =
      errors.length === 0
        ? whole && log.length > 0
          ? " The log has no machine check."
          : ""
        : ` The log has ${errors.length} line${errors.length === 1 ? "" : "s"} of hardware errors, first: "${errors[0]!.trim().slice(0, 160)}".`;
    const microcode = log
      .find((line) => MICROCODE.test(line))
      ?.trim()
      .slice(0, 120);
    const revision = microcode === undefined ? "" : ` It says "${microcode}".`;
    return `No module's code is in the call chain: rule out the machine. Compare the microcode with the newest for this CPU, look at the machine check log (mcelog, rasdaemon, the BMC's), and see whether other machines with this kernel have it too.${said}${revision}`;
  },
};

export const MISMATCH_RULES: readonly Rule[] = [strayTransfer, lostRegister, branchTracking, livePatching, hardware];
