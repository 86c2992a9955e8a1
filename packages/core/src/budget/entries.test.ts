import { expect, test } from "vitest";
import { EmptyTypes } from "../types/empty-types.ts";
import type { CType, TypeProvider } from "../types/type-provider.ts";
import { graphOf } from "./call-graph.fixture.ts";
import type { CallGraph } from "./call-graph.ts";
import { type EntryProgram, findEntries } from "./entries.ts";
import { FunctionNames } from "./function-names.ts";
import { indexGraph } from "./graph-index.ts";

const PROTOTYPE: CType = { kind: "function", returns: { kind: "void" }, parameters: [] };

/** A program whose BTF knows the prototypes of these functions. */
function programOf(known: readonly string[]): EntryProgram {
  const types: TypeProvider = {
    ...EmptyTypes,
    func: (name) => (known.includes(name) ? (PROTOTYPE as Extract<CType, { kind: "function" }>) : null),
  };
  const symbols = { byName: () => null, byAddress: () => null };
  return { memory: { u64: () => null }, symbols, types, moduleTypes: () => types } as unknown as EntryProgram;
}

const WORK = "void (struct work_struct *dummy)";

/** The graph's table has no blanks in its labels. */
function labelled(graph: CallGraph, labels: Readonly<Record<string, string>>): CallGraph {
  return { ...graph, sets: { ...graph.sets, label: graph.sets.label.map((label) => labels[label] ?? label) } };
}

const GRAPH = labelled(
  graphOf(`
    process_one_work 80: ?work+64
    flush 40:
    sync@fs 40:
    assembly 40:
    handler 40:
    other 40:
    {work}: flush sync assembly
    {irqaction.handler}: handler
    {foreign}: other
  `),
  { work: WORK, foreign: "void (struct work_struct *a, int b)" },
);

test("callbacks by their slot, or by a prototype that is no other's; of those only whose prototype is known", () => {
  const index = indexGraph(GRAPH);
  const entries = findEntries(index, new FunctionNames(GRAPH), programOf(["flush", "sync", "other"]));
  expect(entries.map(({ f, kind, stack, why }) => [GRAPH.functions.name[f], kind, stack, why])).toEqual([
    ["flush", "work", "task", WORK],
    ["sync", "work", "task", WORK],
    ["handler", "interrupt", "irq", "irqaction.handler"],
  ]);
});
