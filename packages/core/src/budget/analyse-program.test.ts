import { expect, test } from "vitest";
import { MemorySource } from "../bytes/byte-source.ts";
import { openProgram } from "../program/open-program.ts";
import { makeKernelImage } from "../program/testing/make-kernel-image.ts";
import { analyseProgram } from "./analyse-program.ts";
import { createBudget } from "./budget.ts";
import { tinyProgram } from "./tiny-program.fixture.ts";

test("a kernel of which no function is known has no budget, and not an empty one", () => {
  const bytes = makeKernelImage({
    segments: [{ address: 0xffffffff81000000n, bytes: new Uint8Array(4096).fill(0x90) }],
  });
  const program = openProgram([new MemorySource(bytes, "vmlinux")]);
  expect(() => analyseProgram(program)).toThrow(
    expect.objectContaining({
      code: "SPW_PROGRAM_NO_CODE",
      class: "missing",
      message: expect.stringMatching(
        /^vmlinux: no function of this kernel can be found: .*neither kallsyms nor a symbol/,
      ),
    }),
  );
});

test("one function is enough", () => {
  expect(analyseProgram(tinyProgram({ functions: { f: "c3  ret" } }).program).functions.count).toBe(1);
});

test("what debug information could not be read is told with the budget", () => {
  const declared = {
    variables: () => [],
    functionAt: () => null,
    registersAt: () => new Map(),
    problems: ["a unit of the debug information cannot be read"],
  };
  const { program } = tinyProgram({ functions: { f: "c3  ret" } });
  const graph = analyseProgram(program, () => {}, { declared });
  expect(createBudget(program, graph).summary.problems).toEqual(declared.problems);
});
