import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStreams } from "../random/random-stream.ts";
import { DEFAULT_PROFILE } from "./default-profile.ts";
import { Descent, OUTCOME, type StackLimits } from "./descend.ts";
import { parseDesign } from "./design.ts";
import type { Interrupts, Level, MachineProfile } from "./profile.ts";
import { drawWorkload, type Workload } from "./workload.ts";

const QUIET: Interrupts = {
  perSecond: 0,
  entryBytes: 0,
  hard: { bytes: [0, 0], micros: 0 },
  nested: true,
  softChance: 0,
  soft: [],
};

/** A profile of levels one below the other, each of them gone through once. */
function straight(
  levels: readonly { bytes: number; micros?: number; point?: boolean }[],
  interrupts: Partial<Interrupts> = {},
): MachineProfile {
  return {
    ...DEFAULT_PROFILE,
    reservedBytes: 0,
    start: { "0": 1 },
    levels: levels.map(
      ({ bytes, micros = 0, point = false }, at): Level => ({
        name: String(at),
        bytes: [bytes, bytes],
        micros,
        point,
        sleeps: false,
        next: at + 1 < levels.length ? { [at + 1]: 1 } : {},
      }),
    ),
    interrupts: { ...QUIET, ...interrupts },
    thinkMicros: 1000,
  };
}

function draw(profile: MachineProfile, seconds: number, tasks = 1, seed = 1): Workload {
  const [lives, walks, waits, hits] = randomStreams(seed, 4);
  return drawWorkload(profile, { tasks, seconds, lifeSeconds: 1e9 }, [lives!, walks!, waits!, hits!]);
}

function limits(design: string, more: Partial<StackLimits> = {}): StackLimits {
  return {
    design: parseDesign(design),
    pool: { stacks: 1000, thresholdBytes: null },
    reservedBytes: 0,
    entryBytes: 0,
    ...more,
  };
}

/** Shares of a workload's operations, by outcome. */
function outcomes(workload: Workload, of: StackLimits, free = 1000) {
  const descent = new Descent(workload, of);
  const count = [0, 0, 0];
  for (let operation = 0; operation < workload.operations; operation++) count[descent.descend(operation, free)]!++;
  return { operations: workload.operations, done: count[0]!, overflow: count[1]!, refused: count[2]! };
}

/** Holds where a count of independent trials may be expected: within 4 standard deviations (the seed is fixed). */
function expectShare(count: number, of: number, probability: number): void {
  const deviation = Math.sqrt(of * probability * (1 - probability));
  expect(of).toBeGreaterThan(10_000);
  expect(Math.abs(count - of * probability)).toBeLessThan(4 * deviation);
}

describe("a stack without interrupts", () => {
  it("overflows exactly where levels times bytes are more than it has", () => {
    const sizes = fc.constantFrom("4k", "8k", "16k", "32k");
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.nat(200),
        (size, depth, bytes, reservedBytes) => {
          const workload = draw(straight(Array.from({ length: depth }, () => ({ bytes }))), 0.02);
          const { operations, overflow } = outcomes(workload, limits(size, { reservedBytes }));
          const room = parseDesign(size).stackBytes - reservedBytes;
          expect(overflow).toBe(depth * bytes > room ? operations : 0);
        },
      ),
    );
  });

  it.each([
    ["8k", [8192], false],
    ["8k", [8193], true],
    ["8k", [4096, 4096], false],
    ["8k", [4096, 4097], true],
    ["4k+irq", [4096], false],
    ["4k+irq", [4000, 97], true],
  ])("of %s with %j bytes: overflows is %s", (design, bytes, overflows) => {
    const workload = draw(straight(bytes.map((one) => ({ bytes: one }))), 0.02);
    const { operations, overflow } = outcomes(workload, limits(design));
    expect(operations).toBeGreaterThan(0);
    expect(overflow).toBe(overflows ? operations : 0);
  });
});

describe("interrupts", () => {
  // λ = 5,000 a second for 100 µs: 0.5 are expected.
  const hit = { perSecond: 5000, entryBytes: 100, hard: { bytes: [1000, 1000] as const, micros: 0 } };

  it("meet an operation with the Poisson probability 1 - exp(-λt)", () => {
    const workload = draw(straight([{ bytes: 7500, micros: 100 }], hit), 20);
    const { operations, overflow } = outcomes(workload, limits("8k", { entryBytes: 100 }));
    expectShare(overflow, operations, 1 - Math.exp(-0.5));
  });

  it("count for the depth at which they hit", () => {
    const levels = [
      { bytes: 500, micros: 300 },
      { bytes: 7000, micros: 100 },
    ];
    const workload = draw(straight(levels, hit), 20);
    expectShare(
      outcomes(workload, limits("8k", { entryBytes: 100 })).overflow,
      workload.operations,
      1 - Math.exp(-0.5),
    );
  });

  it("leave no more than their entry on a task's stack where they have their own", () => {
    const workload = draw(straight([{ bytes: 7500, micros: 100 }], hit), 5);
    expect(outcomes(workload, limits("8k+irq", { entryBytes: 100 })).overflow).toBe(0);
    const brimful = draw(straight([{ bytes: 8100, micros: 100 }], hit), 20);
    const { overflow, operations } = outcomes(brimful, limits("8k+irq", { entryBytes: 100 }));
    expectShare(overflow, operations, 1 - Math.exp(-0.5));
  });

  it("hit each other: a hard one within a hard one, by its running time", () => {
    const nested = { ...hit, hard: { bytes: [1000, 1000] as const, micros: 40 } };
    const workload = draw(straight([{ bytes: 6500, micros: 100 }], nested), 20);
    // One fits, 6,500 + 1,100; two do not. Of 0.5 expected ones each is hit with 1 - exp(-0.2).
    const second = 1 - Math.exp(-0.2);
    const { overflow, operations } = outcomes(workload, limits("8k", { entryBytes: 100 }));
    expectShare(overflow, operations, 1 - Math.exp(-0.5 * second));
    const masked = draw(straight([{ bytes: 6500, micros: 100 }], { ...nested, nested: false }), 5);
    expect(outcomes(masked, limits("8k", { entryBytes: 100 })).overflow).toBe(0);
  });

  it("three deep, as the RFC has it: task, soft, and hard within soft", () => {
    const three = { ...hit, softChance: 0.4, soft: [{ bytes: [1500, 1500] as const, micros: 40 }] };
    const profile = straight([{ bytes: 5500, micros: 100 }], three);
    // 5,500 + 100 + 1,500 + 100 + 1,000 = 8,200 need the hard one; without it 7,100 fit.
    const workload = draw(profile, 20);
    const probability = 1 - Math.exp(-0.5 * 0.4 * (1 - Math.exp(-0.2)));
    const { overflow, operations } = outcomes(workload, limits("8k", { entryBytes: 100 }));
    expectShare(overflow, operations, probability);
    expect(outcomes(workload, limits("8k+irq", { entryBytes: 100 })).overflow).toBe(0);
  });

  it("overflow stacks of their own too", () => {
    const large = { ...hit, hard: { bytes: [4097, 4097] as const, micros: 0 } };
    const workload = draw(straight([{ bytes: 100, micros: 100 }], large), 20);
    const descent = new Descent(workload, limits("4k+irq", { entryBytes: 100 }));
    let overflown = 0;
    for (let at = 0; at < workload.operations; at++) if (descent.descend(at, 0) === OUTCOME.overflow) overflown++;
    expectShare(overflown, workload.operations, 1 - Math.exp(-0.5));
    expect(descent.irqStackOverflows).toBe(overflown);
  });
});

describe("extra stacks", () => {
  const levels = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 3000 }), point: fc.boolean() }), {
    minLength: 1,
    maxLength: 40,
  });

  it("never overflow from a large pool where every segment fits beside the threshold", () => {
    const judge = (all: readonly { bytes: number; point: boolean }[], thresholdBytes: number): boolean => {
      const segments: number[] = [0];
      for (const { bytes, point } of all) {
        if (point) segments.push(0);
        segments[segments.length - 1]! += bytes;
      }
      return segments.every((bytes, at) => bytes <= (at === 0 ? 8192 : 8192 - thresholdBytes));
    };
    let judged = 0;
    fc.assert(
      fc.property(levels, fc.integer({ min: 1, max: 8000 }), (all, thresholdBytes) => {
        fc.pre(judge(all, thresholdBytes));
        judged++;
        const of = limits("8k+extra", { pool: { stacks: 1000, thresholdBytes } });
        const { operations, done } = outcomes(draw(straight(all), 0.01), of);
        expect(done).toBe(operations);
      }),
      { numRuns: 300 },
    );
    expect(judged).toBe(300);
  });

  it.each([
    // Threshold 4,096 of 8,192. Bytes of levels, all but the first with a point, and what comes of it with no stack and with one.
    [[4095, 4000], 0, OUTCOME.done, 0],
    [[4096, 4000], 0, OUTCOME.refused, 0],
    [[4096, 4000], 1, OUTCOME.done, 1],
    [[4095, 4095], 0, OUTCOME.done, 0],
    [[4095, 4098], 1, OUTCOME.overflow, 0],
    [[4096, 4096, 4096], 1, OUTCOME.refused, 1],
    [[4096, 4096, 4096], 2, OUTCOME.done, 2],
    [[9000], 1, OUTCOME.overflow, 0],
  ])("levels of %j bytes with %i free", (bytes, free, outcome, taken) => {
    const workload = draw(straight(bytes.map((one, at) => ({ bytes: one, point: at > 0 }))), 0.02);
    const descent = new Descent(workload, limits("8k+extra"));
    expect(descent.descend(0, free)).toBe(outcome);
    expect(descent.taken).toBe(taken);
  });
});
