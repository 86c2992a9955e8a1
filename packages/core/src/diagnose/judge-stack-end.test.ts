import { describe, expect, it } from "vitest";
import { STACK_HIGH, STACK_LOW, TASK, tinyKernel } from "../testing/tiny-kernel.ts";
import { factsOf, frameAt, words } from "./facts.fixture.ts";
import { typesOf } from "./holders/holders.fixture.ts";
import { judgeStackEnd } from "./judge-stack-end.ts";

const TYPES = typesOf({
  task_struct: { size: 0x1000, members: { stack: 0x20, thread_info: 0 } },
  thread_info: { size: 24, members: {} },
});
/** A task whose `stack` member holds the stack's low end. */
const TASK_DATA = { name: "task", address: TASK, words: [0n, 0n, 0n, 0n, STACK_LOW] };
/** start(): mov 0x<current>,%rdi; call scrub. scrub(): mov 0x20(%rdi),%rdi; jmp fill. fill(): mov %rsi,(%rdi); ret */
const CURRENT = 0xffffffffc0000000n;
const FUNCTIONS = [
  { name: "start", code: "488b3c25000000c0 e801000000 c3", module: "driver" },
  { name: "scrub", code: "488b7f20 eb01 c3", module: "driver" },
  { name: "fill", code: "488937 c3" },
];
const FILL = 0x6b6b6b6b6b6b6b6bn;

function judge(stack: Record<string, bigint>, chain = "start") {
  const data = [TASK_DATA, { name: "current_task", address: CURRENT, words: [TASK] }];
  const { kernel, at } = tinyKernel({ functions: FUNCTIONS, stack, types: TYPES, data });
  const frame = frameAt(kernel, at(chain, 1), STACK_HIGH - 0x100n);
  const facts = factsOf(kernel, { frames: [frame] });
  return { facts, judged: judgeStackEnd(facts) };
}

describe("the end of a stack", () => {
  it("is told with what was written over it, and how far", () => {
    const { judged } = judge({
      [STACK_LOW.toString()]: FILL,
      [(STACK_LOW + 8n).toString()]: FILL,
      [(STACK_LOW + 16n).toString()]: 5n,
    });
    expect(judged).toMatchObject({
      kind: "stack-end-corrupted",
      corruption: { start: `0x${STACK_LOW.toString(16)}`, bytes: 16, pattern: "the byte 0x6b ('k') repeated" },
    });
  });

  it("is the fault of the module's function in the chain whose code is given its address and stores there", () => {
    const { judged, facts } = judge({ [STACK_LOW.toString()]: FILL });
    expect(judged.culprit).toMatchObject({ function: "scrub", module: "driver" });
    expect(judged.weight).toBeGreaterThanOrEqual(0.9);
    expect(words(facts)).toContain("fill, called by scrub, stores to the low end of the task's stack");
  });

  it("is nobody's fault where no function of the chain gets the address", () => {
    const { judged } = judge({ [STACK_LOW.toString()]: FILL }, "fill");
    expect(judged.culprit).toBeNull();
    expect(judged.weight).toBeLessThan(0.9);
  });

  it("of zeros counts the word alone", () => {
    expect(judge({}).judged.corruption).toMatchObject({ bytes: 4, pattern: null });
  });
});
