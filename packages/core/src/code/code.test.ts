import { describe, expect, it } from "vitest";
import { TEXT, tinyKernel } from "../testing/tiny-kernel.ts";
import { callReaches, callSiteBefore, callSitesIn } from "./call-site.ts";
import { canaryUse } from "./canary.ts";
import { CodeReader } from "./code-reader.ts";
import { directCallers } from "./direct-callers.ts";
import { disassemble } from "./disassemble.ts";
import { frameLayout } from "./frame-layout.ts";

// Assembled with GNU as; offsets are those of objdump.
const FUNCTIONS = [
  {
    name: "rsp_func",
    code: `4154 53 4883ec60 65488b042528000000 4889442458 31c0 488d7c2418 be40000000 e85c000000
           488b542458 65482b142528000000 7508 4883c460 5b 415c c3 e861000000`,
  },
  {
    name: "rbp_func",
    code: `55 4889e5 4156 4155 4154 53 4883ec70 65488b042528000000 488945d8 31c0 488b5dd8 6548331c2528000000
           750d 4883c470 5b 415c 415d 415e 5d c3 e822000000`,
  },
  { name: "helper", code: "c60700 eb15" },
  { name: "caller", code: "4883ec08 e870ffffff ffd0 e80b000000 4883c408 c3" },
  { name: "tail", code: "4883e4c0 c9 c3" },
  { name: "__x86_indirect_thunk_rax", code: "ffe0" },
  { name: "__stack_chk_fail", code: "55 0f0b" },
];

const { kernel, at } = tinyKernel({ functions: FUNCTIONS });
const reader = new CodeReader(kernel.memory, kernel.symbols);
const layoutOf = (name: string, offset: number) => {
  const code = reader.functionAt(at(name))!;
  return frameLayout(code)[code.indexAt(at(name, offset))];
};

describe("frame layout", () => {
  it.each([
    ["rsp_func", 0x00, 8, "before anything is pushed"],
    ["rsp_func", 0x02, 16, "after push %r12"],
    ["rsp_func", 0x07, 120, "after sub $0x60,%rsp"],
    ["rsp_func", 0x3d, 8, "at ret"],
    ["rsp_func", 0x3e, 120, "at the cold call of __stack_chk_fail, reached by the jump"],
    ["rbp_func", 0x0f, 160, "with RBP pushed as well"],
    ["tail", 0x04, null, "after RSP was aligned"],
  ])("%s+%i: RSP is %s below the CFA %s", (name, offset, depth, _when) => {
    expect(layoutOf(name, offset)?.rspDepth).toBe(depth);
  });

  it("knows where callee-saved registers are, and forgets them when they are popped", () => {
    expect([...layoutOf("rsp_func", 0x21)!.saved]).toEqual([
      ["r12", 16],
      ["rbx", 24],
    ]);
    expect([...layoutOf("rsp_func", 0x3b)!.saved]).toEqual([["r12", 16]]);
    expect(layoutOf("rbp_func", 0x0f)!.rbpDepth).toBe(16);
    expect(layoutOf("rbp_func", 0x39)!.rbpDepth).toBeNull();
  });
});

describe("canary use", () => {
  it.each([
    ["rsp_func", "rsp", 0x58, 120 - 0x58, 0x43],
    ["rbp_func", "rbp", -0x28, 16 + 0x28, 0x3f],
  ])("%s keeps it at %s%i", (name, base, displacement, depth, failReturn) => {
    const use = canaryUse(reader, reader.functionAt(at(name))!)!;
    expect(use.stored).toMatchObject({ base, displacement, depth });
    expect(use.checks.map((check) => check.slot)).toMatchObject([{ base, displacement, depth }]);
    expect(use.failReturns).toEqual([at(name, failReturn)]);
  });

  it("is null where there is none", () => {
    expect(canaryUse(reader, reader.functionAt(at("caller"))!)).toBeNull();
  });
});

describe("call sites", () => {
  const range = (name: string) => kernel.symbols.functionAt(at(name))!;

  it.each([
    ["caller", 9, "rsp_func", "direct"],
    ["caller", 9, "helper", "no"],
    ["caller", 11, "helper", "indirect"],
    ["caller", 16, "helper", "indirect"],
    ["rsp_func", 0x26, "helper", "direct"],
    ["rsp_func", 0x26, "tail", "tail-jump"],
    ["rsp_func", 0x26, "caller", "no"],
  ])("the call before %s+%i reaches %s: %s", (caller, offset, callee, reach) => {
    const site = callSiteBefore(reader, at(caller, offset))!;
    expect(site.caller.name).toBe(caller);
    expect(callReaches(reader, site, range(callee))).toBe(reach);
  });

  it.each([
    ["push %r10; ret", "4152 c3", "indirect"],
    ["push %r10; pop %r10; ret", "4152 415a c3", "no"],
    ["ret", "c3", "no"],
  ])("a call of %s reaches any function: %s", (_, code, reach) => {
    const small = tinyKernel({
      functions: [
        { name: "outer", code: "e80b000000 c3" },
        { name: "goes_on", code },
        { name: "point", code: "90 c3" },
      ],
    });
    const reader = new CodeReader(small.kernel.memory, small.kernel.symbols);
    const call = callSiteBefore(reader, small.at("outer", 5))!;
    const target = small.kernel.symbols.functionAt(small.at("goes_on"))!;
    const site = { ...call, target: target.start };
    expect(callReaches(reader, site, small.kernel.symbols.functionAt(small.at("point"))!)).toBe(reach);
  });

  it.each([
    [TEXT, "the first byte of the text"],
    [at("caller", 4), "behind a sub"],
    [at("caller", 10), "inside a call"],
    [0x1234n, "no text at all"],
  ])("%s follows no call (%s)", (address) => {
    expect(callSiteBefore(reader, address)).toBeNull();
  });

  it("a call at the very end of a function belongs to it", () => {
    expect(callSiteBefore(reader, at("rbp_func"))?.caller.name).toBe("rsp_func");
  });

  it("finds direct callers by scanning, tail jumps included", () => {
    const callers = (name: string) => directCallers(reader, range(name)).map((site) => site.caller.name);
    expect(callers("rsp_func")).toEqual(["caller"]);
    expect(callers("__stack_chk_fail")).toEqual(["rsp_func", "rbp_func"]);
    expect(callSitesIn(reader, at("caller"))).toHaveLength(3);
  });
});

describe("disassembly", () => {
  it.each([
    ["4154", "push   %r12"],
    ["65488b042528000000", "mov    %gs:0x28,%rax"],
    ["0f1f440000", "nopl   0x0(%rax,%rax,1)"],
    ["e85c000000", "call   0xffffffff81000061 <target>"],
    ["488945d8", "mov    %rax,-0x28(%rbp)"],
    ["06", "(bad)"],
  ])("%s is %s", (code, text) => {
    const bytes = Uint8Array.from(code.match(/../g)!, (pair) => Number.parseInt(pair, 16));
    expect(disassemble(bytes, TEXT, () => "target")[0]?.text).toBe(text);
  });
});
