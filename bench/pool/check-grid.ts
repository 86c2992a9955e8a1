/**
 * From how many stacks on is it safe to sleep for one? Checks every pattern of locks and stacks over a grid of tasks and nesting
 * levels, with every number of stacks from 1 to one more than could be in use, and finds where the verdict flips.
 *
 *   node bench/pool/check-grid.ts [--tasks 5] [--depth 4] [--json]
 */
import { parseArgs } from "node:util";
import { textTable } from "../lib/table.ts";
import { fewestStacks, PATTERNS, verdictsByStacks } from "./check-patterns.ts";

const { values } = parseArgs({
  options: {
    tasks: { type: "string", default: "5" },
    depth: { type: "string", default: "4" },
    json: { type: "boolean", default: false },
  },
});
const upTo = (most: string): number[] => Array.from({ length: Number(most) }, (_, index) => index + 1);
const depths = upTo(values.depth);
const allTasks = upTo(values.tasks);

interface Cell {
  readonly pattern: string;
  readonly tasks: number;
  readonly depth: number;
  readonly fewest: number | null;
  readonly reckoned: number;
  /** Every smaller number of stacks deadlocks, every larger one holds. */
  readonly flipsOnce: boolean;
}

const cells: Cell[] = [];
let models = 0;
let failingWithEio = 0;
for (const pattern of PATTERNS) {
  for (const tasks of allTasks) {
    for (const depth of depths.filter((one) => one >= pattern.leastDepth)) {
      const verdicts = verdictsByStacks(pattern, tasks, depth, "sleep");
      const fewest = fewestStacks(verdicts);
      const flipsOnce = verdicts.slice(0, (fewest ?? 1) - 1).every((verdict) => verdict === "deadlock");
      const reckoned = pattern.stacks(tasks, depth);
      cells.push({ pattern: pattern.name, tasks, depth, fewest, reckoned, flipsOnce });
      failingWithEio += verdictsByStacks(pattern, tasks, depth, "eio").filter((verdict) => verdict !== "holds").length;
      models += 2 * verdicts.length;
    }
  }
}

const wrong = cells.filter(({ fewest, reckoned, flipsOnce }) => fewest !== reckoned || !flipsOnce);
if (values.json) {
  console.log(JSON.stringify({ models, failingWithEio, wrong, cells }, null, 2));
} else {
  for (const pattern of PATTERNS) {
    const shown = depths.filter((depth) => depth >= pattern.leastDepth);
    console.log(`\n${pattern.name}: ${pattern.what}; fewest stacks ${pattern.formula}`);
    const rows = allTasks.map((tasks) => [
      String(tasks),
      ...shown.map((depth) => {
        const cell = cells.find((one) => one.pattern === pattern.name && one.tasks === tasks && one.depth === depth)!;
        return String(cell.fewest ?? "none");
      }),
    ]);
    const columns = shown.map((depth) => ({ title: `depth ${depth}`, align: "right" as const }));
    console.log(textTable([{ title: "tasks", align: "right" }, ...columns], rows));
  }
  console.log(`\n${models} models; ${wrong.length} of ${cells.length} flip elsewhere than reckoned, or more than once`);
  console.log(`with -EIO instead of sleep, ${failingWithEio} of ${models / 2} fail`);
}
process.exitCode = wrong.length === 0 && failingWithEio === 0 ? 0 : 1;
