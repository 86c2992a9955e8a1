/**
 * Where can a call to this frame have come from, when its return address is destroyed? Each answer rests on something the
 * overwrite left alone; recover.ts then demands that the rest of the stack agrees.
 */
import { type CallSite, callSitesIn } from "../code/call-site.ts";
import { directCallers } from "../code/direct-callers.ts";
import type { FunctionRange } from "../symbols/symbol-table.ts";
import { hex } from "./link.ts";
import { frameSizeAtCall } from "./step.ts";
import type { UnwindContext } from "./unwind-context.ts";
import { walkStrict } from "./walk.ts";

export interface Candidate {
  readonly returnAddress: bigint;
  /** What it rests on, for the frame's `why`. */
  readonly why: string;
  /** Lower is better: how much of it is assumption. */
  readonly rank: number;
}

/** Bytes in which two 64-bit values agree, counted one by one. */
export function equalBytes(a: bigint, b: bigint): number {
  let difference = a ^ b;
  let equal = 0;
  for (let index = 0; index < 8; index++) {
    if ((difference & 0xffn) === 0n) equal++;
    difference >>= 8n;
  }
  return equal;
}

/**
 * Return addresses that differ from the value found in one byte only, or in its low bytes only (an overrun climbs from the
 * lowest byte), and come from a call that reaches `callee` directly.
 */
export function fromPartialOverwrite(context: UnwindContext, callee: FunctionRange, found: bigint): Candidate[] {
  const result = new Map<bigint, Candidate>();
  const add = (returnAddress: bigint, how: string) => {
    if (returnAddress === found || result.has(returnAddress)) return;
    const site = context.callSite(returnAddress);
    if (site === null || context.reaches(site, callee) !== "direct") return;
    const why = `the word at the return slot (${hex(found)}) is this return address but for ${how}; the call before it goes to ${callee.name}`;
    result.set(returnAddress, { returnAddress, why, rank: 0 });
  };
  for (let byte = 0n; byte < 8n; byte++) {
    const shift = byte * 8n;
    const rest = found & ~(0xffn << shift);
    for (let value = 0n; value < 256n; value++) {
      const changed = rest | (value << shift);
      if (directCallTo(context, changed, callee)) add(changed, `byte ${byte}, which was changed`);
    }
  }
  for (const site of directCallers(context.reader, callee)) {
    if (site.returnAddress >> 16n === found >> 16n) add(site.returnAddress, "its two low bytes, which were changed");
  }
  return [...result.values()];
}

/** Cheap test before decoding: five bytes before `value` stand a near call into `callee`. */
function directCallTo(context: UnwindContext, value: bigint, callee: FunctionRange): boolean {
  const { symbols, memory } = context.kernel;
  if (!symbols.isText(value - 1n) || memory.u8(value - 5n) !== 0xe8) return false;
  const relative = memory.i32(value - 4n);
  if (relative === null) return false;
  const target = value + BigInt(relative);
  return target >= callee.start && target < callee.end;
}

/** All direct calls of `callee`. */
export function fromDirectCallers(context: UnwindContext, callee: FunctionRange, found: bigint | null): Candidate[] {
  const sites = directCallers(context.reader, callee);
  return sites.map((site) => ({
    returnAddress: site.returnAddress,
    why:
      sites.length === 1
        ? `${site.caller.name} makes the only direct call of ${callee.name}`
        : `${site.caller.name} makes one of the ${sites.length} direct calls of ${callee.name}, and its frame fits the stack above`,
    rank: 1 + (found === null ? 0 : (8 - equalBytes(found, site.returnAddress)) / 16),
  }));
}

/** A return address further up from which the rest of the stack is proven to its end. */
export interface Anchor {
  readonly slot: bigint;
  readonly returnAddress: bigint;
  /** The function its call targets, or null for an indirect call. */
  readonly target: FunctionRange | null;
}

/** How far above the damage an anchor is looked for, in words; damage larger than this leaves no frame to join. */
const MAX_ANCHOR_WORDS = 2048;

/** Anchors at or above `from`, lowest first. */
export function findAnchors(context: UnwindContext, from: bigint, most: number): Anchor[] {
  const stack = context.stackAt(from);
  if (stack === null) return [];
  const anchors: Anchor[] = [];
  let words = 0;
  for (let slot = from; slot < stack.high && words < MAX_ANCHOR_WORDS && anchors.length < most; slot += 8n, words++) {
    const value = context.kernel.memory.u64(slot);
    if (value === null || !context.kernel.symbols.isText(value - 1n)) continue;
    const site = context.callSite(value);
    if (site === null) continue;
    const walk = walkStrict(context, { pc: value, exact: false, sp: slot + 8n, registers: new Map() });
    if (walk.broken !== null) continue;
    const target = site.target === null ? null : context.functionAt(site.target);
    anchors.push({ slot, returnAddress: value, target });
  }
  return anchors;
}

/**
 * Calls by functions that anchors prove to have been entered, at a stack depth that puts their callee exactly at `cfa`.
 * This reaches through function pointers, where no direct caller is known.
 */
export function fromAnchors(
  context: UnwindContext,
  anchors: readonly Anchor[],
  callee: FunctionRange | null,
  cfa: bigint,
  found: bigint | null,
): Candidate[] {
  const result: Candidate[] = [];
  for (const anchor of anchors) {
    if (anchor.target === null || anchor.slot + 8n <= cfa) continue;
    for (const site of callSitesIn(context.reader, anchor.target.start)) {
      const size = frameSizeAtCall(context, site.returnAddress);
      if (size === null || anchor.slot + 8n - BigInt(size) !== cfa) continue;
      const reach = callee === null ? "indirect" : context.reaches(site, callee);
      if (reach === "no") continue;
      const at = `the intact return address at ${hex(anchor.slot)} proves that ${anchor.target.name} was called; its frame is ${size} bytes there`;
      if (callee === null) {
        result.push(towardsUnknown(context, site, found, at));
        continue;
      }
      const how = reach === "indirect" ? "through a pointer" : "directly";
      result.push({
        returnAddress: site.returnAddress,
        why: `${at}, and it calls ${callee.name} ${how}`,
        rank: reach === "indirect" ? 1.5 : 1,
      });
    }
  }
  return result;
}

/** A call whose callee returned to a bad address: the more of that address is this call's own, the better founded. */
function towardsUnknown(context: UnwindContext, site: CallSite, found: bigint | null, at: string): Candidate {
  const called =
    site.target === null ? "a function through a pointer" : (context.functionAt(site.target)?.name ?? "code");
  const same = found === null ? 0 : equalBytes(found, site.returnAddress);
  const partly = same >= PARTLY ? `, and ${same} of the 8 bytes that the CPU returned to are this call's` : "";
  return {
    returnAddress: site.returnAddress,
    why: `${at}, and at that depth it calls ${called}${partly}`,
    rank: (same >= PARTLY ? 0 : 1) + (8 - same) / 16,
  };
}

/** Bytes that two unrelated return addresses do not share: the upper four are the same for all of them. */
const PARTLY = 6;
