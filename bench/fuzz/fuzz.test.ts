import { describe, expect, test } from "vitest";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { seeds } from "./seeds.ts";
import { tryDump } from "./try-dump.ts";

describe.each(seeds())("mutated dumps: $name", ({ files }) => {
  test("the sound one opens", () => {
    expect(tryDump(files)).toEqual({ opened: expect.any(Number) });
  });

  test("60 damaged ones are refused clearly or open", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new Random(seed);
      const which = random.below(files.length);
      const damaged = files.map((file, i) => (i === which ? mutate(file, random) : file));
      expect(() => tryDump(damaged), `seed ${seed}`).not.toThrow();
    }
  });
});
