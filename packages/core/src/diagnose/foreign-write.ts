/** A write from elsewhere: who still holds a pointer into the damaged part of the stack, and does its code write there? */
import type { CanaryFinding } from "./canary-finding.ts";
import type { Damage } from "./damage.ts";
import { hex } from "./evidence.ts";
import type { CrashFacts } from "./facts.ts";
import { type Writer, writersOf } from "./foreign-writer.ts";
import { type Holder, staticHolders } from "./holders.ts";
import { slabHolders } from "./slab-holders.ts";

export interface ForeignWriter {
  readonly holder: Holder;
  /** Null where no function is kept beside the pointer. */
  readonly writer: Writer | null;
}

/** How far below the first damaged byte the object may begin that the pointer was taken of. Bytes. */
const REACH = 2048n;
/** Holders told of in the evidence. */
const MENTIONED = 4;

/**
 * Looks for the writer, best first: one whose code stores through the pointer, then one that keeps a function beside it,
 * then any pointer in a module's data. Null where nobody holds one.
 */
export function findForeignWriter(facts: CrashFacts, finding: CanaryFinding, damage: Damage): ForeignWriter | null {
  const { kernel } = facts;
  const { stack } = finding.frame;
  if (stack === null) return null;
  const from = damage.patternStart - REACH;
  const low = from < stack.low ? stack.low : from;
  const high = damage.patternStart + 1n;
  const inStatic = best(facts, staticHolders(kernel, low, high));
  if (inStatic?.writer?.stores != null) return told(facts, inStatic);
  const { holders, unsearched } = slabHolders(kernel, low, high, Date.now);
  if (unsearched > 0) {
    facts.evidence.miss(
      `Whether an object in the ${unsearched} page frames that were not gone through points into the damage: the search of a large dump is cut short.`,
    );
  }
  const inSlab = best(facts, holders);
  if (inSlab?.writer?.stores != null || inStatic === null) return inSlab === null ? null : told(facts, inSlab);
  return told(facts, inStatic);
}

/** The one whose code says most, of equals the one that points nearest below the damage. */
function best(facts: CrashFacts, holders: readonly Holder[]): ForeignWriter | null {
  const found = holders.map((holder): ForeignWriter => ({ holder, writer: writersOf(facts, holder)[0] ?? null }));
  const rank = ({ holder, writer }: ForeignWriter): number =>
    writer?.stores != null ? 0 : writer !== null && holder.module !== null ? 1 : holder.module !== null ? 2 : 3;
  found.sort((a, b) => rank(a) - rank(b) || (a.holder.pointer > b.holder.pointer ? -1 : 1));
  for (const [index, { holder }] of found.slice(0, MENTIONED).entries()) {
    facts.evidence.add(
      `pointer-holder-${index + 1}`,
      holder.at,
      `${holder.text} holds ${hex(holder.pointer)}, a pointer into this stack at or below the damage.`,
    );
  }
  const [first] = found;
  // The kernel's own data point at live stacks all the time: without code that writes, that says nothing.
  return first === undefined || rank(first) === 3 ? null : first;
}

function told(facts: CrashFacts, found: ForeignWriter): ForeignWriter {
  const { writer } = found;
  if (writer === null) return found;
  const name = writer.module === null ? writer.function : `${writer.function} [${writer.module}]`;
  const what = writer.what === null ? "beside it" : `in the ${writer.what} of the same object`;
  facts.evidence.add("pointer-function", writer.at, `${name} is kept ${what}, at ${hex(writer.at)}.`);
  if (writer.stores !== null) {
    facts.evidence.add(
      "pointer-store",
      writer.stores.address,
      `${writer.stores.in} stores through that very field at ${hex(writer.stores.address)}.`,
    );
  }
  return found;
}
