/** Did a stack run over its low end? From the kernel's own statement, the stack pointer, and the instruction that faulted. */
import { hex } from "../diagnose/evidence.ts";
import { stackAccesses } from "../diagnose/stack-access.ts";
import { hexNumber } from "./console/code-place.ts";
import { KERNEL_HALF } from "./kernel-address.ts";
import { headlineOf, type LogFacts } from "./log-facts.ts";
import { boundsAbove, printedAt, type StackBounds, stackKindOf, stackNameOf, stackSize } from "./stack-bounds.ts";

export interface LogOverflow {
  readonly bounds: StackBounds | null;
  /** Does the log say which stack it is? A double fault without a trace does not. */
  readonly whichStack: boolean;
  /** There was some room left when it was reported. */
  readonly near?: boolean;
  /** What could not be touched, or the stack pointer that lies outside. */
  readonly touched: bigint | null;
  readonly how: string;
  readonly weight: number;
}

/** What was found of an overflow: one, or a reason why what looks like one is none. */
export type OverflowFinding =
  | { readonly kind: "overflow"; readonly overflow: LogOverflow }
  /** A pointer led into a guard page; no stack ran over. */
  | { readonly kind: "stray-pointer"; readonly address: bigint; readonly bounds: StackBounds }
  /** The stack pointer itself leads nowhere. */
  | { readonly kind: "lost-stack-pointer"; readonly sp: bigint }
  | null;

const PAGE = 4096n;
/** The CPU pushes five to six words for an exception, from RSP rounded down to 16 bytes. */
const EXCEPTION_FRAME = 64n;

export function findLogOverflow(facts: LogFacts): OverflowFinding {
  const guard = headlineOf(facts, "guard-page");
  if (guard !== null) return guardPage(facts);
  const checked = headlineOf(facts, "stack-overflow");
  if (checked !== null) return checkedByArchitecture(facts);
  if (headlineOf(facts, "double-fault") !== null) return doubleFault(facts);
  if (headlineOf(facts, "stack-low") !== null) return lowStack(facts);
  return null;
}

/** arch/x86/kernel/traps.c: handle_stack_overflow() compares CR2 with the guard pages, not RSP. */
function guardPage(facts: LogFacts): OverflowFinding {
  const { registers } = facts.crash;
  const headline = headlineOf(facts, "guard-page")!;
  const touched = headline.address ?? registers?.faultAddress ?? null;
  const marker = facts.chain.frames[0]?.marker ?? null;
  const name = stackNameOf(headline, marker);
  if (touched === null || touched < KERNEL_HALF) {
    const how = "the kernel found the faulting address in a stack's guard page";
    return { kind: "overflow", overflow: { bounds: null, whichStack: true, touched: null, how, weight: 0.7 } };
  }
  const bounds = boundsAbove(facts, touched, name);
  const sp = registers?.sp ?? null;
  if (sp === null) {
    const how = `the access to ${hex(touched)} hit the guard page below it`;
    return { kind: "overflow", overflow: { bounds, whichStack: true, touched, how, weight: 0.75 } };
  }
  const reach = reachOf(facts, sp, touched, bounds.low);
  if (reach !== null)
    return { kind: "overflow", overflow: { bounds, whichStack: true, touched, how: reach, weight: 0.89 } };
  if (facts.code === null) {
    // Without the instruction: near RSP it is the stack that grew, far from it a pointer.
    if (sp - touched <= 512n) {
      const how = `the access to ${hex(touched)} hit the guard page, with RSP at ${hex(sp)}`;
      return { kind: "overflow", overflow: { bounds, whichStack: true, touched, how, weight: 0.7 } };
    }
  }
  return { kind: "stray-pointer", address: touched, bounds };
}

/** How the stack pointer reached `touched`; null where the faulting instruction went there by another register. */
function reachOf(facts: LogFacts, sp: bigint, touched: bigint, low: bigint): string | null {
  if (sp < low && sp >= low - (1n << 20n)) return `RSP is ${hex(sp)}, ${low - sp} bytes below its low end`;
  if (facts.code !== null) {
    for (const access of stackAccesses(facts.code.instruction, sp)) {
      if (access.address < low && access.address >= low - PAGE) {
        return `the instruction ${facts.code.text} ${access.how} at ${hex(access.address)}`;
      }
    }
  }
  // The CPU could not push the exception's frame; what it wanted to report is lost.
  if (sp >= low && sp - low < EXCEPTION_FRAME && touched >= low - EXCEPTION_FRAME) {
    return `RSP, ${hex(sp)}, leaves no room for an exception frame`;
  }
  return null;
}

/** arm64 since 4.14 (872d8327ce89), riscv, s390 and powerpc compare the stack pointer with the stack when an exception enters. */
function checkedByArchitecture(facts: LogFacts): OverflowFinding {
  const { registers, stacks } = facts.crash;
  const sp = registers?.sp ?? null;
  const base = { touched: sp, how: "the kernel's entry code found the stack pointer outside it" };
  if (sp === null) return { kind: "overflow", overflow: { ...base, bounds: null, whichStack: false, weight: 0.75 } };
  const own = stacks.filter((stack) => stack.name !== "overflow");
  const at = printedAt(own, sp);
  if (at !== null && at.stack.high !== null) {
    const { kind, name } = stackKindOf(at.stack.name);
    const bounds: StackBounds = { kind, name, low: at.stack.low, high: at.stack.high, printed: true };
    const how = at.below
      ? `the stack pointer is ${hex(sp)}, ${at.stack.low - sp} bytes below its low end`
      : `the stack pointer, ${hex(sp)}, leaves no room for an exception frame`;
    return {
      kind: "overflow",
      overflow: { touched: registers?.faultAddress ?? sp, how, bounds, whichStack: true, weight: 0.89 },
    };
  }
  if (own.length > 0 && own.some((stack) => stack.high !== null)) return { kind: "lost-stack-pointer", sp };
  return { kind: "overflow", overflow: { ...base, bounds: null, whichStack: false, weight: 0.8 } };
}

/** A double fault says only that an exception could not be delivered; RSP and CR2 tell whether the stack's end was why. */
function doubleFault(facts: LogFacts): OverflowFinding {
  const { registers, interleaved } = facts.crash;
  if (registers === null || facts.arch !== "x86_64") return null;
  const { sp, faultAddress } = registers;
  if (sp === null) return null;
  if (sp < KERNEL_HALF) return { kind: "lost-stack-pointer", sp };
  if (faultAddress === null || faultAddress < KERNEL_HALF) return null;
  const low = (faultAddress & ~(PAGE - 1n)) + PAGE;
  const near = faultAddress <= sp && sp - faultAddress <= EXCEPTION_FRAME;
  const marker = facts.chain.frames[0]?.marker ?? null;
  const bounds = boundsAbove(facts, faultAddress, marker);
  // A guard page of the task's own stack would have been named as one (since 4.9); what is left is another stack, or a frame
  // that passed over the guard page.
  const whichStack = marker !== null && marker !== "TASK";
  const code = facts.code === null ? null : stackAccesses(facts.code.instruction, sp).find((one) => one.address < low);
  // Below a page boundary with nothing mapped there, and the access went through RSP: pushed by the CPU or by the code.
  if (near && (sp < low || code !== undefined || sp - low < EXCEPTION_FRAME)) {
    const how = `a push at RSP, ${hex(sp)}, reached ${hex(faultAddress)} (CR2), where nothing is mapped`;
    return {
      kind: "overflow",
      overflow: { bounds, whichStack, touched: faultAddress, how, weight: interleaved ? 0.55 : 0.75 },
    };
  }
  if (sp < low && low - sp < PAGE && faultAddress < low) {
    const how = `RSP, ${hex(sp)}, and CR2, ${hex(faultAddress)}, are in one page where nothing is mapped`;
    return {
      kind: "overflow",
      overflow: { bounds, whichStack, touched: faultAddress, how, weight: interleaved ? 0.5 : 0.7 },
    };
  }
  return null;
}

/**
 * CONFIG_DEBUG_STACKOVERFLOW: an interrupt compares RSP with the stack it came upon (arch/x86/kernel/irq_64.c to 5.0,
 * irq_32.c, arch/powerpc/kernel/irq.c).
 */
function lowStack(facts: LogFacts): OverflowFinding {
  const { text } = headlineOf(facts, "stack-low")!;
  const over = /has overflown/.test(text);
  const match = /\(cur:([0-9a-f]{8,16}),\s*sp:([0-9a-f]{8,16})/.exec(text);
  const low = hexNumber(match?.[1]);
  const sp = hexNumber(match?.[2]) ?? facts.crash.registers?.sp ?? null;
  // A stack pointer far from the task's stack did not come there by calls.
  if (low !== null && sp !== null && (sp < low - 65536n || sp > low + 65536n))
    return { kind: "lost-stack-pointer", sp };
  const left = low === null || sp === null || sp < low ? "" : `, with ${sp - low} bytes left`;
  const how = over ? "an interrupt found RSP outside it" : `an interrupt found it nearly used up${left}`;
  const size = stackSize("task", facts.release, facts.kasan);
  const bounds: StackBounds | null =
    low === null ? null : { kind: "task", name: "", low, high: size === null ? null : low + size, printed: true };
  return {
    kind: "overflow",
    overflow: { bounds, whichStack: true, near: !over, touched: sp, how, weight: over ? 0.75 : 0.62 },
  };
}
