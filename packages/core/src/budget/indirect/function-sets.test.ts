import { expect, test } from "vitest";
import { FunctionSets, NO_FUNCTIONS } from "./function-sets.ts";

const of = (sets: FunctionSets, ...entries: number[]): number =>
  entries.reduce((set, entry) => sets.with(set, entry), NO_FUNCTIONS);

test("one set, one number: in whatever order it was filled, joined or picked", () => {
  const sets = new FunctionSets();
  const abc = of(sets, -3, -2, 7);
  expect(of(sets, 7, -3, -2, -3)).toBe(abc);
  expect(sets.join(of(sets, -3, 7), of(sets, -2, 7))).toBe(abc);
  expect(sets.where(of(sets, -3, -2, 7, 9), (entry) => entry < 9)).toBe(abc);
  expect([...sets.functions(abc)]).toEqual([-3, -2, 7]);
});

test.each([
  ["nothing to join", [1, 2], [], [1, 2]],
  ["one within the other", [1, 2, 3], [2], [1, 2, 3]],
  ["nothing in common", [1, 3], [2, 4], [1, 2, 3, 4]],
  ["both empty", [], [], []],
])("join: %s", (_, one, other, all) => {
  const sets = new FunctionSets();
  const [a, b] = [of(sets, ...one), of(sets, ...other)];
  expect([sets.join(a, b), sets.join(b, a)]).toEqual([of(sets, ...all), of(sets, ...all)]);
  expect(sets.size(sets.join(a, b))).toBe(all.length);
});

test("sets of one hash are told apart", () => {
  const sets = new FunctionSets();
  expect(of(sets, 1, 1000)).not.toBe(of(sets, 2, 117441569));
});

test("what passes no test is the empty set", () => {
  const sets = new FunctionSets();
  expect(sets.where(of(sets, 1, 2), () => false)).toBe(NO_FUNCTIONS);
});

test("thousands of sets are what JavaScript's are", () => {
  const sets = new FunctionSets();
  const made = [{ set: NO_FUNCTIONS, has: new Set<number>() }];
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let n = 0; n < 3000; n++) {
    const [a, b] = [made[random(made.length)]!, made[random(made.length)]!];
    const entry = random(200) - 100;
    if (n % 2 === 0) made.push({ set: sets.with(a.set, entry), has: new Set(a.has).add(entry) });
    else made.push({ set: sets.join(a.set, b.set), has: new Set([...a.has, ...b.has]) });
  }
  const numbers = new Map<string, number>();
  for (const { set, has } of made) {
    const sorted = [...has].sort((a, b) => a - b);
    expect([...sets.functions(set)]).toEqual(sorted);
    expect(numbers.get(sorted.join()) ?? set).toBe(set);
    numbers.set(sorted.join(), set);
  }
});
