import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { damageText } from "../../../../bench/fuzz/damage-text.ts";
import { Random } from "../../../../bench/fuzz/random.ts";
import { SpillwayError } from "../errors.ts";
import { openText } from "./open-text.ts";

const folder = new URL("logs/", import.meta.url);
const logs = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), "utf8"));

it("ends with a document or says that there is no crash, whatever was done to a log", () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Random(seed);
    const text = damageText(random.pick(logs), random);
    try {
      const diagnosis = openText(text, "log").diagnose();
      expect(diagnosis.verdict.confidence, `seed ${seed}`).not.toBe("certain");
      expect(new Set(diagnosis.evidence.map((item) => item.id)).size).toBe(diagnosis.evidence.length);
      expect(() => JSON.stringify(diagnosis)).not.toThrow();
      kinds.add(diagnosis.verdict.kind);
    } catch (error) {
      if (!(error instanceof SpillwayError)) throw new Error(`seed ${seed}`, { cause: error });
      expect(error.code, `seed ${seed}`).toBe("SPW_TEXT_NO_CRASH");
    }
  }
  // The damage leaves enough for verdicts of many kinds.
  expect(kinds.size).toBeGreaterThan(4);
});
