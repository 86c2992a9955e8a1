import { describe, expect, it } from "vitest";
import type { StackKind, StackRange } from "../kernel/kernel.ts";
import type { Frame } from "../unwind/backtrace.ts";
import type { CrashFacts } from "./facts.ts";
import { framesOf, homeStack } from "./home-stack.ts";

const range = (kind: StackKind, low: bigint) => ({ kind, low, high: low + 0x4000n }) as StackRange;
const OWN = range("task", 0xffff888000100000n);
const NEIGHBOUR = range("task", 0xffff8880000f8000n);
const IRQ = range("hardirq", 0xffff8880000f0000n);

function stackAt(address: bigint) {
  const stack = [OWN, NEIGHBOUR, IRQ].find(({ low, high }) => address >= low && address < high);
  return stack === undefined ? null : { stack, guard: false };
}

/** Frames by their RSP, innermost first, each ending where the next begins. */
function crash(...sps: readonly bigint[]) {
  const frames = sps.map(
    (sp, index) =>
      ({ sp, cfa: sps[index + 1] ?? null, interrupted: false, stack: stackAt(sp)?.stack ?? null }) as Frame,
  );
  return { frames, facts: { frames, kernel: { stackAt } } as unknown as CrashFacts };
}

/** A chain that climbs from `lowest` to the own stack's upper part in steps of 2 KiB. */
const chain = (lowest: bigint) => {
  const sps: bigint[] = [];
  for (let sp = lowest; sp < OWN.low + 0x3000n; sp += 0x800n) sps.push(sp);
  return sps;
};

describe("homeStack", () => {
  it.each([
    ["on its own stack", chain(OWN.low + 0x100n), OWN],
    ["below it, in memory that is no stack", chain(OWN.low - 0x2000n), OWN],
    ["below it, on another task's stack", chain(NEIGHBOUR.low + 0x100n), OWN],
    ["on another stack, whose frames end there", [NEIGHBOUR.low + 0x100n, NEIGHBOUR.low + 0x200n], NEIGHBOUR],
    ["on the interrupt stack, before it was switched from", [IRQ.low + 0x3f00n, ...chain(OWN.low + 0x100n)], IRQ],
    ["nowhere near a stack", [0xffff888000080000n], null],
  ])("%s", (_what, sps, stack) => {
    expect(homeStack(crash(...sps).facts, 0)).toBe(stack);
  });
});

describe("framesOf", () => {
  it("takes those below the stack, too, as far as they follow each other", () => {
    const { frames } = crash(...chain(OWN.low - 0x2000n));
    expect(framesOf(frames, 0, OWN)).toHaveLength(frames.length);
    expect(framesOf(frames, 2, OWN)).toHaveLength(frames.length - 2);
  });

  it("leaves out what lies on other stacks", () => {
    const { frames } = crash(...chain(OWN.low + 0x100n).slice(0, 2), IRQ.low + 0x100n);
    expect(framesOf(frames, 0, OWN)).toHaveLength(2);
  });
});
