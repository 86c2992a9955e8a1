import { readdirSync } from "node:fs";
import { join } from "node:path";
import { diagnose, openDump, openKernel, SpillwayError } from "@spillway/core";
import { describe, expect, test } from "vitest";
import { FileSource } from "../../packages/cli/src/io/file-source.ts";
import { nodeCodecs } from "../../packages/cli/src/io/node-codecs.ts";
import { DamagedSource } from "./damaged-source.ts";
import { Random } from "./random.ts";

const samples = join(import.meta.dirname, "..", "..", "samples");

describe.each(readdirSync(samples).filter((name) => name.endsWith(".kdump")))("damaged copies of %s", (name) => {
  test("end with a clear error or a document", () => {
    const whole = new FileSource(join(samples, name));
    for (let seed = 1; seed <= 25; seed++) {
      const source = new DamagedSource(whole, new Random(seed));
      try {
        const diagnosis = diagnose(openKernel(openDump([source], { codecs: nodeCodecs })), { path: name });
        expect(diagnosis.schema, `seed ${seed}`).toBe("spillway/diagnosis@1");
      } catch (error) {
        expect(error, `seed ${seed}`).toBeInstanceOf(SpillwayError);
      }
    }
  });
});
