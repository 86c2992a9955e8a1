import { describe, expect, it } from "vitest";
import { randomStreams } from "../random/random-stream.ts";
import { DEFAULT_PROFILE } from "./default-profile.ts";
import { parseDesign } from "./design.ts";
import { replay } from "./replay.ts";
import { drawWorkload } from "./workload.ts";
import { ZoneMemory } from "./zone-memory.ts";

const MIB = 2 ** 20;
const PAGE = 4096;

/** Tasks that live for ever, on a zone of 16 MiB of which 4 are the kernel's. */
function course(design: string, tasks: number, taskPages: number) {
  const [lives, walks, waits, hits, of] = randomStreams(5, 5);
  const settings = { bytes: 16 * MIB, kernelBytes: 4 * MIB, unmovableBytes: 4 * MIB, extentPages: 2, rounds: 16 };
  const memory = new ZoneMemory(settings, of!);
  memory.age(1);
  const workload = drawWorkload(DEFAULT_PROFILE, { tasks, seconds: 3, lifeSeconds: 1e9 }, [
    lives!,
    walks!,
    waits!,
    hits!,
  ]);
  const counts = replay(workload, memory, {
    design: parseDesign(design),
    pool: { stacks: 4, thresholdBytes: null },
    reservedBytes: 0,
    entryBytes: 0,
    taskPages,
    churnPages: 100,
  });
  return { counts, memory };
}

describe("a replay", () => {
  it.each([
    ["4k", 100, 3],
    ["4k", 2000, 60],
    ["8k", 2000, 5],
    ["16k+vmap", 2000, 2],
    ["32k", 2000, 0],
  ])("of %s with %i tasks of %i more pages loses no page, whatever failed", (design, tasks, taskPages) => {
    const { counts, memory } = course(design, tasks, taskPages);
    const present = counts.forks - counts.failedForks;
    expect(counts.forks).toBe(tasks);
    expect(counts.mostTasks).toBe(present);
    const held = present * (parseDesign(design).stackBytes / PAGE + taskPages);
    const all = memory.buddy.freePages + memory.cachePages + memory.unmovablePages + held + (4 * MIB) / PAGE;
    expect(all).toBe((16 * MIB) / PAGE);
  });

  it("has no operation of a task that is not there", () => {
    expect(course("4096k", 50, 0).counts).toMatchObject({ forks: 50, failedForks: 50, operations: 0, crashes: 0 });
    expect(course("4k", 50, 0).counts.operations).toBeGreaterThan(50);
  });
});
