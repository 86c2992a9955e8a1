import { describe, expect, test } from "vitest";
import type { CType } from "../../types/type-provider.ts";
import { createBudget } from "../budget.ts";
import { budgetProgram } from "../budget-program.fixture.ts";
import { graphOf } from "../call-graph.fixture.ts";
import type { AllowedPoint } from "./candidates.ts";
import { makePlan } from "./plan.ts";
import { splitPath } from "./unfixable.ts";

const LIMITS = { first: 100, later: 50, hook: 10 };

/** A path as "30 40! 20": bytes of each function, those that may be cut at marked. */
function path(text: string): [number[], boolean[]] {
  const words = text.split(" ");
  return [words.map((word) => Number.parseInt(word, 10)), words.map((word) => word.endsWith("!"))];
}

test.each<[string, string, number[] | null]>([
  ["is short enough", "60 40", []],
  ["is cut as far on as the limit lets it", "20 20! 20! 20! 25", [3]],
  ["counts what the hook takes", "55 40! 1 5!", [1]],
  ["is cut again where the rest is too long", "90 20! 20! 20! 20!", [1, 3]],
  ["has pieces that no cut shortens", "90 60!", null],
  ["has a cut that comes too late", "95 45!", null],
  ["has nowhere to be cut", "90 20 20", null],
  ["is never cut at its first function", "90! 20 20", null],
])("a path %s", (_, text, expected) => {
  expect(splitPath(...path(text), LIMITS)).toEqual(expected);
});

describe("what a plan leaves too long", () => {
  const LONG: CType = { kind: "int", name: "long", size: 8, signed: true };
  const VOID: CType = { kind: "void" };
  const NOP = [0x0f, 0x1f, 0x44, 0x00, 0x00, 0x55, 0x53, 0x51, 0x52];
  const program = budgetProgram({
    memory: { u64: () => null, read: () => Uint8Array.from(NOP) },
    types: {
      func: (name: string) => ({ kind: "function", returns: name.startsWith("void") ? VOID : LONG, parameters: [] }),
    },
  });
  /** From write(2), with 168 bytes of pt_regs: 15,360 are its limit, 7,168 that of a point. */
  const unfixable = (text: string, allow: readonly AllowedPoint[] = []) => {
    const graph = graphOf(text);
    const { unfixable, unfixableCounts } = makePlan(createBudget(program, graph), { allow, thresholdBytes: 8192 });
    expect(Object.values(unfixableCounts)).toEqual(unfixable.length === 0 ? [] : [unfixable.length]);
    return unfixable.map(({ start, cause, allowable, bars }) => ({ start, cause, allowable, bars }));
  };
  const NO_ERROR = "it returns no error";
  const NO_SLEEP = "direct calls lead from it to none that sleeps";
  const NOT_KNOWN = "whether it may sleep and fail is not known";

  test("what somebody could allow", () => {
    const text = "__x64_sys_write 9000: step+9000\n step 6500: mutex_lock+6500\n mutex_lock 99:";
    const bars = [{ why: NOT_KNOWN, functions: 2 }];
    expect(unfixable(text)).toEqual([{ start: "__x64_sys_write", cause: "unjudged", allowable: ["step"], bars }]);
    expect(unfixable(text, [{ name: "step", returns: "long" }])).toEqual([]);
  });

  test("nothing that returns an error", () => {
    const text =
      "__x64_sys_write 9000: void_step+9000\n void_step 7000: mutex_lock+7000\n mutex_lock 99: void_end+99\n void_end 9:";
    const bars = [
      { why: NO_ERROR, functions: 2 },
      { why: NOT_KNOWN, functions: 1 },
    ];
    expect(unfixable(text)).toEqual([{ start: "__x64_sys_write", cause: "coarse", allowable: [], bars }]);
  });

  test("nothing that sleeps", () => {
    const text = "__x64_sys_write 9000: step+9000\n step 7000:";
    const bars = [{ why: NO_SLEEP, functions: 1 }];
    expect(unfixable(text)).toEqual([{ start: "__x64_sys_write", cause: "no-point", allowable: [], bars }]);
  });

  test("nothing that interrupts do not lead to", () => {
    const text =
      "__x64_sys_write 9000: step+9000\n step 6500: mutex_lock+6500\n mutex_lock 99:\n" +
      " tick@mine 9: step+9\n {timer_list.function}: tick@mine";
    const bars = [{ why: "ways lead to it from where nobody may sleep", functions: 2 }];
    expect(unfixable(text)).toEqual([{ start: "__x64_sys_write", cause: "no-point", allowable: [], bars }]);
  });

  test("what fits a stack, but not above the threshold", () => {
    const text = "__x64_sys_write 9000: vfs_write+9000\n vfs_write 7500:";
    const bars: unknown[] = [];
    expect(unfixable(text)).toEqual([{ start: "vfs_write", cause: "threshold", allowable: [], bars }]);
  });
});
