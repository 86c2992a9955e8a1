/** Walks of linked lists in the manner of crash's `list`: bounded, and honest about where a list is broken. */
import type { AddressSpace } from "../memory/address-space.ts";

export interface ListWalk {
  /**
   * What `start` is: the first entry of a list linked by pointers to entries (`entry`); an entry of a circular list of
   * list_heads (`member`); a list_head outside the entries (`head`).
   */
  readonly from: "entry" | "member" | "head";
  readonly start: bigint;
  /** Bytes from the start of an entry to its link: a pointer to the next entry, or the embedded list_head. */
  readonly offset: number;
  /** Of the first entry where that is another (`member` only). */
  readonly startOffset?: number;
  /** Follow `prev` instead of `next`; for list_heads. */
  readonly reverse?: boolean;
  /** Check that each list_head's `prev` points back, as CONFIG_DEBUG_LIST does. */
  readonly checkBack?: boolean;
  /** Stop before this entry (or link). */
  readonly end?: bigint;
  /** Entries at most. */
  readonly limit: number;
}

/** Why a walk ended before the list did. */
export type ListBreak =
  | { readonly reason: "unreadable"; readonly entry: bigint; readonly address: bigint }
  | { readonly reason: "null"; readonly entry: bigint; readonly address: bigint }
  | { readonly reason: "duplicate"; readonly entry: bigint; readonly address: bigint }
  | { readonly reason: "limit"; readonly entry: bigint; readonly address: bigint };

export interface WalkedList {
  readonly entries: readonly bigint[];
  /** Null where the list came to its end. `address` is what the last entry's link holds. */
  readonly broken: ListBreak | null;
  /** The first link whose neighbour does not point back, with what the neighbour holds instead. */
  readonly mismatch: { readonly link: bigint; readonly neighbour: bigint; readonly back: bigint } | null;
}

/** Follows a list from its start. Never throws: a damaged list ends with what is wrong with it. */
export function walkList(memory: AddressSpace, walk: ListWalk): WalkedList {
  const offset = BigInt(walk.offset);
  const heads = walk.from !== "entry";
  const step = walk.reverse ? 8n : 0n;
  const entries: bigint[] = [];
  const seen = new Set<bigint>();
  let mismatch: WalkedList["mismatch"] = null;
  // Where the pointer to the next one is read, and what ends the list by coming round to it.
  let link = walk.from === "head" ? walk.start : walk.start + BigInt(walk.startOffset ?? walk.offset);
  const home = heads ? link : walk.start;
  let entry = walk.start;
  if (walk.from !== "head") entries.push(walk.start);
  seen.add(home);
  const done = (reason: ListBreak["reason"] | null, address: bigint): WalkedList => ({
    entries,
    broken: reason === null ? null : { reason, entry, address },
    mismatch,
  });
  for (;;) {
    const next = memory.u64(link + step);
    if (next === null) return done("unreadable", link + step);
    if (next === home || next === walk.end || (heads && next - offset === walk.end)) return done(null, next);
    if (next === 0n) return done(heads ? "null" : null, next);
    if (walk.checkBack && mismatch === null) mismatch = notPointingBack(memory, link, next, step);
    if (!heads && next === entry) return done(null, next);
    if (seen.has(next)) return done(heads || next !== entries[1] ? "duplicate" : null, next);
    if (entries.length >= walk.limit) return done("limit", next);
    const nextEntry = heads ? BigInt.asUintN(64, next - offset) : next;
    const nextLink = heads ? next : next + offset;
    seen.add(next);
    // What cannot be read is no entry, as in crash; its address is told.
    if (memory.u64(nextLink + step) === null) return done("unreadable", next);
    entries.push(nextEntry);
    entry = nextEntry;
    link = nextLink;
  }
}

function notPointingBack(memory: AddressSpace, link: bigint, next: bigint, step: bigint): WalkedList["mismatch"] {
  const back = memory.u64(next + 8n - step);
  return back === null || back === link ? null : { link, neighbour: next, back };
}
