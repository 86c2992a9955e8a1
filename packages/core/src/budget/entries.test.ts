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

test("kernel threads: int (void *), called by nobody, that ask whether to stop, or never return", () => {
  const graph = graphOf(`
    kthread 56: ?thread+56
    kswapd 120: kthread_should_stop+120
    kthread_should_stop 8:
    rcu_gp_kthread 80:
    helper 80: kthread_should_stop+80
    caller 80: helper+80
    compare 80:
    {thread}: kswapd rcu_gp_kthread helper compare
  `);
  for (const name of ["rcu_gp_kthread", "kthread"]) graph.functions.returns[graph.functions.name.indexOf(name)] = 0;
  const int: CType = { kind: "int", name: "int", size: 4, signed: true };
  const toVoid: CType = { kind: "pointer", size: 8, target: { kind: "void" } };
  const type = { kind: "function", returns: int, parameters: [{ name: "data", type: toVoid }] } as const;
  const program = { ...programOf([]), types: { ...EmptyTypes, func: () => type } };
  const entries = findEntries(indexGraph(graph), new FunctionNames(graph), program);
  expect(entries.map(({ f, kind, baseBytes }) => [graph.functions.name[f], kind, baseBytes])).toEqual([
    ["kswapd", "kthread", 168 + 56],
    ["rcu_gp_kthread", "kthread", 168 + 56],
  ]);
});

test("what a system call goes on to at its end, below do_syscall_64", () => {
  const graph = graphOf(`
    do_syscall_64 48: !+40, syscall_exit_to_user_mode+48
    syscall_exit_to_user_mode 24:
  `);
  const entries = findEntries(indexGraph(graph), new FunctionNames(graph), programOf([]));
  expect(entries).toMatchObject([{ kind: "user-return", stack: "task", baseBytes: 168 + 48 }]);
});

test.each([
  ["exc_page_fault", "current", 168 + 8],
  ["exc_debug", "ist", 168],
  ["exc_nmi", "ist", 168 + 96],
])("%s is on its %s stack below %i bytes", (name, stack, baseBytes) => {
  const graph = graphOf(`${name} 40:\n asm_${name} 168: ${name}+168`);
  const entries = findEntries(indexGraph(graph), new FunctionNames(graph), programOf([]));
  expect(entries).toMatchObject([{ kind: "exception", stack, baseBytes }]);
});
