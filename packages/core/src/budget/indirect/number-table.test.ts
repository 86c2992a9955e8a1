/** Against a Map. */
import { expect, test } from "vitest";
import { NumberTable } from "./number-table.ts";

test("a table has what a Map has", () => {
  const table = new NumberTable();
  const map = new Map<number, number>();
  let seed = 1;
  const random = (): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) | 0;
    return seed;
  };
  for (let n = 0; n < 20_000; n++) {
    // Many of them the same, negative ones and those that differ in high bits only among them.
    const key = n % 3 === 0 ? (random() >> 4) << 16 : random() % 5000;
    table.set(key, n);
    map.set(key, n);
  }
  expect(table.size).toBe(map.size);
  expect([...map].filter(([key, value]) => table.get(key) !== value)).toEqual([]);
  const others = Array.from({ length: 5000 }, (_, n) => n + 10_000).filter((key) => !map.has(key));
  expect(others.filter((key) => table.get(key) !== -1)).toEqual([]);
  table.clear();
  expect(table.size).toBe(0);
  expect([...map.keys()].filter((key) => table.get(key) !== -1)).toEqual([]);
});
