/** Against a Map, over several functions. */
import { expect, test } from "vitest";
import { ValueTable } from "./value-table.ts";
import { Values } from "./values.ts";

test("a table has what was put in since it was cleared", () => {
  const values = new Values((_, offset) => offset);
  const table = new ValueTable();
  let seed = 1;
  const random = (): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) | 0;
    return (seed >>> 8) % 300;
  };
  // A large function, then a small one, and one that is larger still.
  for (const count of [2000, 10, 0, 5000]) {
    const map = new Map<string, unknown>();
    table.clear();
    for (let n = 0; n < count; n++) {
      const [one, other] = [random() - 150, random()];
      const known = map.get(`${one} ${other}`) ?? null;
      expect(table.get(one, other)).toBe(known);
      if (known !== null) continue;
      const value = values.address(n);
      table.add(one, other, value);
      map.set(`${one} ${other}`, value);
    }
    let wrong = 0;
    for (let one = -150; one < 150; one++) {
      for (let other = 0; other < 300; other += 7) {
        if (table.get(one, other) !== (map.get(`${one} ${other}`) ?? null)) wrong++;
      }
    }
    expect(wrong).toBe(0);
  }
});
