import { expect, test } from "vitest";
import { Bits, BitsNumbers } from "./bits.ts";

const COUNT = 70;
const of = (...numbers: number[]): Bits => new Bits(COUNT).addAll(numbers);

test.each([
  ["as they were added, ascending", of(69, 0, 31, 32), [0, 31, 32, 69]],
  ["what either has", of(1, 40).or(of(2, 40)), [1, 2, 40]],
  ["what both have", of(1, 31, 40).and(of(2, 31, 40)), [31, 40]],
  ["a copy of its own", of(5).copy().add(6), [5, 6]],
  ["one far behind", of(69), [69]],
  ["none", of(5).and(of(6)), []],
])("%s", (_, bits, numbers) => {
  expect(bits.numbers()).toEqual(numbers);
  expect(bits.isEmpty).toBe(numbers.length === 0);
  for (let number = 0; number < COUNT; number++) expect(bits.has(number)).toBe(numbers.includes(number));
});

test("a copy leaves the first as it was, a cleared set is empty", () => {
  const first = of(5);
  const copy = first.copy().add(64);
  expect(first.numbers()).toEqual([5]);
  copy.clear();
  expect(copy.numbers()).toEqual([]);
});

test("equal sets have one number, others have others, even those with one hash", () => {
  const numbers = new BitsNumbers();
  // 31 in one word weighs as much as 1 in the word before it.
  const [one, other] = [of(0), of(32, 33, 34, 35, 36)];
  expect(one.hash === of(0).hash && new Bits(64).add(0).hash === new Bits(64).addAll([32, 33, 34, 35, 36]).hash).toBe(
    true,
  );
  expect([one, other, of(0), of(32, 33, 34, 35, 36)].map((bits) => numbers.of(bits))).toEqual([0, 1, 0, 1]);
});
