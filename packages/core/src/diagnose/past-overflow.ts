/**
 * Had a stack run over its low end, although the calls that did it are over? Without a guard page nothing stops them, and what
 * they overwrote is noticed later. Their return addresses still lie there: one whose call's frame reaches from below the
 * stack's low end to above it can have got there in no other way.
 */
import type { CallSite } from "../code/call-site.ts";
import { frameLayout } from "../code/frame-layout.ts";
import type { StackRange } from "../kernel/kernel.ts";
import type { Frame } from "../unwind/backtrace.ts";
import { frameSizeAtCall, layoutAt } from "../unwind/step.ts";
import { walkStrict } from "../unwind/walk.ts";
import type { CrashFacts } from "./facts.ts";

export interface PastOverflow {
  readonly stack: StackRange;
  /** The calls that ran over, innermost first, as far as they can be followed from one to the next. */
  readonly frames: readonly Frame[];
  /** Index in `frames` of the one whose frame reaches across the stack's low end. */
  readonly crossing: number;
}

/** How far below a stack a call is looked for whose frame reaches up into it. Bytes. */
const REACH = 1 << 16;
/** How far below a return address its callee's is looked for: the callee's frame. Bytes. */
const LARGEST_CALLEE = 1 << 12;
const MOST_FRAMES = 4096;

interface PastCall {
  readonly slot: bigint;
  readonly site: CallSite;
  /** RSP to CFA at the call, in bytes. */
  readonly size: number;
}

/**
 * Looks for such calls around the low end of a stack that has no guard page; null where there are none.
 * @param inside also look for calls on the stack itself whose callee's frame did not fit above its low end
 */
export function findPastOverflow(facts: CrashFacts, stack: StackRange, inside: boolean): PastOverflow | null {
  if (stack.guardBelow === true) return null;
  const start = stack.low - BigInt(REACH);
  const words = new Words(facts, start, REACH * 2);
  const end = inside ? stack.low + BigInt(LARGEST_CALLEE) : stack.low;
  let best: PastOverflow | null = null;
  for (let slot = end - 8n; slot >= start; slot -= 8n) {
    const call = words.callAt(slot);
    if (call === null || !crosses(facts, call, stack)) continue;
    const inner = calleesBelow(facts, call);
    const outer = callersAbove(facts, call);
    // One word alone may have come there in any way.
    if (inner.length + outer.length < 2 && !keepsFramePointer(facts, call)) continue;
    if (best !== null && best.frames.length >= inner.length + outer.length) continue;
    best = { stack, frames: [...inner, ...outer], crossing: inner.length };
  }
  return best;
}

/** Did the frame of the call, or that of what it called, have one end on the stack and the other below it? */
function crosses(facts: CrashFacts, call: PastCall, stack: StackRange): boolean {
  const cfa = call.slot + 8n + BigInt(call.size);
  if (cfa <= stack.low || cfa > stack.high) return false;
  if (call.slot < stack.low) return true;
  const code = call.site.target === null ? null : facts.context.reader.functionAt(call.site.target);
  if (code === null || code.range.start !== call.site.target) return false;
  const depth = frameLayout(code).reduce((most, state) => Math.max(most, state?.rspDepth ?? 0), 0);
  return call.slot + 8n - BigInt(depth) < stack.low;
}

/** In code with frame pointers the callee saved the caller's RBP right below the return address: does it fit the frame? */
function keepsFramePointer(facts: CrashFacts, call: PastCall): boolean {
  const depth = layoutAt(facts.context, call.site.returnAddress, false)?.rbpDepth;
  if (depth == null) return false;
  return facts.kernel.memory.u64(call.slot - 8n) === call.slot + 8n + BigInt(call.size - depth);
}

function callersAbove(facts: CrashFacts, { slot, site }: PastCall): Frame[] {
  const state = { pc: site.returnAddress, exact: false, sp: slot + 8n, registers: new Map<string, bigint>() };
  return walkStrict(facts.context, state).frames.map((one) => pastFrame(facts, one.state.pc, one.state.sp, one.cfa));
}

/** The calls that the innermost one known led to: return addresses at the distance that their frames demand. */
function calleesBelow(facts: CrashFacts, from: PastCall): Frame[] {
  const frames: Frame[] = [];
  let upper = from;
  while (frames.length < MOST_FRAMES) {
    const lower = calleeOf(facts, upper);
    if (lower === null) break;
    frames.unshift(pastFrame(facts, lower.site.returnAddress, lower.slot + 8n, upper.slot + 8n));
    upper = lower;
  }
  return frames;
}

function calleeOf(facts: CrashFacts, upper: PastCall): PastCall | null {
  const words = new Words(facts, upper.slot - BigInt(LARGEST_CALLEE), LARGEST_CALLEE);
  for (let slot = upper.slot - 8n; slot >= upper.slot - BigInt(LARGEST_CALLEE); slot -= 8n) {
    const call = words.callAt(slot);
    if (call === null || slot + BigInt(call.size) !== upper.slot) continue;
    if (facts.context.reaches(upper.site, call.site.caller) !== "no") return call;
  }
  return null;
}

/** A stretch of memory, read once, and the return addresses in it. */
class Words {
  readonly #facts: CrashFacts;
  readonly #start: bigint;
  readonly #view: DataView;

  constructor(facts: CrashFacts, start: bigint, size: number) {
    this.#facts = facts;
    this.#start = start;
    const { bytes } = facts.kernel.memory.readSparse(start, size);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  callAt(slot: bigint): PastCall | null {
    const at = Number(slot - this.#start);
    // Kernel and module text lies in the top 2 GiB; a cheap test before any bigint is made.
    if (at < 0 || at + 8 > this.#view.byteLength || this.#view.getUint32(at + 4, true) !== 0xffff_ffff) return null;
    const { context } = this.#facts;
    const returnAddress = this.#view.getBigUint64(at, true);
    const site = context.callSite(returnAddress);
    const size = site === null ? null : frameSizeAtCall(context, returnAddress);
    return site === null || size === null || size <= 0 ? null : { slot, site, size };
  }
}

function pastFrame(facts: CrashFacts, address: bigint, sp: bigint, cfa: bigint | null): Frame {
  const range = facts.context.functionAt(address - 1n);
  return {
    function: range?.name ?? null,
    module: range?.module ?? null,
    start: range?.start ?? null,
    offset: range === null ? null : Number(address - range.start),
    address,
    sp,
    cfa,
    interrupted: false,
    certainty: "inferred",
    why: "the call is over; its return address still lies there",
    stack: facts.kernel.stackAt(sp)?.stack ?? null,
    registers: new Map(),
  };
}
