import { describe, expect, it } from "vitest";
import { type TinyFunction, tinyKernel } from "../testing/tiny-kernel.ts";
import { CodeReader } from "./code-reader.ts";
import { followPointer, type PointerQuestion } from "./pointer-flow.ts";

/** An object with the pointer at +0x30, and the address of another object at +0x10. */
const OBJECT = 0xffffffffc0000000n;
const HOLDER = OBJECT + 0x30n;
const OUTER = 0xffffffffc0001000n;
const DATA = [
  { name: "object", address: OBJECT, words: [0n, 0n, 0n, 0n, 0n, 0n, 0xffffc90000012000n, 0n] },
  { name: "outer", address: OUTER, words: [0n, 0n, OBJECT] },
];

function follow(functions: readonly TinyFunction[], question: Partial<PointerQuestion> = {}) {
  const { kernel, at } = tinyKernel({ functions, data: DATA });
  const entry = new Map([["rdi", OBJECT as bigint | "pointer"]]);
  const use = followPointer(new CodeReader(kernel.memory, kernel.symbols), at(functions[0]!.name), {
    entry,
    holder: HOLDER,
    ...question,
  });
  return use === null
    ? null
    : { kind: use.kind, path: use.path.map((range) => range.name), at: use.at - at(use.path.at(-1)!.name) };
}

const only = (code: string): TinyFunction[] => [{ name: "callback", code }];

describe("a pointer loaded from its holder", () => {
  it.each<[string, string, bigint]>([
    ["is stored through: mov 0x30(%rdi),%rax; mov %rsi,(%rax)", "488b4730 488930 c3", 4n],
    ["is indexed: lea (%rcx,%rdx,8),%rdx; mov %rax,(%rdx)", "488b4f30 4863d6 488d14d1 488902 c3", 11n],
    ["goes to rep stos", "488b7f30 31c0 b906000000 f348ab c3", 11n],
    [
      "waits in a local: mov %rax,8(%rsp); mov 8(%rsp),%rdx",
      "4883ec18 488b4730 4889442408 31c0 488b542408 c70201000000 4883c418 c3",
      20n,
    ],
    ["is found from a part of the object: lea -0x10(%rdi)", "488d5ff0 488b4340 48874008 c3", 8n],
    ["is counted through: lock incl (%rcx)", "4889fb 488b4b30 f0ff01 c3", 7n],
    [
      "is there on one of two ways: je 1f; mov 0x30(%rdi),%rax; jmp 2f; 1: xor %eax,%eax; 2: mov %rsi,(%rax)",
      "85f6 7406 488b4730 eb02 31c0 488930 c3",
      12n,
    ],
    ["is stored through behind a loop that never ends", "488b4730 488930 ebfe", 4n],
  ])("%s", (_what, code, at) => {
    expect(follow(only(code))).toEqual({ kind: "stores", path: ["callback"], at });
  });

  it.each<[string, string]>([
    ["is only read", "488b4730 488b00 483907 c3"],
    ["is another field of the object", "488b4738 488930 c3"],
    ["is lost in a call: a caller-saved register", "488b4730 e800000000 488930 c3"],
    ["is overwritten before the store: xor %eax,%eax", "488b4730 31c0 488930 c3"],
    ["is compared: cmp %rsi,(%rax)", "488b4730 483930 c3"],
  ])("is not stored through where it %s", (_what, code) => {
    expect(follow(only(code))).toBeNull();
  });

  it("is followed into the function it is given to, and through a tail jump", () => {
    const functions = [
      { name: "callback", code: "488b7f30 e802000000 c3 90" },
      { name: "clear", code: "be02000000 eb01 90" },
      { name: "fill", code: "48893788 c3" },
    ];
    expect(follow([functions[0]!, functions[1]!, { name: "fill", code: "488937 c3" }])).toMatchObject({
      kind: "stores",
      path: ["callback", "clear", "fill"],
    });
  });

  it("is followed where the object itself is handed on", () => {
    const functions = [
      { name: "callback", code: "53 4889fb e802000000 5b c3" },
      { name: "finish", code: "488b4730 488930 c3" },
    ];
    expect(follow(functions)).toMatchObject({ kind: "stores", path: ["callback", "finish"] });
  });

  it("is found over another object, by what the dump holds there", () => {
    // mov 0x10(%rdi),%rax; mov 0x30(%rax),%rax; mov %rsi,(%rax)
    const entry = new Map([["rdi", OUTER]]);
    expect(follow(only("488b4710 488b4030 488930 c3"), { entry })).toMatchObject({ kind: "stores" });
    expect(follow(only("488b4708 488b4030 488930 c3"), { entry })).toBeNull();
  });

  it("is said to be handed on where a call through a pointer gets it", () => {
    expect(follow(only("488b7f30 488b4618 ffd0 c3"))).toEqual({ kind: "passes", path: ["callback"], at: 8n });
  });

  it("is named by its address: mov 0xffffffffc0000030,%rax", () => {
    const code = "488b0425300000c0 488930 c3";
    expect(follow(only(code), { entry: new Map() })).toMatchObject({ kind: "stores" });
  });

  it("may be an argument", () => {
    const entry = new Map([["rsi", "pointer" as const]]);
    expect(follow(only("488906 c3"), { entry, holder: null })).toMatchObject({ kind: "stores" });
    expect(follow(only("488907 c3"), { entry, holder: null })).toBeNull();
  });

  it("is reached over a per-CPU variable only where the CPU is known", () => {
    // mov %gs:0x40,%rax; mov 0x30(%rax),%rax; mov %rsi,(%rax)
    const code = "65488b042540000000 488b4030 488930 c3";
    const perCpuOffset = OUTER + 0x10n - 0x40n;
    expect(follow(only(code), { entry: new Map(), perCpuOffset })).toMatchObject({ kind: "stores" });
    expect(follow(only(code), { entry: new Map() })).toBeNull();
  });

  it("is found in a table that only its user knows", () => {
    // mov 0x0(,%rdi,8),%rdx; mov %rsi,0x28(%rdx)
    const code = "488b14fd00000000 48897228 c3";
    const isHolder = (operand: { scale: number }) => operand.scale === 8;
    expect(follow(only(code), { entry: new Map(), holder: null, isHolder })).toMatchObject({ kind: "stores" });
  });
});
