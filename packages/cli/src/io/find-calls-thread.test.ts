import { availableParallelism } from "node:os";
import { join } from "node:path";
import { buildCallGraph, type DecodedFunctions, type FoundCalls } from "@spillway/core";
import { describe, expect, it } from "vitest";
import { findCallsAside } from "./find-calls-thread.ts";
import { openProgramFile } from "./open-program.ts";

const SAMPLES = join(import.meta.dirname, "..", "..", "..", "..", "samples");
const SAMPLE = join(SAMPLES, "stack-buffer-overflow-6.1.kdump");

describe.skipIf(availableParallelism() < 2)("calls found by a second thread", () => {
  it("make the graph that the first one finds, and come behind the code that they were found in", () => {
    const aside = findCallsAside(SAMPLE, []);
    const program = openProgramFile(SAMPLE);
    const alone = buildCallGraph(program);
    const pause = new Int32Array(new SharedArrayBuffer(4));
    let taken = 0;
    const decoded: DecodedFunctions = {
      take(index, into) {
        const isTaken = aside?.decoded.take(index, into) ?? false;
        if (isTaken) taken++;
        // Nobody waits for the other thread; here there is nothing else to do until it has begun.
        else if (taken === 0 && index < 2000) Atomics.wait(pause, 0, 0, 10);
        return isTaken;
      },
    };
    let found: FoundCalls | null = null;
    const calls = () => {
      found = aside?.wait() ?? null;
      return found;
    };
    expect(buildCallGraph(program, { calls, decoded })).toEqual(alone);
    expect(taken).toBeGreaterThan(100);
    expect((found as FoundCalls | null)?.sites.count).toBeGreaterThan(100);
  });

  it("are null where it cannot open the file: the first thread will say why", () => {
    expect(findCallsAside(join(SAMPLES, "nothing-there"), [])?.wait()).toBeNull();
  });
});
