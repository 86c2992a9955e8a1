/**
 * Calls after which the machine is dying: what `panic` does below them is no budget of a running kernel.
 *
 * A function is *fatal* if it is the kernel's `panic`, or never returns, directly calls functions that never return, and all of
 * those are fatal: `__stack_chk_fail` is, `do_exit` is not (its `do_task_dead` never returns and does not panic). WARN and the
 * printing of an oops return, and stay in the budget.
 */
import type { CallGraph } from "./call-graph.ts";

/** Marks (1) the fatal functions. */
export function fatalFunctions(graph: CallGraph): Uint8Array {
  const { functions, sites } = graph;
  const fatal = new Uint8Array(functions.count);
  const called = new Uint8Array(functions.count);
  for (let site = 0; site < sites.count; site++) if (sites.callee[site]! >= 0) called[sites.callee[site]!] = 1;
  for (let f = 0; f < functions.count; f++) {
    if (functions.name[f] === "panic" && functions.module[f] === null) fatal[f] = 1;
  }
  const deadEnds: number[] = [];
  for (let site = 0; site < sites.count; site++) {
    const f = sites.caller[site]!;
    const callee = sites.callee[site]!;
    if (functions.returns[f] === 0 && callee >= 0 && callee !== f && functions.returns[callee] === 0)
      deadEnds.push(site);
  }
  for (let changed = true; changed; ) {
    changed = false;
    // Of each function that never returns: whether it calls a fatal one, and one of which that is not known.
    const calls = new Uint8Array(functions.count);
    const others = new Uint8Array(functions.count);
    for (const site of deadEnds) {
      const into = fatal[sites.callee[site]!] === 1 ? calls : others;
      into[sites.caller[site]!] = 1;
    }
    for (let f = 0; f < functions.count; f++) {
      if (fatal[f] === 1 || calls[f] !== 1 || others[f] === 1 || called[f] !== 1) continue;
      fatal[f] = 1;
      changed = true;
    }
  }
  return fatal;
}

/** Calls from functions that are not fatal to such that are. */
export function countFatalCalls({ sites }: CallGraph, fatal: Uint8Array): number {
  let count = 0;
  for (let site = 0; site < sites.count; site++) {
    const callee = sites.callee[site] as number;
    if (callee >= 0 && fatal[callee] === 1 && fatal[sites.caller[site] as number] !== 1) count++;
  }
  return count;
}
