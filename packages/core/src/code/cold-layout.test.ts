import { expect, test } from "vitest";
import { tinyKernel } from "../testing/tiny-kernel.ts";
import { CodeReader } from "./code-reader.ts";
import { frameLayoutOf } from "./cold-layout.ts";

const FUNCTIONS = [
  // push %rbx; sub $0x10,%rsp; test %edi,%edi; je f.cold; add $0x10,%rsp; pop %rbx; je f.cold+7; ret
  { name: "f", code: "53 4883ec10 85ff 0f840c000000 4883c410 5b 0f8408000000 c3" },
  // call; jmp . | ret, which is jumped to with nothing on the stack
  { name: "f.cold", code: "e800000000 ebfe c3" },
  // push %rbp; ret: of a function that is not there.
  { name: "gone.cold", code: "55 c3" },
];
const { kernel, at } = tinyKernel({ functions: FUNCTIONS });
const reader = new CodeReader(kernel.memory, kernel.symbols);

function stateAt(name: string, offset: number) {
  const code = reader.functionAt(at(name))!;
  const state = frameLayoutOf(reader, code)[code.indexAt(at(name, offset))];
  return state == null ? null : { depth: state.rspDepth, saved: [...state.saved] };
}

test.each([
  ["an ordinary function", "f", 5, { depth: 32, saved: [["rbx", 16]] }],
  ["a cold part, with what the function had pushed", "f.cold", 0, { depth: 32, saved: [["rbx", 16]] }],
  ["within it", "f.cold", 5, { depth: 32, saved: [["rbx", 16]] }],
  ["entered elsewhere with another frame", "f.cold", 7, { depth: 8, saved: [] }],
  ["the part of a function that is not there", "gone.cold", 1, { depth: 16, saved: [["rbp", 16]] }],
])("%s", (_what, name, offset, state) => {
  expect(stateAt(name, offset)).toEqual(state);
});
