import { describe, expect, test } from "vitest";
import type { AddressSpace } from "../memory/address-space.ts";
import { DwarfTypes } from "../types/dwarf-types.ts";
import type { FrameState, Variable } from "./debug-info.ts";
import { DW_AT, DW_FORM, DW_TAG } from "./dwarf/constants.ts";
import { type BuiltDie, type BuiltValue, buildDwarf, fixed, sleb } from "./testing/dwarf-builder.ts";
import { type VariableSource, variablesAt } from "./variables.ts";
import { stackVariablesAt } from "./variables-slots.ts";

type Attribute = readonly [number, number, BuiltValue];

/** The file's code is linked at LINKED and runs BIAS further up. */
const LINKED = 0xffffffff81000000n;
const BIAS = 0x10000000n;
const CFA = 0xffff888000001000n;

const name = (text: string): Attribute => [DW_AT.name, DW_FORM.strp, text];
const type = (label: string): Attribute => [DW_AT.type, DW_FORM.ref4, { ref: label }];
const origin = (label: string): Attribute => [DW_AT.abstractOrigin, DW_FORM.ref4, { ref: label }];
const at = (offset: number): Attribute => [DW_AT.lowPc, DW_FORM.addr, LINKED + BigInt(offset)];
const length = (bytes: number): Attribute => [DW_AT.highPc, DW_FORM.data4, bytes];
const location = (...bytes: number[]): Attribute => [DW_AT.location, DW_FORM.exprloc, bytes];
const list = (offset: number): Attribute => [DW_AT.location, DW_FORM.secOffset, offset];
const fbreg = (offset: number) => [0x91, ...sleb(offset)];
/** fbreg counts from the CFA. */
const frameBase: Attribute = [DW_AT.frameBase, DW_FORM.exprloc, [0x9c]];

function die(
  tag: number,
  attributes: readonly Attribute[],
  children: readonly BuiltDie[] = [],
  label?: string,
): BuiltDie {
  return { tag, attributes, children, ...(label === undefined ? {} : { label }) };
}

const parameter = (text: string, ...more: Attribute[]) =>
  die(DW_TAG.formalParameter, [name(text), type("int"), ...more]);
const local = (text: string, of: string, ...more: Attribute[]) => die(DW_TAG.variable, [name(text), type(of), ...more]);

/** RDI, as it was when the function was entered. */
const AT_ENTRY = [0xa3, 1, 0x55, 0x9f];

const inner = die(
  DW_TAG.subprogram,
  [name("inner"), at(0), length(0x100), frameBase],
  [
    parameter("saved", location(0x53)),
    parameter("gone", location(0x51)),
    parameter("passed", location(...AT_ENTRY)),
    parameter("nowhere"),
    local("buffer", "char[16]", location(...fbreg(-64))),
    local("listed", "int", list(0)),
    local("constant", "int", [DW_AT.constValue, DW_FORM.data1, 7]),
    local("elsewhere", "int", [DW_AT.declaration, DW_FORM.flagPresent, 1]),
    local("everywhere", "int", location(0x03, ...fixed(LINKED + 0x2000n, 8))),
    die(DW_TAG.lexicalBlock, [at(0x10), length(0x20)], [local("buffer", "int", location(...fbreg(-80)))]),
    die(
      DW_TAG.inlinedSubroutine,
      [origin("helper"), at(0x40), length(0x10)],
      [
        die(DW_TAG.formalParameter, [origin("helper's n"), location(0x53)]),
        die(DW_TAG.variable, [origin("helper's text"), location(...fbreg(-32))]),
      ],
    ),
  ],
);

const callSite = (returns: number, callee: string | null, value: readonly number[]) =>
  die(
    DW_TAG.callSite,
    [
      [DW_AT.callReturnPc, DW_FORM.addr, LINKED + BigInt(returns)],
      ...(callee === null ? [] : [[DW_AT.callOrigin, DW_FORM.ref4, { ref: callee }] as const]),
    ],
    [die(DW_TAG.callSiteParameter, [location(0x55), [DW_AT.callValue, DW_FORM.exprloc, value]])],
  );

const outer = die(
  DW_TAG.subprogram,
  [name("outer"), at(0x100), length(0x100), frameBase],
  [
    callSite(0x120, "inner declared", [0x35]),
    callSite(0x130, "other declared", [0x36]),
    callSite(0x140, "inner declared", [0x50]),
    callSite(0x150, null, [0x37]),
    callSite(0x160, "middle declared", [0x38]),
  ],
);

/** What it passes on is what it was passed. */
const middle = die(
  DW_TAG.subprogram,
  [name("middle"), at(0x200), length(0x100), frameBase],
  [callSite(0x220, "inner declared", AT_ENTRY.slice(0, 3))],
);

const file = buildDwarf(
  [
    die(
      DW_TAG.compileUnit,
      [name("file.c"), at(0), length(0x1000), [DW_AT.language, DW_FORM.data1, 0x0c]],
      [
        die(
          DW_TAG.baseType,
          [name("int"), [DW_AT.byteSize, DW_FORM.data1, 4], [DW_AT.encoding, DW_FORM.data1, 5]],
          [],
          "int",
        ),
        die(
          DW_TAG.baseType,
          [name("char"), [DW_AT.byteSize, DW_FORM.data1, 1], [DW_AT.encoding, DW_FORM.data1, 6]],
          [],
          "char",
        ),
        die(
          DW_TAG.arrayType,
          [type("char")],
          [die(DW_TAG.subrangeType, [[DW_AT.count, DW_FORM.data1, 16]])],
          "char[16]",
        ),
        die(
          DW_TAG.subprogram,
          [name("helper"), [DW_AT.inline, DW_FORM.data1, 1]],
          [
            die(DW_TAG.formalParameter, [name("n"), type("int")], [], "helper's n"),
            die(DW_TAG.variable, [name("text"), type("char[16]")], [], "helper's text"),
          ],
          "helper",
        ),
        ...["inner", "middle", "other"].map((text) =>
          die(DW_TAG.subprogram, [name(text), [DW_AT.declaration, DW_FORM.flagPresent, 1]], [], `${text} declared`),
        ),
        inner,
        outer,
        middle,
      ],
    ),
  ],
  {
    bias: BIAS,
    // The list of `listed`: in RBX from 0x20 to 0x30, nowhere else.
    sections: { ".debug_loclists": [4, 0x20, 0x30, 1, 0x53, 0] },
  },
);

const types = new DwarfTypes(file);
const source: VariableSource = {
  at(address) {
    const linked = address - BIAS;
    return linked >= LINKED && linked < LINKED + 0x1000n ? { file, pc: Number(linked - 2n ** 64n) } : null;
  },
  types: () => types,
  memory: { read: () => null } as unknown as AddressSpace,
};

const frame = (pc: number, more: Partial<FrameState> = {}): FrameState => ({
  pc: LINKED + BIAS + BigInt(pc),
  afterCall: false,
  sp: CFA - 0x100n,
  cfa: CFA,
  registers: new Map([[3, 0x1122334455667788n]]),
  ...more,
});

/** "name: place" of each variable, innermost first. */
function shown(variables: readonly Variable[]): string[] {
  return variables.map(({ name: text, function: of, place }) => {
    const where =
      place.kind === "memory"
        ? `CFA${place.address - CFA}`
        : place.kind === "value"
          ? place.bytes.map((byte) => byte?.toString(16) ?? "?").join(" ")
          : `lost: ${place.why}`;
    return `${of}.${text}: ${where}`;
  });
}

const only = (variables: readonly Variable[], text: string) =>
  shown(variables.filter((one) => one.name === text)).map((line) => line.replace(/^.*?: /, ""));

describe("variablesAt", () => {
  test("everything in scope of a function", () => {
    expect(shown(variablesAt(source, frame(0)))).toEqual([
      "inner.saved: 88 77 66 55",
      "inner.gone: lost: RDX is not known in this frame",
      "inner.passed: lost: overwritten since the function was entered, and its caller does not tell what it was",
      "inner.nowhere: lost: optimised out",
      "inner.buffer: CFA-64",
      "inner.listed: lost: has no value here: optimised out",
      "inner.constant: 7 0 0 0",
      `inner.everywhere: CFA${LINKED + BIAS + 0x2000n - CFA}`,
    ]);
  });

  test("a block's variable hides the function's of the same name", () => {
    expect(only(variablesAt(source, frame(0x18)), "buffer")).toEqual(["CFA-80"]);
    expect(only(variablesAt(source, frame(0x30)), "buffer")).toEqual(["CFA-64"]);
  });

  test("an inlined function's come first, under its own name", () => {
    expect(shown(variablesAt(source, frame(0x44))).slice(0, 3)).toEqual([
      "helper.n: 88 77 66 55",
      "helper.text: CFA-32",
      "inner.saved: 88 77 66 55",
    ]);
  });

  test.each([
    ["in the list's range", 0x20, false, "88 77 66 55"],
    ["at its end", 0x30, false, "lost: has no value here: optimised out"],
    ["a call that ends it returns behind it", 0x30, true, "88 77 66 55"],
  ])("a location list: %s", (_what, pc, afterCall, place) => {
    expect(only(variablesAt(source, frame(pc, { afterCall })), "listed")).toEqual([place]);
  });

  const LOST = "lost: overwritten since the function was entered, and its caller does not tell what it was";
  test.each<[string, number, string]>([
    ["tells a constant", 0x120, "5 0 0 0"],
    ["called another function, which may have jumped here", 0x130, LOST],
    ["passed a register that is gone", 0x140, LOST],
    ["called through a pointer that is gone", 0x150, LOST],
    ["has no call that returns there", 0x170, LOST],
    ["called what called this one", 0x160, LOST],
  ])("what was passed: the caller %s", (_what, returns, place) => {
    const caller = frame(returns, { afterCall: true });
    expect(only(variablesAt(source, frame(0, { caller })), "passed")).toEqual([place]);
  });

  test("what was passed on from further out", () => {
    const outermost = frame(0x160, { afterCall: true });
    const between = frame(0x220, { afterCall: true, caller: outermost });
    expect(only(variablesAt(source, frame(0, { caller: between })), "passed")).toEqual(["8 0 0 0"]);
    const wrong = frame(0x220, { afterCall: true, caller: frame(0x120, { afterCall: true }) });
    expect(only(variablesAt(source, frame(0, { caller: wrong })), "passed")).toEqual([LOST]);
  });

  test("an exception is no call: what was interrupted passed nothing", () => {
    const caller = frame(0x120, { afterCall: false });
    expect(only(variablesAt(source, frame(0, { caller })), "passed")).toEqual([LOST]);
  });

  test("without a CFA nothing counts from it", () => {
    expect(only(variablesAt(source, frame(0, { cfa: null })), "buffer")).toEqual([
      "lost: where its frame begins is not known",
    ]);
  });

  test("nothing is known of other code", () => {
    expect(variablesAt(source, frame(0x800))).toEqual([]);
    expect(variablesAt(source, { ...frame(0), pc: 0x1234n })).toEqual([]);
  });
});

test("stackVariablesAt: what lies in the frame, in scope or not", () => {
  expect(shown(stackVariablesAt(source, frame(0x80)))).toEqual([
    "inner.buffer: CFA-64",
    "inner.buffer: CFA-80",
    "helper.text: CFA-32",
  ]);
  expect(shown(stackVariablesAt(source, frame(0x80, { sp: CFA - 40n })))).toEqual(["helper.text: CFA-32"]);
  expect(stackVariablesAt(source, frame(0x80, { cfa: null }))).toEqual([]);
});
