/** Recursion in a call trace, by the names in it. */
import { irregularStretch, longestRun, MAX_PERIOD, MIN_TURNS } from "../diagnose/repeats.ts";

interface Named {
  readonly function: string | null;
  readonly module: string | null;
}

export interface TextCycle<T extends Named> {
  /** Functions of one turn, innermost first. */
  readonly functions: readonly string[];
  readonly entries: readonly T[];
  /** Index of the run's first entry. */
  readonly first: number;
  readonly length: number;
  readonly turns: number;
}

/** Recursion explains an overflow when its turns take this share of the chain. */
const SHARE = 1 / 3;

/** The cycle that covers most of the chain, if it covers enough of it to matter; null else. */
export function findTextCycle<T extends Named>(entries: readonly T[]): TextCycle<T> | null {
  const keys = entries.map((entry) => (entry.function === null ? null : `${entry.function} ${entry.module ?? ""}`));
  let best: TextCycle<T> | null = null;
  const longest = Math.min(MAX_PERIOD, Math.floor(entries.length / MIN_TURNS));
  for (let period = 1; period <= longest; period++) {
    const run = longestRun(keys, period);
    if (run === null || run.length < period * MIN_TURNS) continue;
    // A multiple of a shorter period covers no more than that one.
    if (best !== null && run.length <= best.length * 1.05) continue;
    const turn = entries.slice(run.first, run.first + period);
    best = {
      functions: names(turn),
      entries: turn,
      first: run.first,
      length: run.length,
      turns: Math.floor(run.length / period),
    };
  }
  if (best !== null && best.length >= entries.length * SHARE) return best;
  const stretch = irregularStretch(keys);
  if (stretch === null || stretch.length < entries.length * SHARE || stretch.turns < MIN_TURNS) return null;
  const distinct = stretch.distinct.map((index) => entries[index]!);
  return {
    functions: names(distinct),
    entries: distinct,
    first: stretch.first,
    length: stretch.length,
    turns: stretch.turns,
  };
}

function names(entries: readonly Named[]): string[] {
  return entries.map((entry) => entry.function ?? "?");
}

/**
 * Functions that only pass a call on to whoever registered for it: they stand in many cycles, and none is theirs.
 */
const PASSES_ON =
  /^(?:(?:raw_|__raw_|blocking_|atomic_)?notifier_call_chain|call_netdevice_notifiers\w*|__?call_\w+|process_one_work|worker_thread|do_syscall_64|notify_\w+|security_\w+|ret_from_\w+|apply_to_\w+|.*_thunk\w*)(?:\.\w+)*$/;

/**
 * The function of a cycle to look at: a module's rather than the kernel's own, which many share; not one that only passes
 * calls on; of those left the longest, as its code is the likeliest to have the largest frame.
 */
export function culpritOf<T extends Named & { readonly size: number | null }>(cycle: TextCycle<T>): T {
  const modules = cycle.entries.filter((entry) => entry.module !== null);
  const candidates = modules.length > 0 ? modules : cycle.entries;
  const deciding = candidates.filter((entry) => !PASSES_ON.test(entry.function ?? ""));
  const pool = deciding.length > 0 ? deciding : candidates;
  return pool.reduce((best, entry) => ((entry.size ?? 0) > (best.size ?? 0) ? entry : best));
}
