import { describe, expect, it } from "vitest";
import { type CompareOptions, compareDesigns } from "./compare-designs.ts";
import { DEFAULT_PROFILE } from "./default-profile.ts";
import { shareBeyond } from "./depths.ts";
import { parseDesign } from "./design.ts";
import type { DesignResult, MachineDocument } from "./machine-document.ts";

const MIB = 2 ** 20;

function compare(designs: string, more: Partial<CompareOptions> = {}): MachineDocument {
  return compareDesigns({
    designs: designs.split(" ").map(parseDesign),
    profile: DEFAULT_PROFILE,
    pool: { stacks: 8, thresholdBytes: null },
    zone: { bytes: 64 * MIB, kernelBytes: 4 * MIB, unmovableBytes: 20 * MIB, extentPages: 4, rounds: 16 },
    tasks: [200],
    cpus: 2,
    seconds: 4,
    lifeSeconds: 4,
    taskPages: 2,
    churnPages: 500,
    ageTurns: 1,
    replications: 4,
    seed: 1,
    ...more,
  });
}

function only({ results }: MachineDocument): DesignResult[] {
  expect(results).toHaveLength(1);
  return [...results[0]!.designs];
}

describe("a comparison of designs", () => {
  it("gives the same figures for the same seed, to the bit, and others for another", () => {
    const figures = (seed: number) => JSON.stringify(compare("8k 4k+irq+extra", { seed }).results);
    expect(figures(1)).toBe(figures(1));
    expect(figures(1)).not.toBe(figures(2));
  });

  it("gives a design the same figures whatever it stands beside", () => {
    const figures = (designs: string, name: string) => {
      const found = only(compare(designs)).find((result) => result.name === name);
      return { ...found, difference: null };
    };
    expect(figures("4k+irq 8k+extra 32k", "8k+extra")).toEqual(figures("8k+extra", "8k+extra"));
    expect(figures("8k 4k+irq", "4k+irq")).toEqual(figures("4k+irq 16k", "4k+irq"));
  });

  it("finds no difference between a design and itself, and none but of forks between two of one size", () => {
    const [, again, mapped] = only(compare("16k 16k 16k+vmap", { seed: 3 }));
    expect(again!.difference).toEqual({
      crashes: { mean: 0, ci99: [0, 0] },
      refusals: { mean: 0, ci99: [0, 0] },
      failedForks: { mean: 0, ci99: [0, 0] },
    });
    expect(mapped!.difference!.crashes.mean).toBe(0);
  });

  it("has fewer crashes with larger stacks, with extra stacks, and with stacks for interrupts: on the same events", () => {
    const all = only(compare("4k 4k+irq 4k+irq+extra 8k 16k", { tasks: [400], replications: 12 }));
    const crashes = all.map((result) => result.crashes.count);
    expect(crashes[0]).toBeGreaterThan(crashes[1]!);
    expect(crashes[1]).toBeGreaterThan(crashes[2]! + all[2]!.refusals.count);
    expect(crashes[1]).toBeGreaterThan(crashes[3]!);
    expect(crashes[4]).toBe(0);
    expect(new Set(all.map((result) => result.crashes.of)).size).toBe(1);
    expect(all[4]!.difference!.crashes.ci99[1]).toBeLessThan(0);
  });

  it("refuses with EIO where the pool is too small, and never beyond it", () => {
    const [none, few, many] = [0, 1, 100].map(
      (stacks) => only(compare("4k+irq+extra", { pool: { stacks, thresholdBytes: null } }))[0]!,
    );
    expect(none!.extraHighWater).toBe(0);
    expect(none!.refusals.count).toBeGreaterThan(few!.refusals.count);
    expect(few!.extraHighWater).toBe(1);
    expect(few!.refusals.count).toBeGreaterThan(many!.refusals.count);
    expect(many!.refusals.count).toBe(0);
    expect(many!.extraHighWater).toBeLessThan(100);
  });

  it("has no failing fork without pressure", () => {
    const calm = {
      zone: { bytes: 512 * MIB, kernelBytes: 4 * MIB, unmovableBytes: 0, extentPages: 4, rounds: 16 },
      ageTurns: 0,
    };
    for (const { failedForks, name } of only(compare("4k 8k 32k", calm))) {
      expect([name, failedForks.count]).toEqual([name, 0]);
      expect(failedForks.of).toBeGreaterThan(4 * 200);
    }
  });

  it("has forks fail for want of pages together, where single ones are there", () => {
    const tight = { bytes: 64 * MIB, kernelBytes: 4 * MIB, unmovableBytes: 44 * MIB, extentPages: 1, rounds: 16 };
    const [single, pair, mapped, four] = only(compare("4k 8k 8k+vmap 16k", { zone: tight, tasks: [700] }));
    expect(single!.failedForks.count).toBe(0);
    expect(mapped!.failedForks.count).toBe(0);
    expect(pair!.failedForks.count).toBeGreaterThan(0);
    expect(pair!.fragmentedForks).toBe(pair!.failedForks.count);
    expect(four!.failedForks.count).toBeGreaterThan(pair!.failedForks.count);
    expect(four!.difference!.failedForks.ci99[0]).toBeGreaterThan(0);
  });

  it("fails forks of single pages only once memory is full", () => {
    const full = { bytes: 16 * MIB, kernelBytes: 4 * MIB, unmovableBytes: 8 * MIB, extentPages: 1, rounds: 16 };
    const [single] = only(compare("4k", { zone: full, tasks: [2000] }));
    // 2,000 tasks of 3 pages do not fit into 1,024 pages, 128 of which are the reserve.
    expect(single!.failedForks.count).toBeGreaterThan(0);
    expect(single!.fragmentedForks).toBe(0);
    expect(single!.mostTasks).toBe(Math.floor((1024 - 128) / 3));
  });

  it("tells a design's memory exactly", () => {
    const memory = only(compare("8k 4k+irq 4k+irq+extra 32k", { tasks: [1000], seconds: 0.1 })).map(
      (one) => one.memoryBytes,
    );
    expect(memory).toEqual([1000 * 8192, 1004 * 4096, 1012 * 4096, 1000 * 32768]);
  });

  it("refuses a machine that is full before anything begins", () => {
    const zone = { bytes: 16 * MIB, kernelBytes: 8 * MIB, unmovableBytes: 8 * MIB, extentPages: 1, rounds: 16 };
    expect(() => compare("8k", { zone })).toThrow("take all of the memory");
  });

  it("tells how deep operations go: what interrupts take is in one curve and not in the other", () => {
    const { depths } = compare("8k");
    expect(depths.taskOnly.at(-1)!.share).toBe(0);
    expect(shareBeyond(depths.taskOnly, 0)).toBe(1);
    expect(shareBeyond(depths.taskOnly, 1e6)).toBe(0);
    expect(Math.ceil(depths.deepestBytes.taskOnly / 64) * 64).toBe(depths.taskOnly.at(-1)!.bytes);
    expect(shareBeyond(depths.withInterrupts, 3000)).toBeGreaterThan(shareBeyond(depths.taskOnly, 3000));
  });
});
