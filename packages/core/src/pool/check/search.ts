/** Breadth-first search over all states of a model. */
import type { Automaton } from "./automaton.ts";
import { blockedForEver } from "./blocked.ts";
import { type Bounds, Explorer, type Violation } from "./explorer.ts";

export interface SearchOptions {
  /** Take states that differ only in which of identical tasks is in which state for one. */
  readonly symmetry: boolean;
  readonly bounds: Bounds;
  /** See all states even where something is wrong, so that the counts are those of the whole; the nearest failure is kept. */
  readonly keepGoing?: boolean;
  /** Told from time to time how many states are done and known. */
  readonly progress?: (done: number, known: number) => void;
}

/** How a search ended. `state` is a number of the explorer's store. */
export type SearchEnd =
  | { readonly kind: "exhausted" }
  | { readonly kind: "bound" }
  /** No task can go on, and some have not ended; or (`partial`) some of them never will while others go on. */
  | { readonly kind: "deadlock"; readonly state: number; readonly partial: boolean }
  /** From this state on something is held in every state that can follow, though no cycle of waiting explains it. */
  | { readonly kind: "never-free"; readonly state: number }
  | { readonly kind: "violation"; readonly violation: Violation };

export interface SearchResult {
  readonly explorer: Explorer;
  readonly end: SearchEnd;
  /** Steps to the state that is farthest from the first, by shortest ways. */
  readonly depth: number;
}

const PROGRESS_EVERY = 1 << 15;

/** Searches until a failure is found, or everything is seen, or a bound is reached. The failure is one of the nearest. */
export function search(automaton: Automaton, options: SearchOptions): SearchResult {
  const explorer = new Explorer(automaton, options.symmetry, options.bounds);
  const { store } = explorer;
  explorer.begin();
  let depth = 0;
  const ended = (end: SearchEnd): SearchResult => ({ explorer, end, depth });
  if (explorer.violation !== null) return ended({ kind: "violation", violation: explorer.violation });
  let failure: SearchEnd | null = null;
  for (let from = 0, to = 1; from < to; from = to, to = store.count) {
    let deadlock = -1;
    for (let state = from; state < to; state++) {
      const before = explorer.generated;
      explorer.expand(state);
      if (explorer.generated === before && deadlock < 0 && !allEnded(explorer, state)) deadlock = state;
      if ((state & (PROGRESS_EVERY - 1)) === 0) options.progress?.(state, store.count);
    }
    const { violation, full } = explorer;
    if (store.count > to || violation !== null) depth++;
    // A deadlock is in a state of this level, a violation on the way to one of the next.
    if (deadlock >= 0) failure ??= { kind: "deadlock", state: deadlock, partial: false };
    else if (violation !== null) failure ??= { kind: "violation", violation };
    if (failure !== null && (full || options.keepGoing !== true)) return ended(failure);
    if (full) return ended({ kind: "bound" });
  }
  if (failure !== null) return ended(failure);
  // A program that goes only forwards ends, and it was seen that it ends with nothing held.
  return ended(automaton.cyclic ? neverFree(explorer, options) : { kind: "exhausted" });
}

function allEnded(explorer: Explorer, state: number): boolean {
  const { tasks, programs, ended } = explorer.automaton;
  explorer.load(state);
  return tasks.every((task, index) => ended[programs[task]!.firstState + explorer.slots[index]!] === 1);
}

/**
 * Looks for states from which there is no way back to one in which nothing is held. The states that can get there are collected
 * from the back, in sweeps over the states not collected yet, so that no edges have to be kept.
 */
function neverFree(explorer: Explorer, { progress }: SearchOptions): SearchEnd {
  const { automaton, store } = explorer;
  const { tasks, programs, holdsNothing } = automaton;
  const free = new Uint8Array(store.count);
  for (let state = 0; state < store.count; state++) {
    explorer.load(state);
    const isFree = tasks.every(
      (task, index) => holdsNothing[programs[task]!.firstState + explorer.slots[index]!] === 1,
    );
    if (isFree) free[state] = 1;
  }
  const { generated } = explorer;
  let left = free.length - free.reduce((sum, one) => sum + one, 0);
  // There and back: what a sweep in one direction has to do step by step, the other one does at once.
  for (let sweep = 0, before = left + 1; left > 0 && left < before; sweep++) {
    before = left;
    for (let index = 0; index < store.count; index++) {
      const state = sweep % 2 === 0 ? store.count - 1 - index : index;
      if (free[state] === 1) continue;
      const successors = explorer.expand(state);
      for (let one = 0; one < successors; one++) {
        if (free[explorer.successors[one]!] !== 1) continue;
        free[state] = 1;
        left--;
        break;
      }
      if ((index & (PROGRESS_EVERY - 1)) === 0) progress?.(store.count - left, store.count);
    }
  }
  explorer.generated = generated;
  const first = free.indexOf(0);
  if (first < 0) return { kind: "exhausted" };
  for (let state = first; state < store.count; state++) {
    if (free[state] === 1) continue;
    explorer.load(state);
    if (blockedForEver(automaton, explorer.slots).length > 0) return { kind: "deadlock", state, partial: true };
  }
  return { kind: "never-free", state: first };
}
