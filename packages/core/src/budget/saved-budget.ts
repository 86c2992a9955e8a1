/**
 * A budget that was kept with `budget --json`, to ask of without the kernel: its call graph and entries out of the document.
 * Bounds are computed anew from them, and are the same.
 */
import { EmptyTypes } from "../types/empty-types.ts";
import { Budget, type BudgetOptions, type BudgetProgram } from "./budget.ts";
import type { BudgetCall, BudgetDocument } from "./budget-document.ts";
import { type CallGraph, DEPTH_KINDS, SITE_KINDS } from "./call-graph.ts";
import type { Entry } from "./entries.ts";

/** @param document as `readBudget` gives it */
export function openSavedBudget(document: BudgetDocument, options: BudgetOptions = {}): Budget {
  return new Budget(programOf(document), graphOf(document), options, entriesOf(document));
}

/** What is left of the kernel: nothing but what it was called. */
function programOf({ kernel, stackBytes, problems }: BudgetDocument): BudgetProgram {
  const nothing = () => null;
  return {
    name: kernel.name,
    release: kernel.release,
    source: kernel.source as BudgetProgram["source"],
    threadSize: stackBytes,
    problems,
    types: EmptyTypes,
    moduleTypes: () => EmptyTypes,
    memory: {
      ...{ translate: nothing, explain: nothing, read: nothing, u8: nothing, u16: nothing, u32: nothing },
      ...{ i32: nothing, u64: nothing, cstring: nothing },
      readSparse: (_address, length) => ({ bytes: new Uint8Array(length), faults: [] }),
    },
    symbols: {
      ...{ byName: nothing, byAddress: nothing, functionAt: nothing },
      all: () => [],
    } as unknown as BudgetProgram["symbols"],
  };
}

function indexOf(document: BudgetDocument): Map<string, number> {
  return new Map(document.functions.map(({ id }, f) => [id, f]));
}

/** The low 32 bits, signed. */
function low32(address: string): number {
  return Number(BigInt.asIntN(32, BigInt(address)));
}

function graphOf(document: BudgetDocument): CallGraph {
  const { functions, sets } = document;
  const byId = indexOf(document);
  const sites: (BudgetCall & { readonly caller: number })[] = [];
  for (const [caller, { calls }] of functions.entries()) for (const call of calls) sites.push({ caller, ...call });
  const start = Int32Array.from(functions, ({ address }) => low32(address));
  const setStart = new Int32Array(sets.length + 1);
  for (const [set, { members }] of sets.entries()) setStart[set + 1] = (setStart[set] as number) + members.length;
  const typed = (call: BudgetCall): boolean => call.certainty === "typed";
  return {
    slotsWhole: document.slotsWhole,
    functions: {
      count: functions.length,
      name: functions.map(({ name }) => name),
      module: functions.map(({ module }) => module),
      start,
      end: start,
      ownBytes: Int32Array.from(functions, ({ frameBytes }) => frameBytes),
      ownKind: Uint8Array.from(functions, ({ frameKind }) => DEPTH_KINDS.indexOf(frameKind)),
      returns: Uint8Array.from(functions, ({ returns }) => (returns ? 1 : 0)),
    },
    sites: {
      count: sites.length,
      caller: Int32Array.from(sites, ({ caller }) => caller),
      address: Int32Array.from(sites, ({ caller, offset }) => (start[caller] as number) + offset),
      kind: Uint8Array.from(sites, ({ kind }) => SITE_KINDS.indexOf(kind)),
      bytes: Int32Array.from(sites, ({ depthBytes }) => depthBytes),
      depthKind: Uint8Array.from(sites, ({ depthKind }) => DEPTH_KINDS.indexOf(depthKind)),
      callee: Int32Array.from(sites, ({ certainty, targets }) =>
        certainty === "proven" ? (byId.get(targets[0] ?? "") ?? -1) : -1,
      ),
      typedSet: Int32Array.from(sites, (call) => (typed(call) ? (call.set ?? -1) : -1)),
      assumedSet: Int32Array.from(sites, (call) => (typed(call) ? call.assumedSet : call.set) ?? -1),
    },
    sets: {
      count: sets.length,
      start: setStart,
      members: Int32Array.from(sets.flatMap(({ members }) => members)),
      label: sets.map(({ label }) => label),
    },
  };
}

function entriesOf(document: BudgetDocument): Entry[] {
  const byId = indexOf(document);
  return document.entries.flatMap(({ function: id, kind, stack, why, baseBytes, randomOffsetBytes }) => {
    const f = byId.get(id);
    return f === undefined ? [] : [{ f, kind, stack, why, baseBytes, randomOffsetBytes }];
  });
}
