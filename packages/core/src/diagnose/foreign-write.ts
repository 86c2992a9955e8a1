/**
 * A write from elsewhere: who still holds a pointer into the damaged part of a stack, and does code store through it? The
 * search costs a pass over the kernel's data, so it is made only where the frame itself does not explain the damage.
 */
import { hex } from "./evidence.ts";
import type { CrashFacts } from "./facts.ts";
import { findHolders } from "./holders/find-holders.ts";
import type { Holder, Writer } from "./holders/holder.ts";

export interface OutsideWriter {
  readonly holder: Holder;
  readonly writer: Writer;
  /**
   * How much it says, from 0 to 1: code that stores through the very pointer 0.9, more where the damage begins just where
   * it points; code that hands it on 0.7; a function pointer beside it 0.6.
   */
  readonly strength: number;
}

/** Bytes of a stack that were written. */
export interface WrittenRange {
  readonly start: bigint;
  readonly end: bigint;
  /** Where the same data begin, at or below `start`. */
  readonly from: bigint;
}

/** How far below the damage the object may begin that the pointer was taken of. Bytes. */
const REACH = 1024n;
/** Holders told of in the evidence. */
const MENTIONED = 4;
const WORTH_NAMING = 0.5;

/**
 * Searches for the writer, adds evidence for the holders that say most, and says what was not searched. Null where nobody
 * holds a pointer, or no code is known that would write through it.
 */
export function findOutsideWriter(facts: CrashFacts, written: WrittenRange): OutsideWriter | null {
  const { kernel, evidence } = facts;
  const own = kernel.stackAt(written.start)?.stack ?? null;
  const lowest = written.from - REACH;
  const low = own !== null && lowest < own.low ? own.low : lowest;
  const { holders, leftOut } = findHolders(kernel, low, written.end, own);
  const ranked = holders
    .filter((holder) => !isOwnRecord(facts, holder))
    .map((holder) => ({ holder, strength: strengthOf(holder, written) }))
    .sort((a, b) => b.strength - a.strength);
  const telling = ranked.filter(({ holder }) => isTelling(holder));
  for (const [index, { holder }] of telling.slice(0, MENTIONED).entries()) explainHolder(facts, holder, written, index);
  for (const one of leftOut) evidence.miss(`Not searched for pointers into the damaged range: ${one}.`);
  if (telling.length === 0) {
    evidence.add(
      "no-pointer-holder",
      null,
      `No variable of a module, slab object, live frame of another stack or register of another CPU points to ${hex(low)} to ${hex(written.end)}.`,
    );
  }
  const best = ranked[0];
  if (best === undefined || best.holder.writer === null || best.strength < WORTH_NAMING) return null;
  return { holder: best.holder, writer: best.holder.writer, strength: best.strength };
}

/** What the kernel notes of every task: where its stack and its saved registers are. */
function isOwnRecord({ task, kernel }: CrashFacts, { place, value }: Holder): boolean {
  if (place.kind === "slab" && kernel.stackAt(value)?.stack.low === value) return true;
  return place.cache === "task_struct" || (task !== null && place.object?.low === task.address);
}

/** Old words on stacks and what entry code and the scheduler note are everywhere. */
function isTelling({ writer, place }: Holder): boolean {
  if (writer !== null && writer.certainty !== "near")
    return place.kind !== "kernel-data" || writer.certainty === "stores";
  return (
    place.kind === "module-data" || place.kind === "slab" || place.kind === "register" || place.stack?.live === true
  );
}

function strengthOf({ writer, value, place }: Holder, written: WrittenRange): number {
  if (writer === null) return place.stack?.live === true ? 0.3 : place.kind === "slab" ? 0.2 : 0.1;
  const exact = value === written.from || value === written.start ? 0.05 : 0;
  if (writer.certainty === "stores") return 0.9 + exact;
  // What the kernel's own variables note, an oops may just have put there.
  if (place.kind === "kernel-data") return 0.3;
  return (writer.certainty === "passes" ? 0.7 : 0.6) + exact;
}

function explainHolder({ evidence }: CrashFacts, holder: Holder, written: WrittenRange, index: number): void {
  const { place, value, writer, address } = holder;
  const off = written.start - value;
  const where =
    off === 0n ? "where the damage begins" : off > 0n ? `${off} bytes below the damage` : "inside the damage";
  evidence.add(`pointer-holder-${index + 1}`, address, `${place.text} points to ${hex(value)}, ${where}.`);
  if (writer === null || index > 0) return;
  const name = writerName(writer);
  const does =
    writer.certainty === "stores"
      ? `loads this pointer and stores through it${writer.at === null ? "" : `, at ${hex(writer.at)}`}`
      : writer.certainty === "passes"
        ? "loads this pointer and hands it on"
        : "may use this pointer; its code does not show that it does";
  evidence.add("pointer-writer", writer.at ?? writer.function.start, `${name}, ${writer.how}, ${does}.`);
}

/** "exchange_timer [vandal]". */
export function writerName({ function: range }: Writer): string {
  return range.module === null ? range.name : `${range.name} [${range.module}]`;
}
