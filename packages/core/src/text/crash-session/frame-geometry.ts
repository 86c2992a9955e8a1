/** Where a frame must lie by its code, and where the CPU took it to lie. */
import { type CanarySlot, findCanarySlot, isReference } from "./canary-slot.ts";
import { frameDepths } from "./frame-depths.ts";
import { type CrashSession, type SessionCode, type SessionFrame, type SessionTask, wordAt } from "./session.ts";

export interface FrameGeometry {
  readonly frame: SessionFrame;
  readonly code: SessionCode;
  /** Where the call out of the frame left its return address. */
  readonly callSlot: bigint;
  /** RSP before that call. */
  readonly rsp: bigint;
  /** CFA - RSP at the call, in bytes, as the code says. */
  readonly depth: number;
  /** The canonical frame address that follows; the frame's own return address lies 8 bytes below. */
  readonly cfa: bigint;
  readonly canary: CanarySlot | null;
  /** Where the canary's slot is by RSP; null where the code does not show it. */
  readonly slot: bigint | null;
  /** For functions that find their frame through RBP. */
  readonly rbp: {
    /** What it must be for this frame. */
    readonly expected: bigint;
    /** What it was when the function made the call, as its callee saved it, and where; null where not shown. */
    readonly actual: bigint | null;
    readonly savedAt: bigint;
    /** How it is known that the callee saved it there. */
    readonly why: string | null;
  } | null;
}

/**
 * The geometry of the frame whose call to `frames[index - 1]` is under way. Null where the session lists too little of its
 * code.
 */
export function frameGeometry(session: CrashSession, task: SessionTask, index: number): FrameGeometry | null {
  const frame = task.frames[index];
  const code = frame === undefined ? undefined : session.code.get(frame.function);
  if (frame === undefined || code === undefined) return null;
  const depths = frameDepths(code);
  const call = code.instructions.findIndex((one) => one.flow === "call" && isBefore(one.address, frame.address));
  const canary = findCanarySlot(code);
  // Where the listing does not lead to the call: a compiler's frame is set up when the canary is stored or checked, and RSP
  // stays where it is in between.
  const atCanary = code.instructions.findIndex((one, at) => depths[at] !== null && one.operands.some(isReference));
  const depth = call < 0 ? null : (depths[call] ?? depths[atCanary] ?? null);
  if (depth === null) return null;
  const callSlot = frame.slot;
  const rsp = callSlot + 8n;
  const cfa = rsp + BigInt(depth);
  const expected = usesFramePointer(code, depths, canary) ? cfa - 16n : null;
  const base = canary === null ? null : canary.base === "rbp" ? expected : rspAt(rsp, depth, depths[canary.index]!);
  return {
    frame,
    code,
    callSlot,
    rsp,
    depth,
    cfa,
    canary,
    slot: base === null || canary === null ? null : base + canary.displacement,
    rbp: expected === null ? null : { expected, ...savedRbp(session, task, index, callSlot) },
  };
}

/** Bytes of a near call. */
const CALL_BYTES = [5n, 2n, 3n, 6n, 7n];

function isBefore(call: bigint, returnAddress: bigint): boolean {
  return CALL_BYTES.some((length) => call + length === returnAddress);
}

/** RSP at another instruction of the same frame. */
function rspAt(rsp: bigint, depth: number, other: number | null): bigint | null {
  return other === null ? null : rsp + BigInt(depth - other);
}

/**
 * `push %rbp; mov %rsp,%rbp` makes RBP the CFA less 16. Where the prologue is left out of the listing, `pop %rbp` as the
 * last thing before the return, in a function that reaches its canary through RBP, says the same.
 */
function usesFramePointer(code: SessionCode, depths: readonly (number | null)[], canary: CanarySlot | null): boolean {
  return code.instructions.some((one, index) => {
    const [first, second] = one.operands;
    if (one.mnemonic === "mov" && first?.kind === "register" && first.register === "rbp") {
      return second?.kind === "register" && second.register === "rsp" && (depths[index] ?? 16) === 16;
    }
    if (canary?.base !== "rbp") return false;
    if (one.mnemonic === "leave") return true;
    return one.mnemonic === "pop" && first?.kind === "register" && first.register === "rbp" && depths[index] === 16;
  });
}

/**
 * A callee with a frame pointer saves its caller's right below its return address. That it did is shown by its own RBP,
 * which the next callee saved in turn: it must be that very place.
 */
function savedRbp(
  session: CrashSession,
  task: SessionTask,
  index: number,
  callSlot: bigint,
): { actual: bigint | null; savedAt: bigint; why: string | null } {
  const savedAt = callSlot - 8n;
  const callee = task.frames[index - 1];
  const next = callee === undefined ? null : wordAt(session, callee.slot - 8n);
  const listed = callee === undefined ? undefined : session.code.get(callee.function);
  const first = listed?.instructions.find((one) => one.mnemonic === "push");
  const pushes = first?.operands[0]?.kind === "register" && first.operands[0].register === "rbp";
  const why =
    callee === undefined
      ? null
      : next === savedAt
        ? `${callee.function}'s own RBP, saved at 0x${(callee.slot - 8n).toString(16)}, is that place`
        : pushes
          ? `${callee.function} begins with push %rbp`
          : null;
  return { actual: why === null ? null : wordAt(session, savedAt), savedAt, why };
}
