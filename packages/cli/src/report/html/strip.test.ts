import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { BUFFER_OVERFLOW, RECURSION } from "../../testing/diagnoses.ts";
import { mapOf } from "../../testing/stack-maps.ts";
import { strip } from "./strip.ts";
import { spread } from "./strip-labels.ts";

describe("labels beside the bar", () => {
  it.each<[string, number[], number[]]>([
    ["stay where there is room", [20, 100], [20, 100]],
    ["move apart", [50, 52], [50, 80]],
    ["stay within the drawing at its end", [195, 198], [170, 200]],
    ["and at its start", [0, 2], [10, 40]],
  ])("%s", (_name, places, expected) => {
    expect(spread(places, 30, 10, 200)).toEqual(expected);
  });

  test("never lie on each other, as long as there is room for all", () => {
    const places = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 12 });
    fc.assert(
      fc.property(places, (list) => {
        const result = spread(
          list.toSorted((a, b) => a - b),
          30,
          14,
          420,
        );
        for (const [index, place] of result.entries()) {
          expect(place).toBeGreaterThanOrEqual(14);
          expect(place).toBeLessThanOrEqual(420);
          if (index > 0) expect(place - result[index - 1]!).toBeGreaterThanOrEqual(30);
        }
      }),
    );
  });
});

describe("the drawing", () => {
  it("is to scale, and shows damage however small it is", () => {
    const { start, end } = BUFFER_OVERFLOW.corruption!;
    const { text } = strip(BUFFER_OVERFLOW, mapOf(BUFFER_OVERFLOW).stacks[0]!, 0, [start, end], "task stack");
    const damage = /class="s-damage" x="\d+" y="([\d.]+)" width="\d+" height="([\d.]+)"/.exec(text)!;
    const low = BigInt(BUFFER_OVERFLOW.stack!.low);
    const share = Number(BigInt(start) - low) / 0x4000;
    const top = Number(/class="s-outline" x="\d+" y="([\d.]+)"/.exec(text)![1]);
    const height = Number(/class="s-outline"[^>]* height="(\d+)"/.exec(text)![1]);
    expect(Number(damage[1])).toBeCloseTo(top + share * height, 0);
    expect(Number(damage[2])).toBeGreaterThanOrEqual(4);
  });

  it("blames all turns of a recursion", () => {
    const { text } = strip(RECURSION, mapOf(RECURSION).stacks[0]!, 0, null, "task stack");
    expect(text.match(/class="s-frame blamed/g)).toHaveLength(212);
    expect(text).toContain("212 turns of 80 bytes");
  });
});
