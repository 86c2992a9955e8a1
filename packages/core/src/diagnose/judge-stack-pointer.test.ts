import { describe, expect, it } from "vitest";
import { STACK_HIGH, TEXT, tinyKernel } from "../testing/tiny-kernel.ts";
import { factsOf, frameAt, words } from "./facts.fixture.ts";
import { judgeStackPointer } from "./judge-stack-pointer.ts";

const FUNCTIONS = [{ name: "pivot", code: "e801000000 c3 c3", module: "driver" }];
const HEAP = 0xffff888001800000n;

function judge(sp: bigint, address = TEXT, heap: readonly bigint[] = [0n, 0n, 7n]) {
  const data = [{ name: "heap", address: HEAP, words: heap }];
  const { kernel } = tinyKernel({ functions: FUNCTIONS, data });
  const facts = factsOf(kernel, { frames: [frameAt(kernel, address, sp, { interrupted: true })], fault: 0 });
  return { judged: judgeStackPointer(facts), facts };
}

describe("a stack pointer", () => {
  it("is lost where it is on no stack, and the code that ran is told", () => {
    const { judged, facts } = judge(HEAP);
    expect(judged).toMatchObject({ kind: "frame-mismatch", culprit: { function: "pivot", module: "driver" } });
    expect(words(facts)).toContain(`RSP was 0x${HEAP.toString(16)}, on no stack`);
  });

  it("is lost also where the CPU went to no code", () => {
    expect(judge(0x1000n, 0n).judged).toMatchObject({ kind: "frame-mismatch", culprit: null });
  });

  it.each<[string, bigint, readonly bigint[]]>([
    ["on a stack", STACK_HIGH - 64n, []],
    ["just past the last byte of one", STACK_HIGH, []],
    ["where return addresses lie: a stack that is not known", HEAP, [0n, TEXT + 5n]],
  ])("is not lost %s", (_what, sp, heap) => {
    expect(judge(sp, TEXT, heap).judged).toBeNull();
  });
});
