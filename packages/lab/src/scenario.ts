import type { OverflowCause, StackKind, VerdictKind } from "@spillway/core";

/** The truth about one way of breaking a stack: what a perfect diagnosis finds. */
export interface GroundTruth {
  readonly verdict: VerdictKind;
  /** Kinds that are not wrong either, where two descriptions fit the same crash. */
  readonly alsoRight: readonly VerdictKind[];
  readonly cause: OverflowCause | null;
  /** Functions that may be named as the culprit: whose code is at fault. Without compiler suffixes. Empty: nobody. */
  readonly culprits: readonly string[];
  /** The module of the culprits. */
  readonly module: string | null;
  /** The stack that broke. (On x86_64 soft interrupts run on the hardirq stack.) */
  readonly stack: StackKind | null;
  /**
   * Functions that were active, innermost first, in this order, from the one where things went wrong (or where it was
   * noticed) outwards. Others may lie between them; compiler suffixes (`.isra.0`) are left out.
   */
  readonly chain: readonly string[];
  /** Those of the chain whose frames can only be inferred: the return address into them was overwritten, all or in part. */
  readonly inferred: readonly string[];
  /**
   * Those of the chain that nothing in the dump need tell of: every trace of them is overwritten, and they were called
   * through pointers. A diagnosis may leave them out, and must say that frames are missing.
   */
  readonly lost: readonly string[];
  /** Functions that were not active, though a careless reader of the stack may think so. */
  readonly absent: readonly string[];
  /** For recursion: the functions of one turn, innermost first from some point of the turn. */
  readonly cycle: readonly string[];
  /** What the damaged bytes hold; null where no bytes of the stack were damaged. */
  readonly damage: string | null;
}

/** One way of breaking a kernel, and the truth about it. */
export interface Scenario {
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** Shell line that starts it in the guest; no single quotes. */
  readonly trigger: string;
  /** Shell lines to run before it. */
  readonly setup: readonly string[];
  readonly expected: GroundTruth;
}
