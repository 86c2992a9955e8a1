/** What a pass over the code hands on, another pass need not find out. */
import { expect, test } from "vitest";
import type { Program } from "../program/program.ts";
import { buildCallGraph } from "./build-call-graph.ts";
import { findCalls } from "./find-calls.ts";
import { low32 } from "./function-table.ts";
import { IndirectCalls } from "./indirect/indirect-calls.ts";
import { functionWords, packFunction, unpackFunction } from "./packed-function.ts";
import { tinyProgram } from "./tiny-program.fixture.ts";
import type { DecodedFunctions } from "./walk-functions.ts";

/** The last function is for the start only. */
function bootable(): { program: Program; at: (place: string) => bigint } {
  const { program, at } = tinyProgram({
    functions: {
      waits: `
        e8 {helper}  call helper
        85c0  test eax,eax
        75f7  jne waits
        c3  ret`,
      helper: "48c7c0 {=handler}  mov rax,handler\nffe0  jmp rax",
      handler: "c3  ret",
      setup: "48c7c7 {=helper}  mov rdi,helper\ne9 {waits}  jmp waits",
    },
  });
  const [text] = program.text;
  const start = at("setup");
  const areas = [
    { ...text!, end: start },
    { ...text!, start, section: ".init.text", init: true },
  ];
  return { program: { ...program, text: areas }, at };
}

/** Packs all functions that are wanted. */
function handedOver(program: Program, wants: (index: number) => boolean = () => true): Map<number, Int32Array> {
  const packed = new Map<number, Int32Array>();
  findCalls(program, () => {}, {
    wants,
    receive(index, decoded) {
      const words = new Int32Array(functionWords(decoded));
      packFunction(decoded, words, 0);
      packed.set(index, words);
    },
  });
  return packed;
}

test("each function that is wanted is handed over, those for the start only behind all others", () => {
  const { program } = bootable();
  expect([...handedOver(program).keys()]).toEqual([0, 1, 2, 3]);
  expect([...handedOver(program, (index) => index !== 1).keys()]).toEqual([0, 2, 3]);
});

test.each([
  ["all", [0, 1, 2, 3]],
  ["some", [1, 3]],
  ["none", []],
])("a graph is the same with %s of the functions handed over", (_, there) => {
  const { program } = bootable();
  const packed = handedOver(program, (index) => there.includes(index));
  const asked: number[] = [];
  const decoded: DecodedFunctions = {
    take(index, into) {
      asked.push(index);
      const words = packed.get(index);
      if (words !== undefined) unpackFunction(words, 0, into);
      return words !== undefined;
    },
  };
  const indirect = (of: Program, table: ConstructorParameters<typeof IndirectCalls>[1]) => new IndirectCalls(of, table);
  expect(buildCallGraph(program, { indirect, decoded })).toEqual(buildCallGraph(program, { indirect }));
  expect(asked).toEqual([0, 1, 2, 3]);
});

test("a pass tells what functions refer to, those for the start only among them", () => {
  const { program, at } = bootable();
  const { called, taken } = findCalls(program).references;
  const addresses = (...names: string[]) => names.map((name) => low32(at(name)));
  expect([...called]).toEqual(addresses("helper", "waits"));
  expect([...taken]).toEqual(addresses("handler", "helper"));
});
