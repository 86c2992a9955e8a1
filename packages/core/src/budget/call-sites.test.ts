/** What counts as a call, and what of a caller's stack it leaves in use: small programs with known answers. */
import { describe, expect, test } from "vitest";
import { graphOf, type TinyProgram } from "./tiny-program.fixture.ts";

const LEAF = "c3  ret";

interface Example extends Partial<TinyProgram> {
  readonly what: string;
  /** The function `f`. */
  readonly f: string;
  readonly sites: readonly string[];
}

function check({ what, f, sites, functions, ...rest }: Example): void {
  test(what, () => expect(graphOf({ functions: { f, leaf: LEAF, ...functions }, ...rest }).sites("f")).toEqual(sites));
}

describe("direct calls and jumps", () => {
  const examples: Example[] = [
    {
      what: "a call, and its depth: return address, pushed registers, locals",
      f: `53            push %rbx
          48 83 ec 20   sub $0x20,%rsp
          e8 {leaf}     call leaf
          48 83 c4 20   add $0x20,%rsp
          5b            pop %rbx
          c3            ret`,
      sites: ["5 call leaf 48"],
    },
    {
      what: "a tail jump leaves nothing behind, whether conditional or not",
      f: `85 ff         test %edi,%edi
          0f 84 {leaf}  je leaf
          53            push %rbx
          5b            pop %rbx
          e9 {leaf}     jmp leaf`,
      sites: ["2 tail leaf 0", "10 tail leaf 0"],
    },
    {
      what: "a jump with words still on the stack",
      f: `50         push %rax
          50         push %rax
          e9 {leaf}  jmp leaf`,
      sites: ["2 tail leaf 16"],
    },
    {
      what: "recursion is a call; a jump to its own first instruction is a loop",
      f: `50         push %rax
          e8 {f}     call f
          58         pop %rax
          74 f7      je f
          c3         ret`,
      sites: ["1 call f 16"],
    },
    {
      what: "behind a call that never returns, depth is what other paths say",
      f: `53            push %rbx
          85 ff         test %edi,%edi
          74 0a         je +15
          48 83 ec 10   sub $0x10,%rsp
          e8 {stop}     call stop
          90            nop
          e8 {leaf}     call leaf
          5b            pop %rbx
          c3            ret`,
      functions: { stop: "eb fe  jmp stop" },
      sites: ["9 call stop 32", "15 call leaf 16"],
    },
    {
      what: "into the middle of another function",
      f: "e9 {g+1}  jmp g+1",
      functions: { g: "90  nop\nc3  ret" },
      sites: ["0 tail g 0"],
    },
    {
      what: "on into the function behind it, without a jump: an inner label of assembler's that is a symbol",
      f: `53             push %rbx
          48 83 ff 05    cmp $0x5,%rdi
          0f 84 {other}  je other
          5b             pop %rbx
          48 89 f8       mov %rdi,%rax
          50             push %rax`,
      functions: { other: LEAF },
      sites: ["5 tail other 8", "15 tail leaf 8"],
    },
    {
      what: "not behind a call that never returns, nor over padding",
      f: `83 ff 05       cmp $0x5,%edi
          74 05          je +10
          e9 {leaf}      jmp leaf
          e8 {stop}      call stop
          90             nop`,
      functions: { stop: "eb fe  jmp stop" },
      sites: ["5 tail leaf 0", "10 call stop 8"],
    },
    {
      what: "to where nothing is known",
      f: "e8 00 00 00 20  call nowhere\nc3  ret",
      sites: ["0 call ? 8"],
    },
    {
      what: "system calls and hypercalls of the CPU are no calls",
      f: "0f 05  syscall\n0f 01 c1  vmcall\nc3  ret",
      sites: [],
    },
  ];
  examples.forEach(check);
});

describe("parts of functions", () => {
  const functions = {
    f: `48 83 ec 10      sub $0x10,%rsp
        0f 84 {f.cold}   je f.cold
        48 83 c4 10      add $0x10,%rsp
        c3               ret`,
    "f.cold": `e8 {leaf}  call leaf
               e9 {f+10}  jmp f+10`,
    "f.isra.0": "e9 {f}  jmp f",
    __pfx_g: "90  nop",
    g: "e8 {__pfx_g}  call __pfx_g\nc3  ret",
    leaf: LEAF,
  };
  const graph = graphOf({ functions });

  test("a cold part belongs to its function: no call leads there, and its calls are the function's", () =>
    expect(graph.sites("f").map((site) => site.replace(/^\d+/, "N"))).toEqual(["N call leaf 24"]));
  test("a clone is a function", () => expect(graph.sites("f.isra.0")).toEqual(["0 tail f 0"]));
  test("padding is none, and a call into it one of what follows", () =>
    expect(graph.sites("g")).toEqual(["0 call g 8"]));
  test("are in no list", () => expect(graph.names()).toEqual(["f", "f.isra.0", "g", "leaf"]));

  test.each([
    ["kCFI: the hash", "b8 78 56 34 12  mov $0x12345678,%eax"],
    [
      "FineIBT: the check itself, which goes on in the function",
      `f3 0f 1e fa            endbr64
       41 81 ea 78 56 34 12   sub $0x12345678,%r10d
       74 03                  je g
       0f 0b                  ud2
       90                     nop`,
    ],
  ])("a preamble is padding too (%s)", (_what, preamble) => {
    const { sites, names } = graphOf({
      functions: { f: "e8 {g}  call g\nc3  ret", __cfi_g: preamble, g: "e9 {leaf}  jmp leaf", leaf: LEAF },
    });
    expect([names(), sites("f"), sites("g")]).toEqual([["f", "g", "leaf"], ["0 call g 8"], ["0 tail leaf 0"]]);
  });

  test("of two functions by one name a cold part is that of the one that jumps there", () => {
    const other = graphOf({
      functions: {
        "f.cold": `e8 {leaf}  call leaf
                   eb fe      jmp .`,
        f: `50              push %rax
            e9 {f.cold}     jmp f.cold`,
        leaf: LEAF,
      },
    });
    expect(other.sites("f").map((site) => site.replace(/^-?\d+/, "N"))).toEqual(["N call leaf 16"]);
  });
});

describe("indirect branches", () => {
  const thunks = {
    __x86_indirect_thunk_rax: `e8 01 00 00 00  call +1
                               cc              int3
                               48 89 04 24     mov %rax,(%rsp)
                               c3              ret`,
    __x86_indirect_its_thunk_r11: "41 ff e3  jmp *%r11",
    __x86_return_thunk: "c3  ret",
    __fentry__: "c3  ret",
  };
  const examples: Example[] = [
    {
      what: "through a register, through memory, through per-CPU memory",
      f: `ff d0                       call *%rax
          ff 57 18                    callq *0x18(%rdi)
          ff 15 00 01 00 00           callq *0x100(%rip)
          65 ff 14 25 00 01 00 00     callq *%gs:0x100
          c3                          ret`,
      sites: ["0 indirect-call ? 8", "2 indirect-call ? 8", "5 indirect-call ? 8", "11 indirect-call ? 8"],
    },
    {
      what: "retpolines: call and jump",
      f: `50                                  push %rax
          e8 {__x86_indirect_thunk_rax}       call __x86_indirect_thunk_rax
          58                                  pop %rax
          e9 {__x86_indirect_its_thunk_r11}   jmp __x86_indirect_its_thunk_r11`,
      functions: thunks,
      sites: ["1 indirect-call ? 16", "7 indirect-tail ? 0"],
    },
    {
      what: "retpolines patched at boot: lfence, and padding",
      f: `0f ae e8   lfence
          ff d0      call *%rax
          41 ff e3   jmp *%r11
          cc         int3`,
      sites: ["3 indirect-call ? 8", "5 indirect-tail ? 0"],
    },
    {
      what: "a thunk that was made at run time",
      f: "e8 {its}  call its\nc3  ret",
      unnamed: { its: "41 ff e3  jmp *%r11\ncc  int3" },
      sites: ["0 indirect-call ? 8"],
    },
    {
      what: "retpolines in place (CALL_NOSPEC up to 5.4)",
      f: `eb 11            jmp +17
          e8 07 00 00 00   call +7
          f3 90            pause
          0f ae e8         lfence
          eb f9            jmp -7
          48 89 2c 24      mov %rbp,(%rsp)
          c3               ret
          e8 ea ff ff ff   call -22
          c3               ret`,
      sites: ["19 indirect-call ? 8"],
    },
    {
      what: "a return thunk is a return, and the tracer's hook nothing",
      f: `e8 {__fentry__}             call __fentry__
          e8 {leaf}                   call leaf
          e9 {__x86_return_thunk}     jmp __x86_return_thunk`,
      functions: thunks,
      sites: ["5 call leaf 8"],
    },
    {
      what: "kCFI's check before a call",
      f: `41 ba 78 56 34 12   mov $0x12345678,%r10d
          45 03 53 fc         add -0x4(%r11),%r10d
          74 02               je +2
          0f 0b               ud2
          41 ff d3            call *%r11
          c3                  ret`,
      sites: ["14 indirect-call ? 8"],
    },
    {
      what: "FineIBT, to which kCFI is rewritten at boot (931ab63664f0, 6.2): the hash goes along, to the preamble before the callee",
      f: `41 ba 78 56 34 12   mov $0x12345678,%r10d
          49 83 eb 10         sub $0x10,%r11
          0f 1f 40 00         nopl 0x0(%rax)
          41 ff d3            call *%r11
          c3                  ret`,
      sites: ["14 indirect-call ? 8"],
    },
    {
      what: "push and return is a jump",
      f: "50  push %rax\nc3  ret",
      sites: ["1 indirect-tail ? 0"],
    },
    {
      what: "a jump table is no call",
      f: `ff 24 fd {=table}   jmpq *table(,%rdi,8)
          e8 {leaf}           call leaf
          c3                  ret`,
      data: { table: ["f+7", "f+12", "leaf"] },
      sites: ["7 call leaf 8"],
    },
    {
      what: "a computed goto, whose frame still stands, is none either",
      f: "53  push %rbx\nff e0  jmp *%rax",
      sites: [],
    },
    {
      what: "filling the return stack is no call",
      f: `e8 01 00 00 00   call +1
          cc               int3
          48 83 c4 08      add $0x8,%rsp
          e8 {leaf}        call leaf
          c3               ret`,
      sites: ["10 call leaf 8"],
    },
  ];
  examples.forEach(check);
});

describe("what the kernel patches", () => {
  const examples: Example[] = [
    {
      what: "alternatives: what stands there, and what may",
      f: `53             push %rbx
          e8 {leaf}      call leaf
          5b             pop %rbx
          c3             ret`,
      functions: { fast: LEAF, fastest: LEAF },
      unnamed: { alt1: "e8 {fast}  call fast", alt2: "e8 {fastest}  call fastest", alt3: "0f 05  syscall" },
      alternatives: [
        { at: "f+1", length: 5, by: "alt1" },
        { at: "f+1", length: 5, by: "alt2" },
        { at: "f+1", length: 5, by: "alt3" },
      ],
      sites: ["1 call leaf 16", "1 call fast 16", "1 call fastest 16"],
    },
    {
      what: "an alternative that calls where a pointer says has a placeholder for a target",
      f: "ff 15 00 01 00 00  callq *0x100(%rip)\nc3  ret",
      functions: { BUG_func: "0f 0b  ud2" },
      unnamed: { alt: "e8 {BUG_func}  call BUG_func" },
      alternatives: [{ at: "f", length: 6, by: "alt" }],
      sites: ["0 indirect-call ? 8"],
    },
    {
      what: "a static call goes to its trampoline, as linked",
      f: "e8 {__SCT__x}  call __SCT__x\nc3  ret",
      functions: { __SCT__x: "e9 {leaf}  jmp leaf" },
      sites: ["0 call __SCT__x 8"],
    },
    {
      what: "a jump to code out of line that jumps back (static_cpu_has)",
      f: `e9 {aux}     jmp aux
          e8 {leaf}    call leaf
          c3           ret`,
      unnamed: {
        aux: `f6 05 00 00 00 00 20   testb $0x20,0x0(%rip)
              0f 85 {f+5}            jne f+5
              e9 {f+10}              jmp f+10`,
      },
      sites: ["5 call leaf 8"],
    },
  ];
  examples.forEach(check);

  test("a trampoline jumps to what code turns it to as well: constants that are passed to __static_call_update", () => {
    const update = (trampoline: string, callee: string) => `48 c7 c2 {=${callee}}  mov $callee,%rdx
      48 c7 c6 {=${trampoline}}       mov $trampoline,%rsi
      31 ff                           xor %edi,%edi
      e8 {__static_call_update}       call __static_call_update`;
    const functions = {
      __SCT__x: LEAF,
      __SCT__y: "e9 {leaf}  jmp leaf",
      setup: `${update("__SCT__x", "leaf")}
        ${update("__SCT__x", "other")}
        31 d2                           xor %edx,%edx
        48 c7 c6 {=__SCT__y}            mov $__SCT__y,%rsi
        e8 {__static_call_update}       call __static_call_update
        ${update("setup", "leaf")}
        c3                              ret`,
      __static_call_update: LEAF,
      leaf: LEAF,
      other: LEAF,
    };
    const graph = graphOf({ functions });
    expect([graph.sites("__SCT__x"), graph.sites("__SCT__y")]).toEqual([
      ["0 tail leaf 0", "0 tail other 0"],
      ["0 tail leaf 0"],
    ]);
  });

  test("and to what is loaded when it is turned: a jump to who knows where", () => {
    const functions = {
      __SCT__x: LEAF,
      setup: `48 8b 50 08                mov 0x8(%rax),%rdx
              48 c7 c6 {=__SCT__x}       mov $__SCT__x,%rsi
              e8 {__static_call_update}  call __static_call_update
              c3                         ret`,
      __static_call_update: LEAF,
    };
    expect(graphOf({ functions }).sites("__SCT__x")).toEqual(["0 indirect-tail ? 0"]);
  });

  test("the trampoline is a function that jumps on, or returns", () => {
    const functions = { __SCT__x: "e9 {leaf}  jmp leaf", __SCT__none: LEAF, leaf: LEAF };
    const graph = graphOf({ functions });
    expect([graph.sites("__SCT__x"), graph.sites("__SCT__none")]).toEqual([["0 tail leaf 0"], []]);
  });
});

describe("functions that never return", () => {
  const graph = graphOf({
    functions: {
      loops: "eb fe  jmp loops",
      traps: "0f 0b  ud2",
      callsLast: "e8 {loops}  call loops",
      jumpsThere: "e9 {callsLast}  jmp callsLast",
      mayReturn: "0f 84 {loops}  je loops\nc3  ret",
      jumpsToLeaf: "e9 {leaf}  jmp leaf",
      jumpsAnywhere: "ff e0  jmp *%rax",
      leaf: LEAF,
    },
  });
  test.each([
    ["loops", false],
    ["traps", false],
    ["callsLast", false],
    ["jumpsThere", false],
    ["mayReturn", true],
    ["jumpsToLeaf", true],
    ["jumpsAnywhere", true],
    ["leaf", true],
  ])("%s: returns %s", (name, returns) => expect(graph.returns(name)).toBe(returns));
});
