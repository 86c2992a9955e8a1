/**
 * The call graph of a kernel as columns: what the code analyses fill in, and what bounds, paths and placements are computed
 * from. Functions, sites and sets are numbered from 0. Addresses are signed 32-bit numbers: x86_64 links the kernel and its
 * modules into the top 2 GiB (-mcmodel=kernel), so that `BigInt.asUintN(64, BigInt(address))` gives the address back.
 */

/** How sure an edge is; a bound says how many edges of each it rests on. */
export const CERTAINTIES = [
  /** The instruction names its target. */
  "proven",
  /** An indirect call through a known member of a known type, to a function that this member was given somewhere. */
  "typed",
  /** An indirect call to a function whose address is taken and whose prototype fits. */
  "assumed",
] as const;
export type EdgeCertainty = (typeof CERTAINTIES)[number];

/** How a function goes on in another one. A tail jump leaves nothing of its frame behind. */
export const SITE_KINDS = ["call", "tail", "indirect-call", "indirect-tail"] as const;
export type SiteKind = (typeof SITE_KINDS)[number];

/** What is known of the bytes at a site. */
export const DEPTH_KINDS = [
  /** ORC or the code says it, or both alike. */
  "exact",
  /** The code aligns RSP: the most that can be. */
  "at-most",
  /** RSP moves by an amount that the code computes (alloca, a variable-length array): `bytes` is without it. */
  "at-least",
  /** Nothing tells. `bytes` is 0. */
  "unknown",
  /**
   * The code has switched stacks (to a hardirq or softirq stack): `bytes` is counted from the top of that one, and nothing of
   * it is on the caller's.
   */
  "other-stack",
] as const;
export type DepthKind = (typeof DEPTH_KINDS)[number];

export interface FunctionColumns {
  readonly count: number;
  readonly name: readonly string[];
  /** Module name, null for the kernel. */
  readonly module: readonly (string | null)[];
  readonly start: Int32Array;
  /** One past the last byte. */
  readonly end: Int32Array;
  /**
   * Most bytes of stack that the function itself uses, from its CFA (which includes its return address) to the lowest RSP;
   * calls' own return addresses belong to the callee.
   */
  readonly ownBytes: Int32Array;
  /** Index into DEPTH_KINDS, for `ownBytes`. */
  readonly ownKind: Uint8Array;
  /**
   * 0 where the function never returns: no return in its code, and every tail jump leads to one that never does. `panic` and
   * what ends in it, but `do_exit` as well.
   */
  readonly returns: Uint8Array;
}

export interface SiteColumns {
  readonly count: number;
  /** The function that the site is in (its cold part counts as the function itself). Ascending. */
  readonly caller: Int32Array;
  /** Address of the call or jump. */
  readonly address: Int32Array;
  /** Index into SITE_KINDS. */
  readonly kind: Uint8Array;
  /** Bytes by which the callee's CFA lies below the caller's. 0 for a plain tail jump. */
  readonly bytes: Int32Array;
  /** Index into DEPTH_KINDS. */
  readonly depthKind: Uint8Array;
  /** The function that a direct site leads to; -1 for an indirect one, or where the target is no known function. */
  readonly callee: Int32Array;
  /** Set of callees that are typed (slot-matched); -1 where the slot is not known. */
  readonly typedSet: Int32Array;
  /** Set of callees that fit by prototype, the typed ones among them; -1 where not even the prototype is known. */
  readonly assumedSet: Int32Array;
}

/** Sets of functions, shared by the sites that lead to the same ones. */
export interface CalleeSets {
  readonly count: number;
  /** Where each begins in `members`; one more than there are sets. */
  readonly start: Int32Array;
  readonly members: Int32Array;
  /** What the set stands for: "file_operations.write_iter", or a prototype "ssize_t (struct kiocb *, struct iov_iter *)". */
  readonly label: readonly string[];
}

export interface CallGraph {
  /**
   * Code that runs at start-up only was there to be read: what it stores in memory that it allocates is in the typed sets. A
   * dump has none of it left.
   */
  readonly slotsWhole: boolean;
  readonly functions: FunctionColumns;
  readonly sites: SiteColumns;
  readonly sets: CalleeSets;
  /** What could not be followed, in words. */
  readonly problems?: readonly string[];
}
