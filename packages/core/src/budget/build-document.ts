/** Puts a budget into the form that `budget --json` prints. */
import type { Budget } from "./budget.ts";
import {
  BUDGET_SCHEMA,
  type BudgetCall,
  type BudgetCycle,
  type BudgetDocument,
  type BudgetEntry,
  type BudgetFunction,
  type BudgetInterrupt,
  type BudgetSet,
  type BudgetTotals,
  type BudgetUnresolved,
  WRITTEN_OUT_CALLEES,
} from "./budget-document.ts";
import { type CallGraph, DEPTH_KINDS, type DepthKind, SITE_KINDS, type SiteKind } from "./call-graph.ts";
import type { Entry } from "./entries.ts";
import { INTERRUPT_ALIGN_BYTES, PT_REGS_BYTES } from "./entry-cost.ts";
import { countFatalCalls } from "./fatal.ts";
import { addressText } from "./function-names.ts";
import { firstSites } from "./graph-index.ts";
import { isUnresolved } from "./level-sets.ts";
import { atLevel, BUDGET_LEVELS, byLevel } from "./levels.ts";
import { boundPasses } from "./solve.ts";

/** Places that are named where most of the unresolved calls are. */
const LISTED_PLACES = 20;

/** A budget's document without the lists that make up nearly all of its size. */
export type BudgetSummary = Omit<BudgetDocument, "functions" | "sets">;

export function buildDocument(budget: Budget): BudgetDocument {
  return { ...budget.summary, functions: [...functionsOf(budget)], sets: [...setsOf(budget)] };
}

export function buildSummary(budget: Budget): BudgetSummary {
  const { wholeGraph: graph, program, solved } = budget;
  const { cycles, entries } = withOneListOfCycles(budget);
  return {
    schema: BUDGET_SCHEMA,
    kernel: { release: program.release, source: program.source, name: program.name },
    stackBytes: program.threadSize,
    rounds: solved.rounds,
    totals: { ...totalsOf(graph), fatalCalls: countFatalCalls(graph, budget.fatal) },
    slotsWhole: graph.slotsWhole,
    entries,
    cycles,
    unresolved: unresolvedOf(graph),
    interrupts: interruptsOf(budget),
    problems: budget.problems,
  };
}

export function* setsOf({ wholeGraph: { sets } }: Budget): Iterable<BudgetSet> {
  for (let set = 0; set < sets.count; set++) {
    const members = [...sets.members.subarray(sets.start[set], sets.start[set + 1])];
    yield { label: sets.label[set] as string, members };
  }
}

/** Each level has its own list of cycles; the document has one, of all levels. */
function withOneListOfCycles(budget: Budget): { cycles: BudgetCycle[]; entries: BudgetEntry[] } {
  const cycles: BudgetCycle[] = [];
  const offset = byLevel((level) => {
    const at = cycles.length;
    cycles.push(...atLevel(budget.cycles, level).cycles);
    return at;
  });
  const entries = budget.describeEntries().map((entry) => {
    const levels = byLevel((level) => {
      const bound = atLevel(entry.levels, level);
      return { ...bound, cycles: bound.cycles.map((cycle) => cycle + atLevel(offset, level)) };
    });
    return { ...entry, levels };
  });
  return { cycles, entries };
}

function depthKindOf(kind: number | undefined): DepthKind {
  return DEPTH_KINDS[kind as number] as DepthKind;
}

export function* functionsOf({ wholeGraph: graph, names }: Budget): Iterable<BudgetFunction> {
  const { functions } = graph;
  const firstSite = firstSites(graph);
  for (let f = 0; f < functions.count; f++) {
    const calls: BudgetCall[] = [];
    for (let site = firstSite[f] as number; site < (firstSite[f + 1] as number); site++) {
      calls.push(callOf(graph, names.ids, f, site));
    }
    yield {
      id: names.ids[f] as string,
      name: functions.name[f] as string,
      module: functions.module[f] as string | null,
      address: addressText(functions.start[f] as number),
      frameBytes: functions.ownBytes[f] as number,
      frameKind: depthKindOf(functions.ownKind[f]),
      returns: functions.returns[f] === 1,
      calls,
    };
  }
}

function callOf(graph: CallGraph, ids: readonly string[], f: number, site: number): BudgetCall {
  const { sites, sets } = graph;
  const callee = sites.callee[site] as number;
  const typed = sites.typedSet[site] as number;
  const assumed = sites.assumedSet[site] as number;
  const set = callee >= 0 ? -1 : typed >= 0 ? typed : assumed;
  const members = set < 0 ? [] : sets.members.subarray(sets.start[set], sets.start[set + 1]);
  const unresolved = isUnresolved(graph, "prototype-matched", site);
  const targets =
    callee >= 0
      ? [ids[callee] as string]
      : members.length <= WRITTEN_OUT_CALLEES
        ? Array.from(members, (member) => ids[member] as string)
        : [];
  return {
    offset: (sites.address[site] as number) - (graph.functions.start[f] as number),
    kind: SITE_KINDS[sites.kind[site] as number] as SiteKind,
    depthBytes: sites.bytes[site] as number,
    depthKind: depthKindOf(sites.depthKind[site]),
    certainty: unresolved ? "unresolved" : callee >= 0 ? "proven" : typed >= 0 ? "typed" : "assumed",
    targets,
    set: set < 0 ? null : set,
    assumedSet: callee < 0 && typed >= 0 && assumed >= 0 ? assumed : null,
  };
}

const INDIRECT_CALL = SITE_KINDS.indexOf("indirect-call");
const INDIRECT_TAIL = SITE_KINDS.indexOf("indirect-tail");

function isIndirect(kind: number): boolean {
  return kind === INDIRECT_CALL || kind === INDIRECT_TAIL;
}

function totalsOf({ functions, sites, sets }: CallGraph): Omit<BudgetTotals, "fatalCalls"> {
  const edges = { proven: 0, typed: 0, assumed: 0 };
  let indirectCalls = 0;
  const sizes = { typed: { calls: 0, sum: 0, largest: 0 }, assumed: { calls: 0, sum: 0, largest: 0 } };
  const sizeOf = (set: number): number => (set < 0 ? 0 : (sets.start[set + 1] as number) - (sets.start[set] as number));
  const take = (into: { calls: number; sum: number; largest: number }, size: number): void => {
    if (size === 0) return;
    into.calls++;
    into.sum += size;
    into.largest = Math.max(into.largest, size);
  };
  for (let site = 0; site < sites.count; site++) {
    if (isIndirect(sites.kind[site]!)) indirectCalls++;
    if ((sites.callee[site] as number) >= 0) edges.proven++;
    const typed = sizeOf(sites.typedSet[site] as number);
    const assumed = sizeOf(sites.assumedSet[site] as number);
    edges.typed += typed;
    edges.assumed += Math.max(0, assumed - typed);
    take(sizes.typed, typed);
    take(sizes.assumed, assumed);
  }
  const summed = ({ calls, sum, largest }: { calls: number; sum: number; largest: number }) => ({
    calls,
    mean: calls === 0 ? 0 : Math.round((100 * sum) / calls) / 100,
    largest,
  });
  return {
    functions: functions.count,
    modules: new Set(functions.module.filter((module) => module !== null)).size,
    calls: sites.count,
    indirectCalls,
    edges,
    callees: { typed: summed(sizes.typed), assumed: summed(sizes.assumed) },
  };
}

function unresolvedOf(graph: CallGraph): BudgetUnresolved {
  const { functions, sites } = graph;
  const calls: Record<string, number> = {};
  const byFunction = new Map<number, number>();
  const byModule = new Map<string | null, number>();
  let unknownTargets = 0;
  let atLeastDepths = 0;
  let unknownDepths = 0;
  const countDepth = (kind: DepthKind): void => {
    if (kind === "at-least") atLeastDepths++;
    if (kind === "unknown") unknownDepths++;
  };
  for (let f = 0; f < functions.count; f++) countDepth(depthKindOf(functions.ownKind[f]));
  for (let site = 0; site < sites.count; site++) {
    countDepth(depthKindOf(sites.depthKind[site]));
    if (!isIndirect(sites.kind[site]!)) {
      if ((sites.callee[site] as number) < 0) unknownTargets++;
      continue;
    }
    for (const level of BUDGET_LEVELS) {
      if (isUnresolved(graph, level, site)) calls[level] = (calls[level] ?? 0) + 1;
    }
    if (!isUnresolved(graph, "prototype-matched", site)) continue;
    const f = sites.caller[site] as number;
    byFunction.set(f, (byFunction.get(f) ?? 0) + 1);
    const module = functions.module[f] as string | null;
    byModule.set(module, (byModule.get(module) ?? 0) + 1);
  }
  return {
    calls: byLevel((level) => calls[level] ?? 0),
    unknownTargets,
    atLeastDepths,
    unknownDepths,
    where: [...byFunction]
      .sort((a, b) => b[1] - a[1])
      .slice(0, LISTED_PLACES)
      .map(([f, count]) => ({
        function: functions.name[f] as string,
        module: functions.module[f] as string | null,
        calls: count,
      })),
    byModule: [...byModule].sort((a, b) => b[1] - a[1]).map(([module, count]) => ({ module, calls: count })),
  };
}

/** What may land on top of a path: exceptions that stay on the stack, and the way into an interrupt before it switches. */
function interruptsOf(budget: Budget): BudgetInterrupt[] {
  const { graph, solved } = budget;
  const whole = (entry: Entry): BudgetInterrupt => ({
    name: graph.functions.name[entry.f] as string,
    bytes: byLevel(
      (level) =>
        entry.baseBytes + (boundPasses(solved, atLevel(solved.levels, level)).at(-1)?.depth[entry.f] as number),
    ),
    extent: "whole",
    why:
      entry.kind === "exception"
        ? "an exception in kernel mode stays on the stack that it meets"
        : "a vector that is handled on the stack that it meets",
  });
  const list = budget.entries.filter((entry) => entry.stack === "current").map(whole);
  const switching = budget.entries.filter((entry) => entry.kind === "interrupt" && entry.stack === "irq");
  let most: Entry | null = null;
  for (const entry of switching) {
    if (!/^asm_/.test(entry.why)) continue;
    if (most === null || (graph.functions.ownBytes[entry.f] as number) > (graph.functions.ownBytes[most.f] as number)) {
      most = entry;
    }
  }
  if (most !== null) {
    const bytes = PT_REGS_BYTES + INTERRUPT_ALIGN_BYTES + (graph.functions.ownBytes[most.f] as number);
    list.push({
      name: graph.functions.name[most.f] as string,
      bytes: byLevel(() => bytes),
      extent: "entry",
      why: "the largest frame of the vectors that go on with the IRQ stack: what they leave on the stack that they meet",
    });
  }
  return list;
}

/** Ids of the functions that a call of a document may lead to, the typed ones where it is typed. */
export function calleesOf(document: BudgetDocument, call: BudgetCall): readonly string[] {
  if (call.targets.length > 0 || call.set === null) return call.targets;
  const members = document.sets[call.set]?.members ?? [];
  return members.flatMap((member) => {
    const callee = document.functions[member];
    return callee === undefined ? [] : [callee.id];
  });
}
