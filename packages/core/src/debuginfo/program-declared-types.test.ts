/** What the debug information of a module says where the module is placed, and which files count. */
import { describe, expect, test } from "vitest";
import { buildCallGraph } from "../budget/build-call-graph.ts";
import { IndirectCalls } from "../budget/indirect/indirect-calls.ts";
import { KnownFunctions } from "../budget/indirect/known-functions.ts";
import { Prototypes } from "../budget/indirect/prototypes.ts";
import { tinyProgram } from "../budget/tiny-program.fixture.ts";
import { type ByteSource, MemorySource } from "../bytes/byte-source.ts";
import { withModules } from "../program/modules/with-modules.ts";
import type { Program } from "../program/program.ts";
import { formatTypeName } from "../types/format-c.ts";
import type { DebugFileFinder } from "./debug-file-finder.ts";
import { declaredTypes } from "./program-declared-types.ts";
import { gccModule, OFFSETS, otherBuild } from "./testing/gcc-module.fixture.ts";

const BASE = 0xffffffffc0000000n;

/** A kernel of one function with the module beside it. */
function program(): Program {
  const { program } = tinyProgram({ functions: { kernel: "c3  ret" } });
  return withModules(program, [{ path: "small.ko", read: gccModule }]);
}

function finder(named: readonly ByteSource[], inFolder: readonly ByteSource[] = []): DebugFileFinder {
  return { named, candidates: ({ kind }) => (kind === "module" ? inFolder : []) };
}

const file = (bytes: Uint8Array, name = "small.ko.debug"): ByteSource => new MemorySource(bytes, name);

describe("of a module where it is placed", () => {
  const declared = declaredTypes(program(), finder([file(gccModule())]))!;

  test("its variables", () => {
    const found = [...declared.variables()].map(({ address, type }) => [address - BASE, formatTypeName(type)]);
    expect(found).toEqual([
      [0x1040n, "const struct ops [2]"],
      [0x2000n, "int (*)(void *)"],
    ]);
  });

  test.each([
    ["a function of it", BASE + BigInt(OFFSETS.reach), "int (struct holder *holder)"],
    ["a static one", BASE + BigInt(OFFSETS.second), "int (void *at)"],
    ["no function's beginning", BASE + BigInt(OFFSETS.call), null],
    ["the kernel, of which no file was given", 0xffffffff81000000n, null],
    ["behind the module", BASE + 0x10000n, null],
  ])("the function at %s", (_what, address, expected) => {
    const type = declared.functionAt(address);
    expect(type === null ? null : formatTypeName(type)).toBe(expected);
  });

  test("what registers hold at a call of it", () => {
    const found = [...declared.registersAt(BASE + BigInt(OFFSETS.call))];
    expect(found.map(([register, type]) => [register, formatTypeName(type)])).toEqual([[7, "struct user *"]]);
  });
});

test("functions of a module are of the prototypes that they were compiled with", () => {
  const whole = program();
  const prototypes = new Prototypes();
  const declared = declaredTypes(whole, finder([file(gccModule())]));
  const functions = new KnownFunctions(whole, [...whole.symbols.all()], prototypes, declared);
  const found = [...functions.all()].map(({ name, prototypes: own }) => [name, own.map((id) => prototypes.label(id))]);
  expect(found).toContainEqual(["second", ["int (void *at)"]]);
});

describe("files", () => {
  const small = [file(gccModule())];
  const other = [file(otherBuild())];
  test.each<[string, DebugFileFinder, boolean]>([
    ["of the module, in a folder", finder([], small), true],
    ["of another build in a folder, which is passed over", finder([], other), false],
    ["of another build, then of this one", finder([], [...other, ...small]), true],
    ["that are none", finder([], [file(new Uint8Array(100))]), false],
    ["of a module that is not there, which was named", finder([file(otherBuild(), "elsewhere.ko")]), false],
  ])("%s", (_what, files, expected) => {
    expect(declaredTypes(program(), files) !== null).toBe(expected);
  });

  test("of another build, named: an error", () => {
    expect(() => declaredTypes(program(), finder(other))).toThrow(
      expect.objectContaining({ code: "SPW_DEBUGINFO_MISMATCH" }),
    );
  });
});

test.each([
  ["with", true, ["ops.close", "first", "second"]],
  ["without", false, null],
])("%s it, who a call of the module reaches through its table", (_what, isThere, expected) => {
  const whole = program();
  const declared = isThere ? declaredTypes(whole, finder([file(gccModule())])) : null;
  const graph = buildCallGraph(whole, { indirect: (of, table) => new IndirectCalls(of, table, declared) });
  const { sites, sets, functions } = graph;
  const site = sites.typedSet.findIndex(
    (_, at) => functions.name[sites.caller[at]!] === "reach" && sites.callee[at]! < 0,
  );
  const set = sites.typedSet[site]!;
  const members = set < 0 ? [] : [...sets.members.subarray(sets.start[set], sets.start[set + 1])];
  expect(set < 0 ? null : [sets.label[set], ...members.map((f) => functions.name[f]!).sort()]).toEqual(expected);
});
