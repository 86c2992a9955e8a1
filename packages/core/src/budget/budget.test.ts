import { describe, expect, test } from "vitest";
import { type BudgetProgram, createBudget } from "./budget.ts";
import { budgetProgram } from "./budget-program.fixture.ts";
import { calleesOf } from "./build-document.ts";
import { graphOf } from "./call-graph.fixture.ts";
import { type CallGraph, DEPTH_KINDS } from "./call-graph.ts";
import { TOLD_ROUNDS } from "./solve.ts";

/** A program that has just these symbols and nothing in its memory. */
function programOf(symbols: Record<string, bigint> = {}): BudgetProgram {
  return budgetProgram({
    symbols: {
      byName: (name: string) => (symbols[name] === undefined ? null : { name, address: symbols[name] }),
      byAddress: () => null,
    },
  });
}

/** A kernel in small: a write that may reclaim, reclaim that calls back into file systems. */
const KERNEL = graphOf(`
  do_syscall_64 48: !+40
  __x64_sys_write 24: vfs_write+24
  vfs_write 80: *file_operations.write_iter?iter+72, rw_verify_area+72, ?iter+72
  rw_verify_area 32:
  small_write@smallfs 40: alloc+32
  large_write@largefs 300: alloc+280
  alloc 64: reclaim+56
  reclaim 120: *shrinker.scan_objects+112
  shrink@largefs 90: alloc+80
  unrelated 600:
  {file_operations.write_iter}: small_write@smallfs large_write@largefs
  {iter}: small_write@smallfs large_write@largefs unrelated
  {shrinker.scan_objects}: shrink@largefs
`);

const budget = createBudget(programOf({ randomize_kstack_offset: 1n }), KERNEL, { rounds: 0 });
const document = budget.document();

describe("a budget of a small kernel", () => {
  const write = document.entries.find((entry) => entry.name === "__x64_sys_write");
  // pt_regs, the random offset, and do_syscall_64 up to its indirect call.
  const base = 168 + 1024 + 40;

  test("a system call's base is what the entry code leaves above it", () => {
    expect(write).toMatchObject({ kind: "system-call", stack: "task", baseBytes: base, randomOffsetBytes: 1024 });
  });

  test("the random offset counts once where the code tells how large it can be", () => {
    const told = graphOf("do_syscall_64 1100: !+1072\n __x64_sys_write 24:");
    const [entry] = createBudget(programOf({ randomize_kstack_offset: 1n }), told).document().entries;
    expect(entry).toMatchObject({ baseBytes: 168 + 1072, randomOffsetBytes: 1024 });
  });

  test("the three bounds", () => {
    // Direct: vfs_write's own frame is not deeper than its call.
    expect(write?.bounds.direct).toBe(base + 24 + 72 + 32);
    // The slot leads to the larger of the two; the shrinker's call back up to the allocator is cut.
    expect(write?.bounds.slotMatched).toBe(base + 24 + 72 + 280 + 56 + 112 + 90);
    // Where no slot is known, the prototype counts: a function that never is in the slot beside, and is deep.
    expect(write?.bounds.prototypeMatched).toBe(base + 24 + 72 + 600);
  });

  test("the path says how it comes from each function to the next", () => {
    expect(write?.path.map((step) => [step.function, step.module, step.bytes, step.certainty, step.slot])).toEqual([
      ["__x64_sys_write", null, 24, null, null],
      ["vfs_write", null, 72, "proven", null],
      ["large_write", "largefs", 280, "typed", "file_operations.write_iter"],
      ["alloc", null, 56, "proven", null],
      ["reclaim", null, 112, "proven", null],
      ["shrink", "largefs", 90, "typed", "shrinker.scan_objects"],
    ]);
    expect(write?.levels.slotMatched.edges).toEqual({ proven: 3, typed: 2, assumed: 0 });
  });

  test("the cycle is there, with the upcall as its cut edge and what a round takes", () => {
    const [at] = write?.levels.slotMatched.cycles ?? [];
    expect(document.cycles[at as number]).toMatchObject({
      level: "slot-matched",
      functionCount: 3,
      cutEdgeCount: 1,
      roundBytes: 80 + 56 + 112,
      cutEdges: [
        {
          caller: "shrink",
          callee: "alloc",
          certainty: "proven",
          slot: null,
          round: ["alloc", "reclaim", "shrink"],
        },
      ],
    });
    expect(write?.levels.direct.cycles).toEqual([]);
  });

  test("one round more, a path without repetition, and what cannot be exceeded without one", () => {
    const bound = write?.levels.slotMatched;
    const toShrink = base + 24 + 72 + 280 + 56 + 112;
    expect(bound?.oneMoreRoundBytes).toBe(toShrink + 80 + 56 + 112 + 90);
    // alloc is on the stack already when shrink would call it.
    expect(bound?.foundBytes).toBe(toShrink + 90);
    // Of each function of the cycle its largest call, and the last one's own frame.
    expect(bound?.noFunctionTwiceBytes).toBe(base + 24 + 72 + 280 + (56 + 112 + 80) + 10);
  });

  test("what is not known is counted", () => {
    expect(document.unresolved).toMatchObject({
      calls: { direct: 4, slotMatched: 2, prototypeMatched: 1 },
      where: [{ function: "do_syscall_64", module: null, calls: 1 }],
    });
    expect(write?.levels.direct.reachable).toMatchObject({ functions: 3, unresolvedCalls: 2 });
  });

  test("a call of the document leads to its callees", () => {
    const call = document.functions.find((one) => one.name === "vfs_write")?.calls[0];
    expect(call).toMatchObject({ certainty: "typed", depthBytes: 72, kind: "indirect-call" });
    expect(calleesOf(document, call as NonNullable<typeof call>)).toEqual(["small_write", "large_write"]);
  });

  test("members of file_operations are entries of their own", () => {
    expect(document.entries.filter((entry) => entry.kind === "file-operation").map((entry) => entry.name)).toEqual([
      "small_write",
      "large_write",
    ]);
  });
});

describe("questions", () => {
  test.each([
    ["__x64_sys_write", "direct", ["__x64_sys_write", "vfs_write", "rw_verify_area"]],
    ["write", "direct", ["__x64_sys_write", "vfs_write", "rw_verify_area"]],
    ["alloc", "slot-matched", ["alloc", "reclaim", "shrink"]],
  ] as const)("the deepest path from %s, %s", (name, level, expected) => {
    expect(budget.path(name, level).steps.map((step) => step.function)).toEqual(expected);
  });

  test("the deepest context of a function", () => {
    const context = budget.callers("reclaim", "slot-matched");
    expect(context.entry?.name).toBe("__x64_sys_write");
    expect(context.steps.map((step) => step.function)).toEqual([
      "__x64_sys_write",
      "vfs_write",
      "large_write",
      "alloc",
      "reclaim",
    ]);
    expect(context.bytes).toBe(168 + 1024 + 40 + 24 + 72 + 280 + 56);
    expect(context.belowBytes).toBe(112 + 90);
  });

  test("a function that no entry leads to", () => {
    const context = budget.callers("do_syscall_64", "slot-matched");
    expect(context.entry).toBeNull();
    expect(context.bytes).toBe(0);
  });

  test("the largest frames, the deepest functions", () => {
    expect(budget.top({ limit: 2 }).map((row) => row.function)).toEqual(["unrelated", "large_write"]);
    expect(budget.top({ limit: 1, by: "depth" }).map((row) => row.function)).toEqual(["__x64_sys_write"]);
  });

  test("a name that is not there", () => {
    expect(() => budget.path("no_such", "direct")).toThrow(expect.objectContaining({ code: "SPW_BUDGET_NO_FUNCTION" }));
  });

  test.each([
    ["kmalloc", ["__kmalloc", "kmalloc_slab", "__kmalloc_noprof", "kmallocator", "do_kmalloc"]],
    ["__drain", ["drain_pages", "undrain"]],
    ["drain_pages.isra.7", ["drain_pages"]],
    ["do", []],
    ["tcp", []],
  ])("names like %s are offered", (name, similar) => {
    const graph = graphOf(
      "a 8: do_kmalloc+8, kmallocator+8, kmalloc_slab+8, __kmalloc_noprof+8, __kmalloc+8, re_kmalloc_it+8\n undrain 8: drain_pages+8",
    );
    const names = createBudget(programOf(), graph).names;
    expect(() => names.find(name)).toThrow(
      expect.objectContaining({
        facts: { name, similar },
        hint: expect.stringMatching(
          similar.length === 0 ? /not given$/ : new RegExp(`similar names: ${similar.join(", ")}$`),
        ),
      }),
    );
  });

  test("entries that are asked for take the place of those that are found", () => {
    const asked = createBudget(programOf(), KERNEL, { entries: ["write", "alloc"] }).document();
    expect(asked.entries.map(({ name, kind, baseBytes }) => [name, kind, baseBytes])).toEqual([
      ["__x64_sys_write", "system-call", 168 + 40],
      ["alloc", "other", 0],
    ]);
  });

  test("with a round more allowed the bound is what one more round gave", () => {
    const once = createBudget(programOf({ randomize_kstack_offset: 1n }), KERNEL, { rounds: 1 }).document();
    const entry = document.entries.find((one) => one.name === "__x64_sys_write");
    expect(once.entries.find((one) => one.name === "__x64_sys_write")?.bounds.slotMatched).toBe(
      entry?.levels.slotMatched.oneMoreRoundBytes,
    );
  });
});

describe("recursion", () => {
  test("bounds let a path take a few upcalls unless asked otherwise, and its steps say where", () => {
    const told = createBudget(programOf(), KERNEL);
    const asked = createBudget(programOf(), KERNEL, { rounds: TOLD_ROUNDS });
    expect(told.summary.rounds).toBe(TOLD_ROUNDS);
    expect(told.summary.entries).toEqual(asked.summary.entries);
    const upcalls = told.path("write", "slot-matched").steps.filter(({ cut }) => cut);
    expect(upcalls.map((step) => step.function)).toEqual(Array(TOLD_ROUNDS).fill("alloc"));
  });

  test("a path says what of it goes round again, and what is left if no upcall is taken twice", () => {
    const { steps, again, noUpcallTwice, baseBytes, bytes } = createBudget(programOf(), KERNEL).path("write");
    const rounds = Array.from({ length: TOLD_ROUNDS }, () => ["alloc", "reclaim", "shrink"]).flat();
    expect(again.steps.map((at) => steps[at]?.function)).toEqual(rounds);
    expect(again.bytes).toBe(TOLD_ROUNDS * (56 + 112 + 80) - 80 + 90);
    const once = steps.slice(0, steps.length - 3 * (TOLD_ROUNDS - 1)).map((step) => step.function);
    expect(noUpcallTwice?.steps.map((step) => step.function)).toEqual(once);
    expect(noUpcallTwice?.bytes).toBe(bytes - (TOLD_ROUNDS - 1) * (56 + 112 + 80));
    const used = noUpcallTwice?.steps.reduce((sum, step) => sum + step.bytes, baseBytes);
    expect(noUpcallTwice?.bytes).toBe(used);
  });

  test("without repetition there is none, and with many upcalls it is not looked for", () => {
    const { again, noUpcallTwice, bytes } = createBudget(programOf(), KERNEL).path("write", "direct");
    expect(again).toEqual({ steps: [], bytes: 0 });
    expect(noUpcallTwice?.bytes).toBe(bytes);
    expect(createBudget(programOf(), KERNEL, { rounds: 9 }).path("write").noUpcallTwice).toBe(null);
  });

  test.each<[string, CallGraph, number, number]>([
    ["a function that calls itself", graphOf("f 100: f+90, g+50\n g 20:"), 100, 190],
    ["two that call each other", graphOf("f 100: g+90\n g 70: f+60\n main 8: f+8"), 160, 310],
  ])("%s is a cycle, and the bound passes it once", (_, graph, once, more) => {
    const path = createBudget(programOf(), graph, { rounds: 0 }).path("f", "direct");
    expect(path.bytes).toBe(once);
    expect(path.oneMoreRoundBytes).toBe(more);
    expect(path.cycles).toHaveLength(1);
  });
});

test("what comes upon kernel code does not go back to user mode: that is an entry of its own", () => {
  const graph = graphOf(`
    asm_exc_page_fault 176: exc_page_fault+176
    exc_page_fault 40: irqentry_exit+32, fault+40
    irqentry_exit 8: irqentry_exit_to_user_mode+8
    irqentry_exit_to_user_mode 24: get_signal+16
    get_signal 3000:
    fault 600:
  `);
  const { entries, interrupts, functions } = createBudget(programOf(), graph).document();
  expect(interrupts).toMatchObject([{ name: "exc_page_fault", bytes: { slotMatched: 176 + 40 + 600 } }]);
  expect(entries.map(({ name, bounds }) => [name, bounds.direct])).toEqual([
    ["exc_page_fault", 176 + 40 + 600],
    ["irqentry_exit_to_user_mode", 168 + 32 + 8 + 16 + 3000],
  ]);
  // The call is there; no path goes on by it.
  const exit = functions.find(({ name }) => name === "irqentry_exit");
  expect(exit?.calls).toMatchObject([{ targets: ["irqentry_exit_to_user_mode"] }]);
});

test("softirqs that a task lets run are on the CPU's IRQ stack, and in no path of the task", () => {
  const graph = graphOf(`
    send 40: local_bh_enable+40
    local_bh_enable 24: do_softirq+16
    do_softirq 16: handle_softirqs.constprop.0+8
    irq_exit 16: handle_softirqs.constprop.0+16
    handle_softirqs.constprop.0 100: net_rx_action+90
    net_rx_action 5000:
  `);
  const { sites, functions } = graph;
  sites.depthKind[Array.from(sites.caller).indexOf(functions.name.indexOf("do_softirq"))] =
    DEPTH_KINDS.indexOf("other-stack");
  const all = createBudget(programOf(), graph, { entries: ["send", "irq_exit"] }).document();
  expect(all.entries.map(({ name, bounds }) => [name, bounds.direct])).toEqual([
    ["send", 40 + 16 + 16],
    ["irq_exit", 16 + 90 + 5000],
  ]);
});

test("a path's steps come to its bound, also where its end is the return address of a call that leads nowhere known", () => {
  const graph = graphOf("write 40: hook+40\n hook 24: !+24");
  const known = createBudget(programOf(), graph, { entries: ["write"] });
  expect(known.path("write")).toMatchObject({ bytes: 72, steps: [{ bytes: 40 }, { bytes: 32 }] });
  expect(known.document().entries).toMatchObject([{ bounds: { direct: 72 }, path: [{ bytes: 40 }, { bytes: 32 }] }]);
});
