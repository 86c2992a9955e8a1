import { expect, test } from "vitest";
import type { ExtraStack, ExtraStackPool } from "../kernel/extra-stacks.ts";
import { TASK, tinyKernel } from "../testing/tiny-kernel.ts";
import { factsOf, words } from "./facts.fixture.ts";
import { sayPoolState } from "./pool-state.ts";

const OTHER = TASK + 0x8000n;
const USE = { highWater: 3, switches: 1200n, refusals: 1n };

function said(pool: Partial<ExtraStackPool> | null): { readonly text: string; readonly missing: readonly string[] } {
  const { kernel } = tinyKernel({ functions: [] });
  const whole = pool && { address: 0xffff_ffff_c000_1000n, stacks: [], unreadable: 0, use: USE, ...pool };
  const facts = factsOf({ ...kernel, extraStacks: () => whole }, { frames: [] });
  sayPoolState(facts);
  return { text: words(facts), missing: facts.evidence.missing };
}

const stack = (owner: bigint | null, level = 0): ExtraStack => ({
  range: { low: 0xffff_c900_0010_0000n + BigInt(level) } as ExtraStack["range"],
  owner,
  previousSp: 0n,
  level,
});

test("without the module there is nothing to say", () => {
  expect(said(null)).toEqual({ text: "", missing: [] });
});

test.each<[string, Partial<ExtraStackPool>, string]>([
  [
    "nobody is on one",
    { stacks: [stack(null)] },
    "spillway.ko has 1 extra stack, none in use; at most 3 at a time; 1200 switches, 1 call refused for want of a stack.",
  ],
  [
    "others are on two, and calls were refused",
    { stacks: [stack(OTHER), stack(OTHER, 1), stack(null)], use: { ...USE, refusals: 15n } },
    "spillway.ko has 3 extra stacks, 2 in use by 1 task; at most 3 at a time; 1200 switches, 15 calls refused for want of a stack.",
  ],
  [
    "the crashed task is on two of three",
    { stacks: [stack(TASK, 1), stack(OTHER), stack(TASK)], use: null },
    "spillway.ko has 3 extra stacks, 3 in use by 2 tasks; its counters are not in the dump.\n" +
      "The crashed task (init, PID 1) was on 2 extra stacks, one after the other.",
  ],
  [
    "the crashed task is on one",
    { stacks: [stack(TASK)], use: null },
    "spillway.ko has 1 extra stack, 1 in use by 1 task; its counters are not in the dump.\n" +
      "The crashed task (init, PID 1) had gone from its own stack to an extra one.",
  ],
])("%s", (_, pool, text) => {
  expect(said(pool)).toEqual({ text, missing: [] });
});

test("stacks that are not in the dump are said to be missing", () => {
  expect(said({ unreadable: 2 }).missing).toEqual([
    "The description of 2 extra stacks of spillway.ko is not in the dump.",
  ]);
});
