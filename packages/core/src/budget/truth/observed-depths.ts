/**
 * Depths that stacks had against the budget's bounds: where a function was called, the stack was at most as full as the
 * deepest way to it, from the entry that the stack began with, says.
 */
import type { Budget } from "../budget.ts";
import { SITE_KINDS } from "../call-graph.ts";
import { type ContextPass, deepestContexts } from "../depths.ts";
import { startsApart } from "../fresh-starts.ts";
import { atLevel, type BudgetLevel, byLevel } from "../levels.ts";
import { contextsNoUpcallTwice } from "../no-upcall-twice.ts";
import { TOLD_ROUNDS } from "../solve.ts";

/** Of a chain without an entry: those that tell where it came from. */
const TOLD_FRAMES = 5;
/** What lies above the entries on a stack; see entries.ts. */
const CALLS_ENTRIES =
  /^(entry_|asm_|do_syscall_64$|x64_sys_call$|ret_from_fork|kthread$|worker_thread$|process_one_work$|process_scheduled_works$|__irq_exit_rcu$|handle_softirqs$|__do_softirq$)/;
const TAIL = SITE_KINDS.indexOf("tail");
const TAILS = [TAIL, SITE_KINDS.indexOf("indirect-tail")];

/** A function on a stack that was seen. */
export interface SeenFrame {
  readonly f: number;
  /** Bytes from the stack's top down to the function's CFA. */
  readonly above: number;
  /** Frames that could not be told lie between this one and the one before: who called it is not known. */
  readonly afterGap?: boolean;
}

/** Frames of calls in one context, outermost first. */
export interface SeenChain {
  /** Nothing of another context lies above; else an exception or interrupt came upon a stack in use. */
  readonly fromTop: boolean;
  readonly frames: readonly SeenFrame[];
}

/** A level, and how many upcalls (cut edges, see call-layers.ts) a path may take. */
export interface BoundKind {
  readonly level: BudgetLevel;
  readonly rounds: number;
  /** None of them may be taken twice. */
  readonly once?: true;
}

/** The weakest last. */
export const BOUND_KINDS: readonly BoundKind[] = [
  { level: "direct", rounds: 0 },
  { level: "slot-matched", rounds: 0 },
  { level: "slot-matched", rounds: 2 },
  { level: "slot-matched", rounds: TOLD_ROUNDS },
  { level: "prototype-matched", rounds: 0 },
  { level: "prototype-matched", rounds: TOLD_ROUNDS },
];

/** The same without an upcall twice, which takes its time: of each entry as long as all others together. */
export const ONCE_KIND: BoundKind = { level: "slot-matched", rounds: TOLD_ROUNDS, once: true };

/** Of BOUND_KINDS, the bound that people are told. */
export const TOLD_BOUND = BOUND_KINDS.findIndex(
  ({ level, rounds }) => level === "slot-matched" && rounds === TOLD_ROUNDS,
);

/** A function that was called from an entry, and how. */
export interface SeenDepth {
  readonly entry: number;
  readonly f: number;
  /** Bytes from the entry's CFA down to the function's. */
  readonly bytes: number;
  /** The bound on them for each of BOUND_KINDS; -1 where that level has no way from the entry to the function. */
  readonly bounds: readonly number[];
  /**
   * False where one of the calls on the way that was seen is none that the slot-matched level knows: it may have a bound by
   * another way, but speaks of this one only as `unresolved`.
   */
  bySlots: boolean;
}

/** What was in use above an entry's own frame. */
export interface SeenBase {
  readonly entry: number;
  readonly bytes: number;
  readonly bound: number;
}

export interface DepthsSeen {
  /** Distinct ones. */
  readonly depths: SeenDepth[];
  readonly bases: SeenBase[];
  /** The outermost functions of chains in which no entry is, with how many began so. */
  readonly withoutEntry: Map<string, number>;
  /** Calls that were made although a bound without rounds takes them for never made: caller, callee, how often seen. */
  readonly cutCalls: Map<number, Map<number, number>>;
}

/** Judges chains of one kernel, each distinct depth once. */
export class DepthJudge {
  readonly seen: DepthsSeen = { depths: [], bases: [], withoutEntry: new Map(), cutCalls: new Map() };
  readonly #budget: Budget;
  readonly #kinds: readonly BoundKind[];
  /** For entries, and for what these jump to at their ends: the most that is in use above them. */
  readonly #bases = new Map<number, number>();
  readonly #jumpedTo = new Map<number, number>();
  readonly #freshStarts: Uint8Array;
  readonly #contexts = new Map<number, readonly Int32Array[]>();
  readonly #known = new Set<string>();
  readonly #depths = new Map<string, SeenDepth>();
  readonly #leads = new Map<string, boolean>();

  /** @param kinds those of `SeenDepth.bounds`: BOUND_KINDS, and others behind them */
  constructor(budget: Budget, kinds: readonly BoundKind[] = BOUND_KINDS) {
    this.#budget = budget;
    this.#kinds = kinds;
    this.#freshStarts = startsApart(budget.graph.functions.count, budget.entries);
    for (const { f, baseBytes } of budget.entries) {
      this.#bases.set(f, Math.max(this.#bases.get(f) ?? 0, baseBytes));
      for (const end of this.#jumpsFrom(f)) this.#jumpedTo.set(end, Math.max(this.#jumpedTo.get(end) ?? 0, baseBytes));
    }
  }

  /** The function and those that it goes on in by jumps at its end: of such an entry nothing is left on the stack. */
  #jumpsFrom(f: number): ReadonlySet<number> {
    const { index, graph } = this.#budget.solved;
    const found = new Set([f]);
    // A set's iterator goes on to what is added meanwhile.
    for (const one of found) {
      for (let site = index.firstSite[one] as number; site < (index.firstSite[one + 1] as number); site++) {
        const callee = graph.sites.callee[site] as number;
        if (callee >= 0 && graph.sites.kind[site] === TAIL && graph.sites.bytes[site] === 0) found.add(callee);
      }
    }
    return found;
  }

  add(chain: SeenChain): void {
    const { withoutEntry, bases, depths } = this.seen;
    const at = this.#entryIn(chain.frames);
    if (at < 0) {
      const { name } = this.#budget.graph.functions;
      const begin = chain.frames.slice(0, TOLD_FRAMES).map(({ f }) => name[f]);
      withoutEntry.set(begin.join(" "), (withoutEntry.get(begin.join(" ")) ?? 0) + 1);
      return;
    }
    const entry = chain.frames[at] as SeenFrame;
    if (chain.fromTop && this.#isNew(`${entry.f} ${entry.above}`)) {
      bases.push({ entry: entry.f, bytes: entry.above, bound: this.#baseOf(entry.f) });
    }
    let caller = entry.f;
    let bySlots = true;
    for (const { f, above, afterGap } of chain.frames.slice(at + 1)) {
      // The machine is dying: no bound follows such calls.
      if (this.#budget.fatal[f] === 1) break;
      if (afterGap !== true) this.#noteCut(caller, f);
      bySlots &&= afterGap !== true && this.#leadsBySlots(caller, f);
      caller = f;
      const bytes = above - entry.above;
      const key = `${entry.f} ${f} ${bytes}`;
      const known = this.#depths.get(key);
      if (known !== undefined) {
        known.bySlots ||= bySlots;
        continue;
      }
      const bounds = this.#boundsFrom(entry.f).map((most) => most[f] as number);
      const depth = { entry: entry.f, f, bytes, bounds, bySlots };
      this.#depths.set(key, depth);
      depths.push(depth);
    }
  }

  /** One that begins on a stack that is empty again, whatever led there; else the outermost entry; or what one has jumped to, where nothing but what calls entries lies above. */
  #entryIn(frames: readonly SeenFrame[]): number {
    const { name } = this.#budget.graph.functions;
    const fresh = frames.findIndex(({ f }) => this.#freshStarts[f] === 1);
    if (fresh >= 0) return fresh;
    for (const [at, { f }] of frames.entries()) {
      if (this.#bases.has(f) || this.#jumpedTo.has(f)) return at;
      if (!CALLS_ENTRIES.test(name[f] as string)) return frames.findIndex((frame) => this.#bases.has(frame.f));
    }
    return -1;
  }

  #baseOf(f: number): number {
    return this.#bases.get(f) ?? (this.#jumpedTo.get(f) as number);
  }

  #noteCut(caller: number, callee: number): void {
    const { position } = this.#budget.solved.order;
    if ((position[callee] as number) > (position[caller] as number)) return;
    const of = this.seen.cutCalls.get(caller) ?? new Map<number, number>();
    this.seen.cutCalls.set(caller, of.set(callee, (of.get(callee) ?? 0) + 1));
  }

  /** Whether a call that the slot-matched level knows leads there, with jumps at functions' ends behind it. */
  #leadsBySlots(caller: number, callee: number): boolean {
    const key = `${caller} ${callee}`;
    const known = this.#leads.get(key);
    if (known !== undefined) return known;
    const { index, graph } = this.#budget.solved;
    const { sites, sets } = graph;
    const reached = new Set<number>();
    const take = (f: number, tailsOnly: boolean): void => {
      for (let site = index.firstSite[f] as number; site < (index.firstSite[f + 1] as number); site++) {
        if (tailsOnly && !TAILS.includes(sites.kind[site] as number)) continue;
        if ((sites.callee[site] as number) >= 0) reached.add(sites.callee[site] as number);
        const set = sites.typedSet[site] as number;
        if (set < 0) continue;
        for (const member of sets.members.subarray(sets.start[set], sets.start[set + 1])) reached.add(member);
      }
    };
    take(caller, false);
    for (const f of reached) take(f, true);
    const leads = reached.has(callee);
    this.#leads.set(key, leads);
    return leads;
  }

  #isNew(key: string): boolean {
    return this.#known.size < this.#known.add(key).size;
  }

  #boundsFrom(entry: number): readonly Int32Array[] {
    const known = this.#contexts.get(entry);
    if (known !== undefined) return known;
    const { index, order } = this.#budget.solved;
    const base = new Int32Array(this.#budget.graph.functions.count).fill(-1);
    base[entry] = 0;
    const passes = byLevel((level) => {
      const wanted = this.#kinds.filter((kind) => kind.level === level && kind.once === undefined);
      return deepestContexts(index, order, level, Math.max(0, ...wanted.map(({ rounds }) => rounds)), base);
    });
    const found = this.#kinds.map(({ level, rounds, once }) =>
      once
        ? contextsNoUpcallTwice(index, order, level, rounds, base)
        : (atLevel(passes, level)[rounds] as ContextPass).above,
    );
    this.#contexts.set(entry, found);
    return found;
  }
}

/** The first of BOUND_KINDS that a depth is within, -1 for none. */
export function withinBound({ bytes, bounds }: SeenDepth): number {
  return bounds.findIndex((bound) => bytes <= bound);
}
