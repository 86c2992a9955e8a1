/**
 * Has a stack run over its low end? Told from the registers at the fault, the faulting instruction and the stacks' ranges,
 * not from what the kernel printed.
 */
import type { StackRange } from "../kernel/kernel.ts";
import type { Frame } from "../unwind/backtrace.ts";
import { layoutAt } from "../unwind/step.ts";
import type { OverflowCause } from "./diagnosis.ts";
import { hex } from "./evidence.ts";
import { type CrashFacts, frameName } from "./facts.ts";
import { frameBytes } from "./frame-sizes.ts";
import { framesOf, homeStack, REACH_BELOW } from "./home-stack.ts";
import { type Cycle, findCycle, findIrregularRecursion } from "./recursion.ts";
import { stackAccesses } from "./stack-access.ts";

export interface Overflow {
  readonly stack: StackRange;
  /** Index in `frames` of the frame that ran over. */
  readonly index: number;
  /** Address that could not be touched, or the RSP that lies outside. */
  readonly touched: bigint;
  readonly how: string;
  readonly cause: OverflowCause;
  readonly cycle: Cycle | null;
  /** The largest frame on the stack. */
  readonly largest: { readonly frame: Frame; readonly bytes: number } | null;
  readonly culprit: Frame;
  readonly usedBytes: number;
}

/** A frame that takes this share of its stack can be the reason by itself … */
const LARGE_FRAME_SHARE = 1 / 4;
/** … if what is left without it is an ordinary depth: this share of the stack. */
const ORDINARY_SHARE = 1 / 2;
/** Recursion is the cause when its turns take this share of what was used. */
const RECURSION_SHARE = 1 / 3;

/** Finds the overflow that the fault shows; null where no stack ran over. */
export function findOverflow(facts: CrashFacts): Overflow | null {
  const hit = hitByFault(facts) ?? ranBelow(facts);
  if (hit === null) return null;
  const { stack, index } = hit;
  const onStack = framesOf(facts.frames, index, stack);
  const innermost = onStack[0] ?? facts.frames[index]!;
  const usedBytes = Math.min(Number(stack.high - innermost.sp), Number(stack.high - stack.low));
  const why = causeOf(facts, stack, onStack.length > 0 ? onStack : [innermost]);
  return { stack, index, touched: hit.touched, how: hit.how, ...why, usedBytes };
}

/**
 * Why so much of a stack was used.
 * @param onStack its frames from the innermost outwards, at least one
 */
export function causeOf(
  facts: CrashFacts,
  stack: StackRange,
  onStack: readonly Frame[],
): Pick<Overflow, "cause" | "cycle" | "largest" | "culprit"> {
  const regular = findCycle(onStack);
  const cycle = coversEnough(regular, onStack) ? regular : (findIrregularRecursion(onStack) ?? regular);
  const largest = largestFrame(facts, onStack);
  const innermost = onStack[0]!;
  const size = Number(stack.high - stack.low);
  const depth = Number(stack.high - innermost.sp);
  const recursive = cycle !== null && cycle.bytes >= depth * RECURSION_SHARE;
  const large =
    largest !== null &&
    largest.bytes >= size * LARGE_FRAME_SHARE &&
    (depth - largest.bytes <= size * ORDINARY_SHARE || largest.bytes >= size * ORDINARY_SHARE);
  const cause: OverflowCause = recursive ? "recursion" : large ? "large-frame" : "deep-call-chain";
  const culprit = recursive ? heaviest(cycle.frames) : (largest?.frame ?? innermost);
  return { cause, cycle, largest, culprit };
}

interface Hit {
  readonly stack: StackRange;
  readonly index: number;
  readonly touched: bigint;
  readonly how: string;
}

function hitByFault(facts: CrashFacts): Hit | null {
  const hit = facts.fault === null ? null : overrunAt(facts, facts.fault.index);
  return hit === null ? null : { ...hit, index: facts.fault!.index };
}

/**
 * Without a guard page a stack runs on into whatever lies below it, and something else crashes sooner or later: a frame of
 * the chain then lies below the stack that its callers are on.
 */
function ranBelow(facts: CrashFacts): Hit | null {
  for (const [index, frame] of facts.frames.entries()) {
    const stack = homeStack(facts, index);
    if (stack === null || frame.sp >= stack.low || frame.sp < stack.low - REACH_BELOW) continue;
    return { stack, index, touched: frame.sp, how: below(frame.sp, stack) };
  }
  return null;
}

function below(sp: bigint, stack: StackRange): string {
  return `its RSP is ${hex(sp)}, ${stack.low - sp} bytes below the stack`;
}

/** Did the frame at `index` touch memory below a stack it lies on? */
function overrunAt(facts: CrashFacts, index: number): { stack: StackRange; touched: bigint; how: string } | null {
  const { kernel, context, evidence } = facts;
  const frame = facts.frames[index]!;
  const stack = homeStack(facts, index);
  if (stack === null) return null;
  const isBelow = (address: bigint) => address < stack.low && address >= stack.low - REACH_BELOW;
  if (isBelow(frame.sp)) return { stack, touched: frame.sp, how: below(frame.sp, stack) };
  const [instruction] = context.reader.instructionsFrom(frame.address, 1);
  if (instruction !== undefined) {
    for (const access of stackAccesses(instruction, frame.sp)) {
      if (isBelow(access.address) && kernel.memory.translate(access.address) === null) {
        return {
          stack,
          touched: access.address,
          how: `its instruction at ${hex(frame.address)} ${access.how} at ${hex(access.address)}`,
        };
      }
    }
  }
  // Fault while the CPU itself pushed an exception frame: a double fault with RSP so near the end that 40 bytes do not fit.
  if (facts.fault?.kind === "double-fault" && frame.sp >= stack.low && frame.sp - stack.low < 48n) {
    return { stack, touched: stack.low - 8n, how: `its RSP ${hex(frame.sp)} leaves no room for an exception frame` };
  }
  if (facts.fault?.kind === "double-fault") evidence.miss("Which access caused the double fault could not be told.");
  return null;
}

function largestFrame(facts: CrashFacts, frames: readonly Frame[]): { frame: Frame; bytes: number } | null {
  let largest: { frame: Frame; bytes: number } | null = null;
  for (const [index, frame] of frames.entries()) {
    // The outermost function may carry the random offset that the kernel adds to each system call's stack on purpose
    // (CONFIG_RANDOMIZE_KSTACK_OFFSET, 5.13): up to 1 KiB that is nobody's local variable.
    if (index >= frames.length - 2 && movesStackFreely(facts, frame)) continue;
    const bytes = bytesIncludingOverrun(frame);
    if (bytes !== null && (largest === null || bytes > largest.bytes)) largest = { frame, bytes };
  }
  return largest;
}

/** RSP moves by an amount that is not in the code: alloca(), a variable-length array, an alignment. */
function movesStackFreely(facts: CrashFacts, frame: Frame): boolean {
  const layout = layoutAt(facts.context, frame.address, frame.interrupted);
  return layout !== null && layout.rspDepth === null;
}

/** The innermost frame may reach below the stack; its size counts whole. */
function bytesIncludingOverrun(frame: Frame): number | null {
  if (frame.cfa !== null && frame.cfa > frame.sp && frame.cfa - frame.sp < 1n << 20n)
    return Number(frame.cfa - frame.sp);
  return frameBytes(frame);
}

/**
 * Of a cycle's functions, the one with the largest frame. Where a module's functions and the kernel's own take part, a
 * module's: the kernel's are shared by many callers, and it is the module that closes the circle.
 */
function heaviest(frames: readonly Frame[]): Frame {
  const modules = frames.filter((frame) => frame.module !== null);
  const candidates = modules.length > 0 ? modules : frames;
  let best = candidates[0]!;
  for (const frame of candidates) if ((frameBytes(frame) ?? 0) > (frameBytes(best) ?? 0)) best = frame;
  return best;
}

function coversEnough(cycle: Cycle | null, frames: readonly Frame[]): boolean {
  const first = frames[0];
  const last = frames.at(-1);
  if (cycle === null || first === undefined || last === undefined) return false;
  return cycle.bytes >= Number(last.sp - first.sp) * RECURSION_SHARE;
}

/** Adds the evidence for an overflow, each item with its address. */
export function explainOverflow(facts: CrashFacts, overflow: Overflow): void {
  const { evidence, kernel } = facts;
  const { stack, cycle, largest } = overflow;
  const frame = facts.frames[overflow.index]!;
  evidence.add("stack-range", stack.low, `The ${stackName(stack)} is ${hex(stack.low)}-${hex(stack.high)}.`);
  evidence.add("overrun", overflow.touched, `${frameName(frame)} ran over its low end: ${overflow.how}.`);
  if (kernel.memory.translate(stack.low - 1n) === null) {
    evidence.add(
      "guard-page",
      stack.low - 4096n,
      "Nothing is mapped below the stack, so the access faulted (guard page).",
    );
  }
  const cr2 = kernel.image.cpuNotes.find(
    (note) => note.control?.cr2 !== undefined && within(note.control.cr2, overflow),
  )?.control?.cr2;
  if (cr2 !== undefined)
    evidence.add("cr2", cr2, `CR2, the address of the last page fault, is ${hex(cr2)}: below the stack.`);
  if (cycle !== null) {
    evidence.add(
      "recursion",
      cycle.frames[0]!.sp,
      `${cycle.functions.join(" <- ")} repeats ${cycle.turns} times, ${cycle.bytesPerTurn} bytes a turn, ${cycle.bytes} bytes in all.`,
    );
  }
  if (largest !== null) {
    evidence.add(
      "largest-frame",
      largest.frame.sp,
      `The largest frame is that of ${frameName(largest.frame)}: ${largest.bytes} bytes.`,
    );
  }
}

function within(address: bigint, overflow: Overflow): boolean {
  return address < overflow.stack.low && address >= overflow.stack.low - REACH_BELOW;
}

/** "task stack", "hardirq stack of CPU 1", "NMI exception stack of CPU 0". */
export function stackName(stack: StackRange): string {
  const kind = stack.name === "" ? stack.kind : `${stack.name} ${stack.kind}`;
  return stack.cpu === null ? `${kind} stack` : `${kind} stack of CPU ${stack.cpu}`;
}
