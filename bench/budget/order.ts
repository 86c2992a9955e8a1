/**
 * How much of a bound is the order of the functions: of a budget that was kept, a few direct calls are left out at random. No path is
 * new in what is left, so whatever is deeper there comes of another order, and with it of other upcalls.
 *
 *     node_modules/.bin/node bench/budget/order.ts BUDGET.json [--share 0.001] [--seeds 4]
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { openSavedBudget, readWholeBudget } from "@spillway/core";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { share: { type: "string", default: "0.001" }, seeds: { type: "string", default: "4" } },
});
const [input] = positionals;
if (input === undefined) {
  console.error("usage: order.ts BUDGET.json [--share 0.001] [--seeds 4]");
  process.exit(2);
}

/** Numbers below 1, the same for the same seed (a linear congruential generator modulo 2^31). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

const whole = readWholeBudget(readFileSync(input, "utf8"));
const before = openSavedBudget(whole).summary.entries.map(({ bounds }) => bounds.slotMatched);
for (let seed = 1; seed <= Number(values.seeds); seed++) {
  const random = randomFrom(seed * 7919);
  let left = 0;
  const functions = whole.functions.map((one) => {
    const calls = one.calls.filter(({ certainty }) => certainty !== "proven" || random() >= Number(values.share));
    left += one.calls.length - calls.length;
    return { ...one, calls };
  });
  const after = openSavedBudget({ ...whole, functions }).summary.entries;
  const change = after.map(({ bounds }, at) => bounds.slotMatched - before[at]!);
  const deeper = change.filter((bytes) => bytes > 0).length;
  const shallower = change.filter((bytes) => bytes < 0).length;
  console.log(
    `seed ${seed}: ${left} calls left out; of ${after.length} entries ${deeper} are deeper (by up to ${Math.max(...change)} bytes), ` +
      `${shallower} shallower (by up to ${-Math.min(...change)})`,
  );
}
