import fc from "fast-check";
import { expect, test } from "vitest";
import { checkModel } from "./check-model.ts";
import { naiveCheck } from "./naive.fixture.ts";
import { parseModel } from "./parse-model.ts";
import { modelJson, modelText } from "./print-model.ts";
import { anyModel } from "./random-models.fixture.ts";

/** Larger ones take the plain search too long. */
const SMALL = 400;

test("any model: the same verdict, counts and length of the shortest trace as a plain search over objects", () => {
  const verdicts = new Set<string>();
  fc.assert(
    fc.property(anyModel, (model) => {
      const ours = checkModel(model, { symmetry: false, bounds: { states: SMALL } });
      fc.pre(ours.distinct < SMALL);
      verdicts.add(ours.verdict);
      const naive = naiveCheck(model);
      const isPartial = naive.verdict === "deadlock" && naive.length === 0;
      if (isPartial) expect(ours.properties[3]!.holds).toBe(false);
      else expect({ ...counts(ours), verdict: ours.verdict, length: ours.trace.length }).toEqual(naive);
    }),
    { numRuns: 150 },
  );
  expect([...verdicts].sort()).toEqual(["deadlock", "holds", "violated"]);
});

const counts = ({ states, distinct }: { states: number; distinct: number }) => ({ states, distinct });

test("any model: symmetry changes neither the verdict nor the length of the shortest trace", () => {
  fc.assert(
    fc.property(anyModel, (model) => {
      const plain = checkModel(model, { symmetry: false, bounds: { states: 20_000 } });
      fc.pre(plain.distinct < 20_000);
      const reduced = checkModel(model, { symmetry: true });
      expect(reduced.verdict).toBe(plain.verdict);
      expect(reduced.trace).toHaveLength(plain.trace.length);
      expect(reduced.depth).toBe(plain.depth);
      expect(reduced.distinct).toBeLessThanOrEqual(plain.distinct);
    }),
    { numRuns: 150 },
  );
});

test("any model is the same after it was printed and read again, as text and as JSON", () => {
  fc.assert(
    fc.property(anyModel, (model) => {
      const text = modelText(model);
      expect(modelText(parseModel(text))).toBe(text);
      expect(modelText(parseModel(JSON.stringify(modelJson(model))))).toBe(text);
    }),
    { numRuns: 100 },
  );
});
