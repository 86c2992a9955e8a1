import fc from "fast-check";
import { expect, test } from "vitest";
import { createBudget } from "../budget.ts";
import { budgetProgram } from "../budget-program.fixture.ts";
import { graphOf } from "../call-graph.fixture.ts";
import { KNOWN_POINTS } from "./known-points.ts";
import { makePlan } from "./plan.ts";

const NOP = [0x0f, 0x1f, 0x44, 0x00, 0x00, 0x55, 0x53, 0x51, 0x52];
const PROGRAM = budgetProgram({
  memory: { u64: () => null, read: () => Uint8Array.from(NOP) },
  types: { func: () => null },
});
const STACK = 16384;
const USABLE = STACK - 1024;

/** One entry, two plain functions, and known entry points of the VFS. */
const NAMES = ["entry", "plain", "other", ...[...KNOWN_POINTS.keys()].slice(0, 4)];

/** Tables of such calls, for `graphOf`. */
const tables = fc
  .array(fc.tuple(fc.nat(6), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 8, max: 5000 })), { maxLength: 16 })
  .map((calls) => {
    const lines = NAMES.map((name, f) => {
      const own = calls.filter(([caller]) => caller === f);
      return `${name} 100: ${own.map(([, callee, bytes]) => `${NAMES[callee]}+${bytes}`).join(", ")}`;
    });
    return lines.join("\n");
  });

test.each([{}, { recursion: true }, { thresholdBytes: 8192 }])("%j: whatever is called short enough is", (options) => {
  fc.assert(
    fc.property(tables, (table) => {
      const budget = createBudget(PROGRAM, graphOf(table));
      const plan = makePlan(budget, { entry: "entry", ...options });
      // The list has room for all segments of such a graph.
      const room = { entry: USABLE, point: USABLE - plan.thresholdBytes };
      for (const { from, bytes } of plan.longestSegments) expect(bytes).toBeLessThanOrEqual(room[from]);
      expect(plan.longestSegments.length + plan.unfixable.length).toBe(1 + plan.points.length);
      // The threshold that is only aimed at gives way, down to an eighth of the stack, to what nothing shortens.
      const least = plan.thresholdBytes === 0 || "thresholdBytes" in options ? 8192 : STACK / 8;
      const given = plan.unfixable.filter(({ from, bytes }) => from === "point" && bytes <= USABLE - least);
      expect(given.map(({ start, bytes, why }) => ({ start, bytes, why }))).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test.each([0, 1, 4])("without points, and %i upcalls, the longest segment of an entry is its bound", (rounds) => {
  fc.assert(
    fc.property(tables, (table) => {
      const budget = createBudget(PROGRAM, graphOf(table), { rounds });
      const { longestSegments, unfixable, points } = makePlan(budget, { entry: "entry", deny: NAMES });
      expect(points).toEqual([]);
      const segments = [...longestSegments, ...unfixable];
      const path = budget.path("entry");
      expect(segments.map(({ bytes }) => bytes)).toEqual([path.bytes]);
      expect(segments[0]?.path.map((step) => [step.function, step.bytes, step.cut])).toEqual(
        path.steps.map((step) => [step.function, step.bytes, step.cut]),
      );
    }),
    { numRuns: 200 },
  );
});
