import type { StackRange } from "../kernel/kernel.ts";

/**
 * How far a frame can be trusted.
 * - `proven`: its return address (or exact IP) stands where the unwind data says, follows a call, and that call reaches the
 *   callee's frame;
 * - `inferred`: destroyed or partly overwritten, recovered from what is left; `why` says from what.
 */
export type Certainty = "proven" | "inferred";

/** One frame, innermost first in a backtrace. */
export interface Frame {
  /** Name as kallsyms has it (compiler suffix kept), or null where the address is in no known function. */
  readonly function: string | null;
  readonly module: string | null;
  /** First address of the function, or null. */
  readonly start: bigint | null;
  /** `address` minus `start` in bytes, or null. */
  readonly offset: number | null;
  /** Return address into this function, or its exact IP when it was `interrupted` or is the innermost. */
  readonly address: bigint;
  /** RSP of this frame at `address` (the return address that gave `address` lies at sp - 8). */
  readonly sp: bigint;
  /** Canonical frame address: RSP before the call that entered this function pushed its return address, + 0; the frame's
   * own return address lies at cfa - 8. Null where the unwind data gives none. */
  readonly cfa: bigint | null;
  /** `address` is exact: the frame was interrupted here (fault, IRQ, NMI) or is where the CPU stood. */
  readonly interrupted: boolean;
  readonly certainty: Certainty;
  readonly why: string | null;
  /** The stack this frame lies on. */
  readonly stack: StackRange | null;
  /** Registers known in this frame (callee-saved ones recovered on the way; all of them in an interrupted frame). */
  readonly registers: ReadonlyMap<string, bigint>;
}

/** A return address left on the stack by an earlier call: never a frame. */
export interface StaleReturn {
  readonly function: string;
  readonly module: string | null;
  readonly offset: number;
  readonly address: bigint;
  /** Where on the stack it lies. */
  readonly slot: bigint;
}

/** What stopped the walk outwards. */
export type BacktraceEnd =
  /** Reached user mode (its registers in `userRegisters`). */
  | "user"
  /** Reached where a kernel thread or an idle CPU starts. */
  | "kernel-entry"
  /** Could not be followed further; `stopped` says why. */
  | "lost";

export interface Backtrace {
  readonly task: bigint | null;
  readonly cpu: number | null;
  readonly frames: readonly Frame[];
  readonly end: BacktraceEnd;
  /** Words on why the walk stopped where `end` is `lost`. */
  readonly stopped: string | null;
  /** Address of the saved pt_regs of user mode, if reached. */
  readonly userRegs: bigint | null;
  /** Where the starting registers came from: "note" (the dump's notes), "saved" (a task not running), "stack" (found on its stack). */
  readonly source: "note" | "saved" | "stack";
}
