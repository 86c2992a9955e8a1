/** Where on a stack each live frame lies, and the registers that interrupts and exceptions saved between them. */
import type { StackRange } from "../kernel/kernel.ts";
import type { Frame } from "../unwind/backtrace.ts";
import { IRET_FRAME_OFFSET, PT_REGS_SIZE } from "../unwind/pt-regs.ts";
import type { MapContext, MappedTrace } from "./map-context.ts";

/** The part that the CPU pushes: RIP, CS, RFLAGS, RSP, SS. Bytes. */
const IRET_FRAME_SIZE = PT_REGS_SIZE - IRET_FRAME_OFFSET;

/** A frame's bytes on one stack. */
export interface FramePiece {
  readonly kind: "frame";
  readonly frame: Frame;
  readonly start: bigint;
  readonly end: bigint;
  /** Where its return address lies; null where it has none here (an interrupted caller, an entry). */
  readonly returnSlot: bigint | null;
  /** The frame that it returns to; null where that is not known. */
  readonly caller: Frame | null;
  /** The word that holds the stack pointer of the stack it came from, where it changed stacks. */
  readonly switchSlot: bigint | null;
  /** It began on this stack and went on, on another one. */
  readonly continued: boolean;
}

export interface RegistersPiece {
  readonly kind: "registers";
  readonly start: bigint;
  readonly end: bigint;
  /** A whole pt_regs; else only what the CPU pushes. */
  readonly whole: boolean;
  readonly userMode: boolean;
  /** The frame whose code they were saved for: the one that was interrupted; null for user mode. */
  readonly of: Frame | null;
}

export type Piece = FramePiece | RegistersPiece;

/** How far above a changed stack pointer's word the frame may go on. Words. */
const SWITCH_WORDS = 4;

/** The pieces of `stack` that belong to frames, from low to high; they do not overlap. */
export function piecesOf(context: MapContext, stack: StackRange): Piece[] {
  const { frames, userRegs } = context.trace;
  const on = (address: bigint): boolean => address >= stack.low && address < stack.high;
  const pieces: Piece[] = [];
  frames.forEach((frame, index) => {
    const next = frames[index + 1] ?? null;
    const here = context.stackOf(frame)?.low === stack.low;
    if (!here) {
      const rest = continuation(context, frame, next, on);
      if (rest !== null) pieces.push(rest);
      return;
    }
    const end = endOf(context.trace, frame, next, stack);
    // Only that it was entered is known of it: its return address is all of its frame whose place is.
    const entered = wasEntered(frame) && next !== null && next.sp === frame.sp && on(next.sp - 8n);
    const returns = next !== null && !next.interrupted && on(next.sp - 8n) && next.sp === end;
    const astray = !returns && beforeGap(context.trace, frame, next) && end === frame.cfa && end > frame.sp;
    pieces.push({
      kind: "frame",
      frame,
      start: entered ? frame.sp - 8n : frame.sp,
      end,
      returnSlot: returns || astray ? end - 8n : null,
      caller: returns ? next : null,
      switchSlot:
        next === null || context.stackOf(next)?.low === stack.low ? null : switchSlot(context, frame, next, end),
      continued: false,
    });
    const registers = next?.interrupted === true ? savedRegisters(context, end, next) : null;
    if (registers !== null) pieces.push(registers);
  });
  if (userRegs !== null && on(userRegs)) {
    const end = userRegs + BigInt(PT_REGS_SIZE);
    pieces.push({ kind: "registers", start: userRegs, end, whole: true, userMode: true, of: null });
  }
  return withoutOverlap(pieces, stack);
}

/** Recovered from an intact call of it further up, not from its own return address into the frame below. */
function wasEntered(frame: Frame): boolean {
  return frame.certainty === "inferred" && frame.function !== null && frame.offset === null;
}

/** Frames are missing between these two. */
function beforeGap(trace: MappedTrace, frame: Frame, next: Frame | null): boolean {
  return trace.gap != null && next !== null && wasEntered(next) && frame.cfa !== null && frame.cfa < next.sp;
}

function endOf(trace: MappedTrace, frame: Frame, next: Frame | null, stack: StackRange): bigint {
  const { high } = stack;
  const { userRegs } = trace;
  const within = (address: bigint | null): address is bigint =>
    address !== null && address >= frame.sp && address <= high;
  // Between these two, frames are missing: each ends where it says itself.
  if (beforeGap(trace, frame, next) && within(frame.cfa)) return frame.cfa;
  // Frames lie end to end, whatever the unwind data of one that ran displaced say; an interrupt's registers lie between.
  if (next !== null && within(next.sp) && next.sp > frame.sp) {
    return next.interrupted && within(frame.cfa) && frame.cfa <= next.sp ? frame.cfa : next.sp;
  }
  if (within(frame.cfa)) return frame.cfa;
  if (within(userRegs)) return userRegs;
  // Called over from another stack: the frame is all that is left up to the top.
  return next === null ? frame.sp : high;
}

/** The registers saved at `end`, on the way out to `next`: whole, or only what the CPU pushed; null where neither is there. */
function savedRegisters(context: MapContext, end: bigint, next: Frame): RegistersPiece | null {
  const { memory } = context.kernel;
  const whole = memory.u64(end + BigInt(IRET_FRAME_OFFSET)) === next.address;
  if (!whole && memory.u64(end) !== next.address) return null;
  const size = whole ? PT_REGS_SIZE : IRET_FRAME_SIZE;
  return { kind: "registers", start: end, end: end + BigInt(size), whole, userMode: false, of: next };
}

/** The word in the frame that keeps the stack pointer of the stack that `next` is on. */
function switchSlot(context: MapContext, frame: Frame, next: Frame, end: bigint): bigint | null {
  const from = context.stackOf(next);
  if (from === null) return null;
  for (let slot = frame.sp; slot < end && slot < frame.sp + BigInt(SWITCH_WORDS * 8); slot += 8n) {
    const value = context.kernel.memory.u64(slot);
    if (value !== null && value >= from.low && value <= next.sp) return slot;
  }
  return null;
}

/** What a frame that changed stacks left on the one it came from. */
function continuation(
  context: MapContext,
  frame: Frame,
  next: Frame | null,
  on: (address: bigint) => boolean,
): FramePiece | null {
  if (next === null || next.interrupted || !on(next.sp - 8n)) return null;
  const slot = switchSlot(context, frame, next, frame.sp + BigInt(SWITCH_WORDS * 8));
  const saved = slot === null ? null : context.kernel.memory.u64(slot);
  const start = saved !== null && saved <= next.sp - 8n ? saved : next.sp - 8n;
  return {
    kind: "frame",
    frame,
    start,
    end: next.sp,
    returnSlot: next.sp - 8n,
    caller: next,
    switchSlot: null,
    continued: true,
  };
}

/** Sorted by address, each cut off where the next begins; a damaged chain may say otherwise. */
function withoutOverlap(pieces: readonly Piece[], stack: StackRange): Piece[] {
  // Of two that begin at the same place the frame comes first: an entry's frame is empty, and its registers follow.
  const sorted = [...pieces].sort((a, b) =>
    a.start !== b.start ? (a.start < b.start ? -1 : 1) : a.kind === b.kind ? 0 : a.kind === "frame" ? -1 : 1,
  );
  return sorted.map((piece, index) => {
    const limit = sorted[index + 1]?.start ?? stack.high;
    return piece.end > limit ? { ...piece, end: limit } : piece;
  });
}
