import type { KnownGraph } from "@spillway/core";
import { describe, expect, test, vi } from "vitest";
import { tinyProgram } from "../../../../core/src/budget/tiny-program.fixture.ts";
import type { Context } from "../../context.ts";
import { recorder } from "../../testing/recorder.ts";
import { type BudgetOptions, noteProblems, openBudget } from "./budget-options.ts";

const terminal = { progress: false } as unknown as Context["terminal"];

test.each([
  ["files of debug information are opened for the program", ["vmlinux"], [["tiny", "vmlinux"]]],
  ["without --debuginfo none is looked for", undefined, []],
])("%s", (_, debuginfo, expected) => {
  const asked: string[][] = [];
  const { program } = tinyProgram({ functions: { f: "c3  ret" } });
  const context: Context = {
    terminal,
    open: () => {
      throw new Error("no dump");
    },
    openProgram: () => program,
    openDeclaredTypes: (of, files) => {
      asked.push([of.name, ...files]);
      return null;
    },
  };
  openBudget(context, "vmlinuz", { rounds: 0, ...(debuginfo === undefined ? {} : { debuginfo }) });
  expect(asked).toEqual(expected);
});

test.each([
  ["vmlinuz", { modules: "my modules", debuginfo: ["vmlinux"] }, "vmlinuz --modules 'my modules' --debuginfo vmlinux"],
  ["old.json", { modules: "my modules", debuginfo: ["vmlinux"] }, "old.json"],
  ["old.json", { level: "direct" }, "old.json --level direct"],
] as const)("where the rest of what is amiss with %s is told", (input, options, typed) => {
  const watched = recorder();
  const asked = { rounds: 4, level: "slot-matched", ...options } as const;
  noteProblems({ terminal: watched } as unknown as Context, ["no\x1b ORC", "no BTF"], input, asked);
  expect(watched.errors()).toBe(`note: no. ORC\nnote: and 1 more, which spillway budget ${typed} tells\n`);
});

describe("the graph of a file", () => {
  const functions = { __x64_sys_f: "e8 .. .. .. ..  call g\nc3  ret", g: "c3  ret" };
  const { program } = tinyProgram({ functions });
  /** Keeps what it is given; counts how often the program is opened. */
  function keeping(kept: { graph: KnownGraph | null }) {
    const counts = { opened: 0 };
    const context: Context = {
      terminal,
      open: () => {
        throw new Error("no dump");
      },
      openProgram: () => {
        counts.opened++;
        return program;
      },
      graphs: () => ({
        find: () => kept.graph,
        keep: (graph) => {
          kept.graph = graph;
        },
      }),
    };
    return { context, counts };
  }

  test("is worked out once: the next budget is the same, and nothing of the program is opened", () => {
    const { context, counts } = keeping({ graph: null });
    const first = openBudget(context, "vmlinuz", { rounds: 0 });
    const second = openBudget(context, "vmlinuz", { rounds: 0 });
    expect(counts.opened).toBe(1);
    expect(second.document()).toEqual(first.document());
    expect(second.document().entries).not.toEqual([]);
  });

  test("of some entries is that of all of them", () => {
    const { context, counts } = keeping({ graph: null });
    openBudget(context, "vmlinuz", { rounds: 0, entry: ["g"] });
    const all = openBudget(context, "vmlinuz", { rounds: 0 });
    expect(counts.opened).toBe(1);
    expect(all.document()).toEqual(openBudget(keeping({ graph: null }).context, "vmlinuz", { rounds: 0 }).document());
  });

  test.each<[string, Partial<BudgetOptions>]>([
    ["an entry", { entry: ["g", "h"] }],
    ["a frame to grow", { grow: [{ name: "h", bytes: 8 }] }],
  ])("is kept for the next question though %s is wrong", (_, wrong) => {
    const { context, counts } = keeping({ graph: null });
    expect(() => openBudget(context, "vmlinuz", { rounds: 0, ...wrong })).toThrow("there is no function h");
    openBudget(context, "vmlinuz", { rounds: 0 });
    expect(counts.opened).toBe(1);
  });

  test("lets the program be opened once when somebody asks for its code and types, as plans do", () => {
    const { context, counts } = keeping({ graph: null });
    openBudget(context, "vmlinuz", { rounds: 0 });
    const budget = openBudget(context, "vmlinuz", { rounds: 0 });
    expect(counts.opened).toBe(1);
    const { symbols, memory, types } = budget.program;
    expect([symbols, memory, types]).toEqual([program.symbols, program.memory, program.types]);
    expect(counts.opened).toBe(2);
  });

  test("what the later opening shows of its progress is gone when the program is there", () => {
    const told: string[] = [];
    const { context } = keeping({ graph: null });
    openBudget(context, "vmlinuz", { rounds: 0 });
    const watched: Context = {
      ...context,
      terminal: { ...terminal, interactive: true, width: 80, writeError: (text: string) => told.push(text) },
      openProgram: (_input, { progress }) => {
        progress("reading modules", 1, 2);
        return program;
      },
    };
    vi.useFakeTimers({ toFake: ["performance", "Date"] });
    try {
      const budget = openBudget(watched, "vmlinuz", { rounds: 0 });
      vi.advanceTimersByTime(10_000);
      expect(budget.program.symbols).toBe(program.symbols);
    } finally {
      vi.useRealTimers();
    }
    expect(told).toEqual(["\r\x1b[Kreading modules 50 %", "\r\x1b[K"]);
  });

  test.each([
    ["with --no-cache", "vmlinuz", false, 2],
    ["that runs here", "live", true, 2],
    ["by default", "vmlinuz", true, 1],
  ])("%s is worked out anew or not", (_, input, cache, opened) => {
    const { context, counts } = keeping({ graph: null });
    openBudget(context, input, { rounds: 0, cache });
    openBudget(context, input, { rounds: 0, cache });
    expect(counts.opened).toBe(opened);
  });
});
