/** Values that go round in loops: code by hand, whose result is what RAX can hold when it returns. */
import { expect, test } from "vitest";
import { CodeColumns } from "../../code/code-columns.ts";
import { CodeBlocks } from "./code-blocks.ts";
import type { FlowListener, FlowQuestions } from "./flow-questions.ts";
import { FunctionFlow } from "./function-flow.ts";
import { type Value, Values } from "./values.ts";

const START = 0xffff_ffff_8100_0000n;
const values = new Values((_, offset) => offset);
const NAMES = ["rdi", "rsi", "rdx", "rcx", "r8", "r9"];
/** The parameters, as addresses that are told apart. */
const parameter = (argument: number): Value => values.address(0x1000 * (argument + 1));

const questions: FlowQuestions = {
  entry: parameter,
  declared: () => null,
  load: () => values.unknown,
  perCpu: () => values.unknown,
  isAddress: () => false,
  callee: () => {
    throw new Error("nothing is called");
  },
  clobbers: () => false,
  pointee: () => null,
  onStack: () => {},
  result: () => values.unknown,
};

/** Names of the parameters that RAX can hold at returns. */
function returned(hex: string): string[] {
  const code = new CodeColumns();
  code.decode(
    Uint8Array.from(hex.match(/[0-9a-f]{2}/g)!, (byte) => Number.parseInt(byte, 16)),
    START,
  );
  const found = new Set<string>();
  const nothing = (): void => {};
  const listener: FlowListener = {
    direct: nothing,
    indirect: nothing,
    store: nothing,
    copy: nothing,
    returns: (_, { atoms }) => {
      for (const atom of atoms) found.add(atom.kind === "address" ? NAMES[atom.address / 0x1000 - 1]! : atom.kind);
    },
  };
  values.nextFunction(code.count + 8);
  new FunctionFlow(values).run(code, new CodeBlocks(new Map()).of(code), questions, listener);
  return [...found].sort();
}

/** test %ecx,%ecx; je over the next two bytes; two bytes. */
const BRANCH = "85c9 7402 9090";

test.each([
  ["a register", "4889fb", BRANCH, "4889d8", "4889f3", ["rdi", "rsi"]],
  ["a slot of the stack", "48897c24f0", BRANCH, "488b4424f0", "48897424f0", ["rdi", "rsi"]],
  // mov %rdx,%rbx
  ["a register that the branch overwrites", "4889fb", "85c9 7400 4889d3", "4889d8", "4889f3", ["rdx"]],
  // mov %rdx,-0x10(%rsp)
  ["a slot that the branch overwrites", "48897c24f0", "85c9 7400 48895424f0", "488b4424f0", "48897424f0", ["rdx"]],
  // xchg %rbx,%r12, once a round
  [
    "a register that the branch exchanges",
    "4889fb 4989d4",
    "85c9 7400 4987dc",
    "4889d8",
    "4889f3",
    ["rdi", "rdx", "rsi"],
  ],
])("round a loop, through blocks that do not look at it: %s", (_, first, branch, read, write, expected) => {
  const round = `${branch}${read}${write}`.replaceAll(" ", "");
  // jne back to the branch; ret
  const back = (-(round.length / 2 + 2) & 0xff).toString(16);
  expect(returned(`${first}${round}75${back}c3`)).toEqual(expected);
});

test("what a loop hands on is what it holds at the end of all rounds", () => {
  // mov %rdi,%rbx; { mov %rbx,%rax; mov %r12,%rbx; mov %rsi,%r12; } while; ret: rsi comes to rax in the third round.
  expect(returned("4889fb 4989d4 4889d8 4c89e3 4989f4 75f5 c3")).toEqual(["rdi", "rdx", "rsi"]);
});

test("what is told within a loop is what the last round finds", () => {
  // mov %rdi,%rbx; { mov %rbx,%rax; test %ecx,%ecx; jne over the next; ret; mov %rsi,%rbx } for ever.
  expect(returned("4889fb 4889d8 85c9 7501 c3 4889f3 ebf3")).toEqual(["rdi", "rsi"]);
});
