/** How deep the stack is, where the code makes that hard to tell: frames by hand, with and without unwind data. */
import { describe, expect, test } from "vitest";
import { graphOf, type TinyProgram } from "./tiny-program.fixture.ts";

const leaf = "c3  ret";

interface Example extends Partial<TinyProgram> {
  readonly what: string;
  readonly f: string;
  readonly sites: readonly string[];
  readonly own: string;
}

const ALIGNED = `4c 8d 54 24 08    lea 0x8(%rsp),%r10
                 48 83 e4 c0       and $0xffffffffffffffc0,%rsp
                 41 ff 72 f8       pushq -0x8(%r10)
                 55                push %rbp
                 48 89 e5          mov %rsp,%rbp
                 41 52             push %r10
                 48 83 ec 28       sub $0x28,%rsp
                 e8 {leaf}         call leaf
                 48 83 c4 28       add $0x28,%rsp
                 41 5a             pop %r10
                 5d                pop %rbp
                 49 8d 62 f8       lea -0x8(%r10),%rsp
                 e9 {leaf}         jmp leaf`;

const examples: Example[] = [
  {
    what: "a frame pointer's frame",
    f: `55              push %rbp
        48 89 e5        mov %rsp,%rbp
        48 83 ec 40     sub $0x40,%rsp
        e8 {leaf}       call leaf
        c9              leave
        e9 {leaf}       jmp leaf`,
    sites: ["8 call leaf 80", "14 tail leaf 0"],
    own: "80",
  },
  {
    // 8 + 56 lost to 64-byte alignment, then four words and 0x28 bytes.
    what: "an aligned frame: the most that alignment can take; undone at the end",
    f: ALIGNED,
    sites: ["23 call leaf 128 at-most", "39 tail leaf 0"],
    own: "128 at-most",
  },
  {
    what: "alloca of an amount that nothing bounds: without it, and said so",
    f: `55              push %rbp
        48 89 e5        mov %rsp,%rbp
        48 29 fc        sub %rdi,%rsp
        e8 {leaf}       call leaf
        c9              leave
        c3              ret`,
    sites: ["7 call leaf 16 at-least"],
    own: "16 at-least",
  },
  {
    // As do_syscall_64 moves its stack: (0x3ff + 15) & 0x7f8 is 1032 at most.
    what: "alloca of a masked amount: the most that the mask lets through",
    f: `55                    push %rbp
        48 89 e5              mov %rsp,%rbp
        25 ff 03 00 00        and $0x3ff,%eax
        48 83 c0 0f           add $0xf,%rax
        25 f8 07 00 00        and $0x7f8,%eax
        48 29 c4              sub %rax,%rsp
        e8 {leaf}             call leaf
        c9                    leave
        c3                    ret`,
    sites: ["21 call leaf 1048 at-most"],
    own: "1048 at-most",
  },
  {
    what: "assembler that keeps RSP in a word of its frame",
    f: `48 89 e0        mov %rsp,%rax
        48 83 ec 40     sub $0x40,%rsp
        48 83 e4 e0     and $0xffffffffffffffe0,%rsp
        48 89 04 24     mov %rax,(%rsp)
        e8 {leaf}       call leaf
        48 8b 24 24     mov (%rsp),%rsp
        e9 {leaf}       jmp leaf`,
    sites: ["15 call leaf 96 at-most", "24 tail leaf 0"],
    own: "96 at-most",
  },
  {
    // call_on_irqstack (a7b5ba4f64d0, 5.8): the word at the other stack's top is where RSP was.
    what: "a call on another stack: counted from its top, and none of it on this one",
    f: `53              push %rbx
        48 89 23        mov %rsp,(%rbx)
        48 89 dc        mov %rbx,%rsp
        e8 {leaf}       call leaf
        5c              pop %rsp
        e8 {leaf}       call leaf
        5b              pop %rbx
        c3              ret`,
    sites: ["7 call leaf 8 other-stack", "13 call leaf 16"],
    own: "16",
  },
  {
    what: "the scheduler's change of stacks: another task's, as deep",
    f: `55                     push %rbp
        48 89 a7 d8 14 00 00   mov %rsp,0x14d8(%rdi)
        48 8b a6 d8 14 00 00   mov 0x14d8(%rsi),%rsp
        5d                     pop %rbp
        e9 {leaf}              jmp leaf`,
    sites: ["16 tail leaf 0"],
    own: "16",
  },
  {
    what: "code that only a static branch leads to, by where it goes back to",
    f: `48 83 ec 18     sub $0x18,%rsp
        66 90           xchg %ax,%ax
        48 83 c4 18     add $0x18,%rsp
        c3              ret
        e8 {leaf}       call leaf
        eb f4           jmp -12`,
    orc: [
      { at: "f", sp: "sp", offset: 8 },
      { at: "f+4", sp: "bp", offset: 16 },
      { at: "leaf", sp: "sp", offset: 8 },
    ],
    sites: ["11 call leaf 32"],
    own: "32",
  },
  {
    what: "ORC decides where the code cannot be followed",
    f: `48 89 fc        mov %rdi,%rsp
        e8 {leaf}       call leaf
        c3              ret`,
    orc: [
      { at: "f", sp: "sp", offset: 8 },
      { at: "f+3", sp: "sp", offset: 72 },
    ],
    sites: ["3 call leaf 72"],
    own: "72",
  },
  {
    // As sev_verify_cbit makes sure that nothing goes on; objtool follows the sub and not the xor.
    what: "RSP zeroed: no frame, whatever ORC makes of it",
    f: `74 0d                   je +13
        48 31 e4                xor %rsp,%rsp
        48 81 ec 00 10 00 00    sub $0x1000,%rsp
        f4                      hlt
        eb fd                   jmp -3
        e8 {leaf}               call leaf
        c3                      ret`,
    orc: [
      { at: "f", sp: "sp", offset: 8 },
      { at: "f+12", sp: "sp", offset: 4104 },
      { at: "f+15", sp: "sp", offset: 8 },
      { at: "leaf", sp: "sp", offset: 8 },
    ],
    sites: ["15 call leaf 8"],
    own: "8",
  },
  ...[
    { what: "zeroed", by: "48 31 e4              xor %rsp,%rsp" },
    { what: "a constant", by: "48 c7 c4 00 80 00 00  mov $0x8000,%rsp" },
    { what: "a page table", by: "0f 20 dc              mov %cr3,%rsp" },
    { what: "a bit more", by: "48 0f ba ec 3f        bts $0x3f,%rsp" },
    { what: "exchanged", by: "48 94                 xchg %rax,%rsp" },
  ].map(({ what, by }) => {
    const length = by.split("  ")[0]!.split(" ").length;
    return {
      what: `a call with RSP ${what}: not on this stack, and the way back`,
      f: `48 89 e3        mov %rsp,%rbx
          ${by}
          50              push %rax
          e8 {leaf}       call leaf
          48 87 dc        xchg %rbx,%rsp
          e8 {leaf}       call leaf
          c3              ret`,
      orc: [
        { at: "f", sp: "sp" as const, offset: 8 },
        { at: `f+${4 + length}`, sp: "sp" as const, offset: 16 },
        { at: `f+${9 + length}`, sp: "sp" as const, offset: 8 },
        { at: "leaf", sp: "sp" as const, offset: 8 },
      ],
      sites: [`${4 + length} call leaf 8 other-stack`, `${12 + length} call leaf 8`],
      own: "8",
    };
  }),
  {
    what: "an interrupt's entry: the CPU's own words count, and all registers",
    f: `68 00 01 00 00   push $0x100
        48 83 ec 78      sub $0x78,%rsp
        e8 {leaf}        call leaf
        48 cf            iretq`,
    orc: [
      { at: "f", sp: "sp", offset: 0, type: "regs-partial" },
      { at: "f+5", sp: "sp", offset: 8, type: "regs-partial" },
      { at: "f+9", sp: "sp", offset: 0, type: "regs" },
      { at: "leaf", sp: "sp", offset: 8 },
    ],
    sites: ["9 call leaf 168"],
    own: "168",
  },
  {
    what: "what a replaced weak function left behind another one",
    f: `c3            ret
        90            nop
        e8 {leaf}     call leaf
        c3            ret`,
    orc: [
      { at: "f", sp: "sp", offset: 8 },
      { at: "f+1", sp: "undefined", offset: 0, type: "undefined" },
      { at: "leaf", sp: "sp", offset: 8 },
    ],
    sites: [],
    own: "8",
  },
  // In numbers of 32 bits the first is 16 bytes, and the alignment nothing.
  {
    what: "a frame larger than any stack is none",
    f: `48 81 ec 10 00 00 40   sub $0x40000010,%rsp
        e8 {leaf}              call leaf
        48 81 c4 10 00 00 40   add $0x40000010,%rsp
        c3                     ret`,
    sites: ["7 call leaf 0 unknown"],
    own: "8",
  },
  {
    what: "nor one that is reached step by step",
    f: `48 81 ec f0 ff 0f 00   sub $0xffff0,%rsp
        e8 {leaf}              call leaf
        48 81 ec f0 ff 0f 00   sub $0xffff0,%rsp
        e8 {leaf}              call leaf`,
    sites: ["7 call leaf 1048568", "19 call leaf 0 unknown"],
    own: "1048568",
  },
  {
    what: "alignment to more than any stack",
    f: `48 81 e4 00 00 00 c0   and $0xffffffffc0000000,%rsp
        e8 {leaf}              call leaf`,
    sites: ["7 call leaf 0 unknown"],
    own: "8",
  },
  {
    what: "alloca of an amount that a mask leaves larger than any stack: without it",
    f: `25 f8 ff ff 7f    and $0x7ffffff8,%eax
        48 29 c4          sub %rax,%rsp
        e8 {leaf}         call leaf`,
    sites: ["8 call leaf 8 at-least"],
    own: "8 at-least",
  },
  {
    what: "an address beyond any stack",
    f: `48 8d a4 24 00 00 00 c0   lea -0x40000000(%rsp),%rsp
        e8 {leaf}                 call leaf`,
    sites: ["8 call leaf 0 unknown"],
    own: "8",
  },
];

describe.each(examples)("$what", ({ f, sites, own, orc, functions }) => {
  const graph = graphOf({ functions: { f, leaf, ...functions }, ...(orc === undefined ? {} : { orc }) });
  test("sites", () => expect(graph.sites("f")).toEqual(sites));
  test("own bytes", () => expect(graph.own("f")).toBe(own));
});
