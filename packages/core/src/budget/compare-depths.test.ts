import { expect, test } from "vitest";
import { buildCallGraph } from "./build-call-graph.ts";
import { compareDepths } from "./compare-depths.ts";
import { type TinyOrc, tinyProgram } from "./tiny-program.fixture.ts";

const FRAME = `53            push %rbx
               48 83 ec 10   sub $0x10,%rsp
               e8 {stop}     call stop
               90            nop
               48 83 c4 10   add $0x10,%rsp
               5b            pop %rbx
               c3            ret`;

function compare(orc: readonly TinyOrc[], f = FRAME) {
  const { program } = tinyProgram({ functions: { f, stop: "eb fe  jmp stop" }, orc });
  return compareDepths(program, buildCallGraph(program));
}

const RIGHT: readonly TinyOrc[] = [
  { at: "f", sp: "sp", offset: 8 },
  { at: "f+1", sp: "sp", offset: 16 },
  { at: "f+5", sp: "sp", offset: 32 },
  { at: "stop", sp: "sp", offset: 8 },
];

test("what both say alike is equal; what a call that never returns cuts off is not reached", () =>
  expect(compare(RIGHT)).toEqual({
    functions: 2,
    equalFunctions: 2,
    instructions: 4,
    equalInstructions: 4,
    notReached: 19,
    differences: [],
  }));

test("a difference has its place and both depths", () => {
  const { equalFunctions, differences } = compare(
    RIGHT.map((one) => (one.at === "f+5" ? { ...one, offset: 40 } : one)),
  );
  expect(equalFunctions).toBe(1);
  expect(differences).toMatchObject([
    { name: "f", register: "rsp", orcBytes: 40, codeBytes: 32, instructions: 1, cause: "unexplained" },
  ]);
});

test("RBP is compared where ORC goes by it", () => {
  const f = "55  push %rbp\n48 89 e5  mov %rsp,%rbp\n5d  pop %rbp\nc3  ret";
  const orc = (offset: number): TinyOrc[] => [
    { at: "f", sp: "sp", offset: 8 },
    { at: "f+1", sp: "sp", offset: 16 },
    { at: "f+4", sp: "bp", offset },
    { at: "f+5", sp: "sp", offset: 8 },
  ];
  expect(compare(orc(16), f).differences).toEqual([]);
  expect(compare(orc(24), f).differences).toMatchObject([{ register: "rbp", orcBytes: 24, codeBytes: 16 }]);
});

test.each<[string, TinyOrc["type"], TinyOrc["sp"], string]>([
  ["code with saved registers", "regs", "sp", "saved-registers"],
  ["an entry that ORC ends at", "end", "undefined", "entry-untold"],
])("%s is a cause", (_what, type, sp, cause) => {
  const orc: TinyOrc[] = [
    { at: "f", sp, offset: 0, ...(type === undefined ? {} : { type }) },
    { at: "f+1", sp: "sp", offset: 72, type: cause === "saved-registers" ? "regs" : "call" },
    { at: "stop", sp: "sp", offset: 8 },
  ];
  expect(compare(orc).differences).toMatchObject([{ name: "f", cause }]);
});
