import { describe, expect, it } from "vitest";
import { STACK_LOW, tinyKernel } from "../testing/tiny-kernel.ts";
import { factsOf, frameAt } from "./facts.fixture.ts";
import { judgeOverflow } from "./judge-overflow.ts";

const FUNCTIONS = [
  { name: "deep", code: "53 5b c3" },
  { name: "reader", code: "488b00 c3" },
  { name: "page_fault_oops", code: "e800000000 c3" },
  { name: "handle_mm_fault", code: "e800000000 c3" },
  { name: "asm_exc_page_fault", code: "e800000000 c3" },
  { name: "caller", code: "e800000000 c3" },
];

/** deep() pushes below the stack's end, while what `through` names handles a fault of reader(). */
function judge(through: string | null) {
  const { kernel, at } = tinyKernel({ functions: FUNCTIONS });
  const fault = frameAt(kernel, at("deep"), STACK_LOW, { interrupted: true, cfa: STACK_LOW + 8n });
  const handling =
    through === null
      ? []
      : [
          frameAt(kernel, at(through, 5), STACK_LOW + 0x100n),
          frameAt(kernel, at("asm_exc_page_fault", 5), STACK_LOW + 0x200n),
          frameAt(kernel, at("reader"), STACK_LOW + 0x300n, { interrupted: true }),
        ];
  const frames = [fault, ...handling, frameAt(kernel, at("caller", 5), STACK_LOW + 0x3000n)];
  return judgeOverflow(factsOf(kernel, { frames, fault: 0 })).sort((a, b) => b.weight - a.weight);
}

describe("a stack that ran over", () => {
  it("is certain by the access below its end", () => {
    expect(judge(null)).toMatchObject([{ kind: "stack-overflow", weight: 0.98 }]);
  });

  it("while a fault was handled that can be handled is an overflow all the same", () => {
    const judged = judge("handle_mm_fault");
    expect(judged).toHaveLength(1);
    expect(judged[0]!.summary).toContain("while an earlier fault in reader was being handled");
  });

  it("while a fault was reported comes second to that fault", () => {
    const [first, second] = judge("page_fault_oops");
    expect(first).toMatchObject({ kind: "not-stack-related", culprit: { function: "reader" } });
    expect(second).toMatchObject({ kind: "stack-overflow" });
  });
});
