import { availableParallelism } from "node:os";
import { join } from "node:path";
import { buildCallGraph, findCalls } from "@spillway/core";
import { describe, expect, it } from "vitest";
import { findCallsAside } from "./find-calls-thread.ts";
import { openProgramFile } from "./open-program.ts";

const SAMPLES = join(import.meta.dirname, "..", "..", "..", "..", "samples");
const SAMPLE = join(SAMPLES, "stack-buffer-overflow-6.1.kdump");

describe.skipIf(availableParallelism() < 2)("calls found by a second thread", () => {
  it("are those that the first one finds, and make the same graph", () => {
    const calls = findCallsAside(SAMPLE, []);
    const program = openProgramFile(SAMPLE);
    const alone = findCalls(program);
    const found = calls?.wait() ?? null;
    expect(found?.sites.count).toBeGreaterThan(100);
    expect(found).toEqual(alone);
    expect(buildCallGraph(program, { calls: () => found })).toEqual(buildCallGraph(program));
  });

  it("are null where it cannot open the file: the first thread will say why", () => {
    expect(findCallsAside(join(SAMPLES, "nothing-there"), [])?.wait()).toBeNull();
  });
});
