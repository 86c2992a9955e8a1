import { expect, test } from "vitest";
import { Accesses } from "./accesses.ts";
import { NumberLists } from "./number-lists.ts";
import { PairTable } from "./pair-table.ts";

test("lists keep their order, however they are filled in turns, and are emptied one by one", () => {
  const lists = new NumberLists();
  const expected = new Map<number, number[]>();
  for (let n = 0; n < 20_000; n++) {
    const list = (n * 7919) % 9001;
    lists.append(list, n);
    expected.set(list, [...(expected.get(list) ?? []), n]);
  }
  lists.clear(5);
  expected.set(5, []);
  lists.append(5, -1);
  expected.get(5)!.push(-1);
  for (const [list, values] of expected) expect(lists.values(list)).toEqual(values);
  expect([lists.values(100_000), lists.first(100_000), lists.last(100_000)]).toEqual([[], 0, 0]);
});

test("what came after an element", () => {
  const lists = new NumberLists();
  expect(lists.after(3, 0)).toBe(0);
  const first = lists.append(3, 10);
  expect([lists.after(3, 0), lists.after(3, first)]).toEqual([first, 0]);
  lists.append(4, 11);
  const second = lists.append(3, 12);
  expect([lists.after(3, first), lists.last(3), lists.value(second)]).toEqual([second, second, 12]);
  expect([lists.countWithout(3, 12), lists.countWithout(3, 11), lists.countWithout(5, 0)]).toEqual([-1, 2, 0]);
});

test("accesses: each once, found by what of the offset counts, and told apart by whether they were seen", () => {
  const accesses = new Accesses();
  expect([accesses.add(1, 8, 20), accesses.add(1, 8, 20), accesses.add(1, 8, 21)]).toEqual([true, false, true]);
  accesses.see(1);
  expect(accesses.firstNew(1)).toBe(0);
  accesses.add(1, -8, 22);
  const fresh = accesses.firstNew(1);
  expect([accesses.offset(fresh), accesses.node(fresh), accesses.next(fresh)]).toEqual([-8, 22, 0]);
  expect([accesses.nodeAt(1, 8), accesses.nodeAt(1, 0xffff8), accesses.nodeAt(1, 16)]).toEqual([20, 22, -1]);
});

test("pairs have the value that they were given last, others none", () => {
  const table = new PairTable();
  for (let n = 0; n < 50_000; n++) table.set(n % 1000, n - 25_000, n);
  table.set(0, -25_000, 1);
  const numbers = Array.from({ length: 50_000 }, (_, n) => n);
  expect(numbers.filter((n) => table.get(n % 1000, n - 25_000) !== n)).toEqual([0]);
  expect([table.get(0, -25_000), table.get(0, 1), table.get(7, -25_000)]).toEqual([1, -1, -1]);
  expect([table.add(0, -25_000, 2), table.get(0, -25_000)]).toEqual([false, 1]);
  expect([table.add(7, -25_000, 3), table.get(7, -25_000)]).toEqual([true, 3]);
});
