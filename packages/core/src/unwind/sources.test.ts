import { describe, expect, it } from "vitest";
import { STACK_HIGH, STACK_LOW, type TinyFunction, tinyKernel } from "../testing/tiny-kernel.ts";
import { PT_REGS_FIELDS, PT_REGS_SIZE } from "./pt-regs.ts";
import { follow } from "./unwind.ts";
import { unwindContext } from "./unwind-context.ts";

// outer calls inner at +4, which returns to +9. The word where a stack begins is blank.
const OUTER = { name: "outer", code: "4883ec08 e805000000 4883c408 c3" };
const OUTER_CFA = STACK_HIGH - 8n;
/** CFA of whatever outer calls. */
const CFA = OUTER_CFA - 16n;

interface Case {
  readonly inner: string;
  readonly offset: number;
  /** Bytes from RSP up to the CFA. */
  readonly depth: number;
  readonly registers?: Readonly<Record<string, bigint>>;
  readonly words?: Readonly<Record<string, bigint>>;
}

function crash({ inner, offset, depth, registers = {}, words = {} }: Case) {
  const functions: TinyFunction[] = [OUTER, { name: "inner", code: inner }];
  const { at } = tinyKernel({ functions });
  const stack = { [(OUTER_CFA - 8n).toString()]: 0n, [(CFA - 8n).toString()]: at("outer", 9), ...words };
  const { kernel } = tinyKernel({ functions, stack });
  const state = {
    pc: at("inner", offset),
    exact: true,
    sp: CFA - BigInt(depth),
    registers: new Map(Object.entries(registers)),
  };
  const result = follow(unwindContext(kernel), state);
  return { ...result, chain: result.frames.map((frame) => frame.function) };
}

const WHOLE = { chain: ["inner", "outer"], end: "kernel-entry", broken: null };

// push %rbp; mov %rsp,%rbp; push %r12; push %rbx; sub $16,%rsp; nop; add $16,%rsp; pop %rbx; pop %r12; pop %rbp; ret
const POPS = "55 4889e5 4154 53 4883ec10 90 4883c410 5b 415c 5d c3";
// push %rbp; mov %rsp,%rbp; push %rbx; nop; lea -8(%rbp),%rsp; pop %rbx; leave; ret
const LEAVES = "55 4889e5 53 90 488d65f8 5b c9 c3";
const BEFORE = 0x1234n;

describe("interrupted at every instruction of a function with a frame pointer", () => {
  it.each([
    ["push %rbp", POPS, 0, 8, BEFORE],
    ["mov %rsp,%rbp", POPS, 1, 16, BEFORE],
    ["push %r12", POPS, 4, 16, CFA - 16n],
    ["push %rbx", POPS, 6, 24, CFA - 16n],
    ["sub", POPS, 7, 32, CFA - 16n],
    ["the body", POPS, 11, 48, CFA - 16n],
    ["add", POPS, 12, 48, CFA - 16n],
    ["pop %rbx", POPS, 16, 32, CFA - 16n],
    ["pop %r12", POPS, 17, 24, CFA - 16n],
    ["pop %rbp", POPS, 19, 16, CFA - 16n],
    ["ret", POPS, 20, 8, BEFORE],
    ["lea", LEAVES, 6, 24, CFA - 16n],
    ["pop before leave", LEAVES, 10, 24, CFA - 16n],
    ["leave", LEAVES, 11, 16, CFA - 16n],
    ["ret behind leave", LEAVES, 12, 8, BEFORE],
  ])("%s", (_what, inner, offset, depth, rbp) => {
    const words = { [(CFA - 16n).toString()]: BEFORE };
    const result = crash({ inner, offset, depth, registers: { rbp }, words });
    expect(result).toMatchObject(WHOLE);
    expect(result.frames[0]!.cfa).toBe(CFA);
    expect(result.frames[1]!.registers.get("rbp")).toBe(BEFORE);
  });
});

describe("where RSP cannot be followed", () => {
  // push %rbp; mov %rsp,%rbp; sub %rax,%rsp; nop; leave; ret: an alloca.
  const ALLOCA = "55 4889e5 4829c4 90 c9 c3";
  // push %rbp; mov %rsp,%rbp; jmp *%rax; nop; leave; ret: what a jump table leads to.
  const BEYOND = "55 4889e5 ffe0 90 c9 c3";
  it.each([
    ["the code knows RBP", ALLOCA, 7],
    ["only RBP itself is left", BEYOND, 6],
  ])("%s", (_what, inner, offset) => {
    expect(crash({ inner, offset, depth: 0x200, registers: { rbp: CFA - 16n } })).toMatchObject(WHOLE);
  });

  it.each([
    ["leads below RSP", CFA - 0x300n],
    ["is odd", CFA - 15n],
    ["leads off the stack", STACK_HIGH + 0x10n],
    ["leads to no return address", CFA - 32n],
  ])("takes no RBP that %s", (_what, rbp) => {
    const result = crash({ inner: BEYOND, offset: 6, depth: 0x200, registers: { rbp } });
    expect(result.frames[0]!.cfa).toBeNull();
  });

  it("follows a frame that aligned its stack by the CFA it kept", () => {
    // lea 8(%rsp),%r10; and $-64,%rsp; push -8(%r10); push %rbp; mov %rsp,%rbp; push %r10; nop
    const inner = "4c8d542408 4883e4c0 41ff72f8 55 4889e5 4152 90 c3";
    const rbp = (CFA & ~63n) - 0x10n;
    const words = { [rbp.toString()]: BEFORE, [(rbp - 8n).toString()]: CFA };
    const result = crash({ inner, offset: 19, depth: Number(CFA - rbp) + 8, registers: { rbp }, words });
    expect(result).toMatchObject(WHOLE);
    expect(result.frames[1]!.registers.get("rbp")).toBe(BEFORE);
  });

  it("follows a call on another stack by the word at that stack's top", () => {
    // push %rbx; mov %rsp,(%rbx); mov %rbx,%rsp; nop; pop %rsp; pop %rbx; ret
    const inner = "53 488923 4889dc 90 5c 5b c3";
    const other = STACK_LOW + 0x800n;
    const result = crash({ inner, offset: 7, depth: Number(CFA - other), words: { [other.toString()]: CFA - 16n } });
    expect(result).toMatchObject(WHOLE);
    expect(result.frames[0]!.cfa).toBe(CFA);
  });
});

describe("out of entry code", () => {
  const FUNCTIONS = [
    OUTER,
    { name: "inner", code: POPS },
    { name: "__entry_text_start", code: "90" },
    // call handler; ret
    { name: "page_fault", code: "e802000000 c3" },
    { name: "__entry_text_end", code: "90" },
    { name: "handler", code: "4883ec08 90 c3" },
  ];
  const HANDLER_SP = STACK_LOW + 0x1000n;
  const regsWords = (at: bigint, regs: Readonly<Record<string, bigint>>) =>
    Object.fromEntries(PT_REGS_FIELDS.map((name, index) => [(at + BigInt(index * 8)).toString(), regs[name] ?? 0n]));
  const { at } = tinyKernel({ functions: FUNCTIONS });
  const KERNEL = { rip: at("inner", 11), cs: 0x10n, ss: 0x18n, rflags: 0x10246n, rsp: CFA - 48n, rbp: CFA - 16n };
  const USER = { rip: 0x401000n, cs: 0x33n, ss: 0x2bn, rflags: 0x202n, rsp: 0x7ffd0000n };

  function fault(words: Readonly<Record<string, bigint>>) {
    const stack = {
      [(HANDLER_SP + 8n).toString()]: at("page_fault", 5),
      [(OUTER_CFA - 8n).toString()]: 0n,
      [(CFA - 8n).toString()]: at("outer", 9),
      ...words,
    };
    const { kernel } = tinyKernel({ functions: FUNCTIONS, stack });
    const state = { pc: at("handler", 4), exact: true, sp: HANDLER_SP, registers: new Map<string, bigint>() };
    const result = follow(unwindContext(kernel), state);
    return { ...result, chain: result.frames.map((frame) => frame.function) };
  }
  const AT_RSP = HANDLER_SP + 16n;

  it.each([
    ["at RSP", AT_RSP, {}],
    ["behind an error code and a return address", AT_RSP + 16n, {}],
    ["where the word at RSP leads", AT_RSP + 0x400n, { [AT_RSP.toString()]: AT_RSP + 0x400n }],
  ])("crosses saved registers %s", (_where, place, words) => {
    const result = fault({ ...words, ...regsWords(place, KERNEL) });
    expect(result).toMatchObject({
      chain: ["handler", "page_fault", "inner", "outer"],
      end: "kernel-entry",
      broken: null,
    });
    expect(result.frames[2]).toMatchObject({ interrupted: true, sp: CFA - 48n });
  });

  it("ends at those of user mode", () => {
    expect(fault(regsWords(AT_RSP, USER))).toMatchObject({ end: "user", userRegs: AT_RSP, broken: null });
  });

  it.each<[string, Readonly<Record<string, bigint>>]>([
    ["another code segment", { cs: 0x18n }],
    ["another stack segment", { ss: 0x10n }],
    ["flags that no CPU has", { rflags: 0x8246n }],
    ["RSP of user mode", { rsp: 0x7ffd0000n }],
  ])("takes nothing for saved registers with %s", (_what, change) => {
    const { frames } = fault(regsWords(AT_RSP, { ...KERNEL, ...change }));
    expect(frames.slice(1).some((frame) => frame.interrupted)).toBe(false);
  });

  it("ends at the top of the stack whatever the registers there say", () => {
    const sp = STACK_HIGH - BigInt(PT_REGS_SIZE);
    const { kernel } = tinyKernel({ functions: FUNCTIONS, stack: {} });
    const result = follow(unwindContext(kernel), { pc: at("page_fault", 5), exact: false, sp, registers: new Map() });
    expect(result).toMatchObject({ end: "kernel-entry", userRegs: null, broken: null });
  });
});

describe("where a stack begins", () => {
  const START = { name: "secondary_startup_64", code: "90 90 90 90" };
  // Right below the registers' place, or right below the top.
  it.each([STACK_HIGH - BigInt(PT_REGS_SIZE) - 8n, STACK_HIGH - 16n])(
    "at %x by an address that follows no call",
    (slot) => {
      const functions = [START, { name: "idle", code: "4883ec08 90 c3" }];
      const { at } = tinyKernel({ functions });
      const { kernel } = tinyKernel({ functions, stack: { [slot.toString()]: at("secondary_startup_64", 2) } });
      const state = { pc: at("idle", 4), exact: true, sp: slot - 8n, registers: new Map<string, bigint>() };
      const result = follow(unwindContext(kernel), state);
      expect(result).toMatchObject({ end: "kernel-entry", broken: null });
      expect(result.frames.map((frame) => frame.function)).toEqual(["idle", "secondary_startup_64"]);
    },
  );

  it("not by such an address further down", () => {
    const functions = [START, { name: "idle", code: "4883ec08 90 c3" }];
    const { at } = tinyKernel({ functions });
    const slot = STACK_HIGH - 0x40n;
    const { kernel } = tinyKernel({ functions, stack: { [slot.toString()]: at("secondary_startup_64", 2) } });
    const state = { pc: at("idle", 4), exact: true, sp: slot - 8n, registers: new Map<string, bigint>() };
    expect(follow(unwindContext(kernel), state).broken).not.toBeNull();
  });
});
