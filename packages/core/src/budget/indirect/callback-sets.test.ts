/** Sets of what is in slots out of which the kernel calls on a fresh stack. */
import { expect, test } from "vitest";
import type { Program } from "../../program/program.ts";
import { BtfBuilder } from "../../types/btf.fixture.ts";
import { openBtf } from "../../types/btf.ts";
import { buildCallGraph } from "../build-call-graph.ts";
import { tinyProgram } from "../tiny-program.fixture.ts";
import { IndirectCalls } from "./indirect-calls.ts";

/** struct NAME { void (*func)(struct NAME *); }; and functions of that prototype; `stranger` is of struct other's. */
function typesWith(struct: string, functions: readonly string[]): Program["types"] {
  const btf = new BtfBuilder();
  const [toStruct, prototype, toPrototype] = [2, 3, 4];
  btf.struct(struct, 8, [[struct === "softirq_action" ? "action" : "func", toPrototype, 0]]);
  btf.add("", 2, 1);
  btf.add("", 13, 0, [btf.name("work"), toStruct], 1);
  btf.add("", 2, prototype);
  for (const name of functions) btf.add(name, 12, prototype);
  const other = btf.struct("other", 8, [["func", toPrototype, 0]]);
  const toOther = btf.add("", 2, other);
  btf.add("stranger", 12, btf.add("", 13, 0, [btf.name("other"), toOther], 1));
  return openBtf(btf.bytes());
}

test.each([
  ["work_struct", "work_struct.func", ["flush"]],
  // A prototype that functions of any kind have.
  ["softirq_action", "softirq_action.action", null],
  ["other_struct", "work_struct.func", null],
])("of struct %s, which nothing is seen to call, %s holds %j", (struct, label, names) => {
  const { program } = tinyProgram({
    functions: {
      setup: `48 c7 07 {=flush}     movq $flush,(%rdi)
              48 c7 07 {=stranger}  movq $stranger,(%rdi)
              c3                    ret`,
      flush: "c3  ret",
      // Of the same shape, for another struct.
      stranger: "c3  ret",
    },
  });
  const typed = { ...program, types: typesWith(struct, ["setup", "flush"]) };
  const graph = buildCallGraph(typed, { indirect: (of, table) => new IndirectCalls(of, table) });
  const { sets, functions } = graph;
  const set = sets.label.indexOf(label);
  const members = set < 0 ? null : [...sets.members.subarray(sets.start[set], sets.start[set + 1])];
  expect(members?.map((f) => functions.name[f]) ?? null).toEqual(names);
});

test.each([
  ["assembler that can be called", "call", ["entry", "flush"]],
  ["a label that nobody calls", "undefined", ["flush"]],
] as const)("of %s, which has no record", (_what, type, names) => {
  const { program } = tinyProgram({
    functions: {
      setup: `48 c7 07 {=flush}  movq $flush,(%rdi)
              48 c7 07 {=entry}  movq $entry,(%rdi)
              c3                 ret`,
      flush: "c3  ret",
      entry: "c3  ret",
    },
    orc: [
      { at: "setup", sp: "sp", offset: 8 },
      { at: "entry", sp: "sp", offset: 8, type },
    ],
  });
  const typed = { ...program, types: typesWith("work_struct", ["setup", "flush"]) };
  const { sets, functions } = buildCallGraph(typed, { indirect: (of, table) => new IndirectCalls(of, table) });
  const set = sets.label.indexOf("work_struct.func");
  const members = [...sets.members.subarray(sets.start[set], sets.start[set + 1])];
  expect(members.map((f) => functions.name[f]).sort()).toEqual(names);
});
