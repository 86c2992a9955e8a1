import type { CAggregate, CType, Kernel, TypeProvider, Variable } from "@spillway/core";
import { describe, expect, test } from "vitest";
import { formatVariables, variablesByFunction } from "../format/variables.ts";
import { run } from "../run.ts";
import { fakeKernel, TEXT } from "../testing/fake-kernel.ts";
import { recorder } from "../testing/recorder.ts";
import { valueStyle } from "../value-style.ts";

const INT: CType = { kind: "int", name: "int", size: 4, signed: true };
const CHAR: CType = { kind: "int", name: "char", size: 1, signed: true };
const list: CAggregate = {
  kind: "struct",
  name: "list_head",
  size: 16,
  get members() {
    const pointer: CType = { kind: "pointer", size: 8, target: list };
    return [
      { name: "next", type: pointer, bitOffset: 0, bitSize: null },
      { name: "prev", type: pointer, bitOffset: 64, bitSize: null },
    ];
  },
};
const box: CAggregate = {
  kind: "struct",
  name: "box",
  size: 32,
  members: [
    { name: "id", type: INT, bitOffset: 0, bitSize: null },
    { name: "flag", type: INT, bitOffset: 32, bitSize: 1 },
    { name: "links", type: list, bitOffset: 64, bitSize: null },
    { name: "name", type: { kind: "array", size: 8, length: 8, element: CHAR }, bitOffset: 192, bitSize: null },
  ],
};
const colour = {
  kind: "enum",
  name: "colour",
  size: 4,
  signed: false,
  enumerators: [
    { name: "RED", value: 1n },
    { name: "BLUE", value: 2n },
  ],
} as const;

const none = () => null;
const types: TypeProvider = {
  structOrUnion: (name) => [list, box].find((one) => one.name === name) ?? null,
  typedef: (name) => (name === "box_t" ? { kind: "typedef", name, target: box } : null),
  enumeration: (name) => (name === "colour" ? colour : null),
  enumerator: none,
  enumOf: (name) => (colour.enumerators.some((one) => one.name === name) ? colour : null),
  func: (name) =>
    name === "vfs_read" ? { kind: "function", returns: INT, parameters: [{ name: "from", type: INT }] } : null,
  variable: (name) => (name === "first_box" ? box : null),
  member: none,
  sizeOf: none,
};

/** Boxes at TEXT + 0x100 (vfs_read) and TEXT + 0x200 (vfs_write), linked in a ring with a head at TEXT + 0x300. */
function memory(change: Readonly<Record<number, bigint>> = {}): Uint8Array {
  const bytes = new Uint8Array(0x400);
  const view = new DataView(bytes.buffer);
  const words: Record<number, bigint> = {
    256: 7n | (1n << 32n),
    264: TEXT + 0x208n,
    272: TEXT + 0x300n,
    280: 0x6e6fn,
    512: 8n,
    520: TEXT + 0x300n,
    528: TEXT + 0x108n,
    768: TEXT + 0x108n,
    776: TEXT + 0x208n,
    ...change,
  };
  for (const [at, word] of Object.entries(words)) view.setBigUint64(Number(at), word, true);
  return bytes;
}

function kernel(bytes = memory()): Kernel {
  const fake = fakeKernel({ memory: [[TEXT, bytes]], overrides: { types, debugInfo: null } });
  const u64 = (address: bigint) => {
    const word = fake.memory.read(address, 8);
    return word === null ? null : new DataView(word.buffer, word.byteOffset).getBigUint64(0, true);
  };
  return { ...fake, memory: { ...fake.memory, u64, cstring: () => null } as Kernel["memory"] };
}

async function ran(args: string, of: Kernel = kernel()) {
  const terminal = recorder();
  const code = await run(args.split(" "), { terminal, open: (files) => ({ files, kernel: of }) });
  return { code, output: terminal.output(), errors: terminal.errors() };
}

test.each([
  [
    "struct vmcore list_head",
    "struct list_head {\n    struct list_head *next;\n    struct list_head *prev;\n}\nSIZE: 16\n",
  ],
  [
    "struct vmcore box_t -o",
    "struct box {\n   [0] int id;\n   [4] int flag : 1;\n   [8] struct list_head links;\n  [24] char name[8];\n}\nSIZE: 32\n",
  ],
  ["struct vmcore box.name", "struct box {\n  [24] char name[8];\n}\n"],
  ["struct vmcore box.links.prev -x", "struct box {\n  [0x10] struct list_head *links.prev;\n}\n"],
  ["struct vmcore box.id,name vfs_read", '  id = 7\n  name = "on"\n'],
  ["struct vmcore box.id,flag ffffffff81000108 -l box.links", "  id = 7\n  flag = -1\n"],
  [
    "struct vmcore list_head -o vfs_read",
    "struct list_head {\n  [ffffffff81000100] struct list_head *next;\n  [ffffffff81000108] struct list_head *prev;\n}\nSIZE: 16\n",
  ],
  ["struct vmcore list_head -r vfs_read", "ffffffff81000100:  0000000100000007 ffffffff81000208   ................\n"],
  ["struct vmcore box.id ffffffff81000200 -c 2", "  id = 8\n  id = 0\n"],
  ["struct vmcore box.id ffffffff81000900", "  id = <not in the dump>\n"],
  ["whatis vmcore BLUE", "enum colour: BLUE = 2\n"],
  ["whatis vmcore enum colour", "enum colour {\n  RED = 1\n  BLUE = 2\n};\nSIZE: 4\n"],
  ["whatis vmcore vfs_read", "int vfs_read(int from);\n"],
  ["whatis vmcore first_box", "struct box first_box;\nSIZE: 32\n"],
  ["whatis vmcore box.id", "struct box {\n   [0] int id;\n}\n"],
  ["list vmcore box.links -H ffffffff81000300 -s box.id", "ffffffff81000100\n  id = 7\nffffffff81000200\n  id = 8\n"],
  ["list vmcore -H nest.isra.0 -o 8 -r", "ffffffff81000200\nffffffff81000100\n"],
  ["list vmcore vfs_read -o 8 -c 9 -e vfs_write+8", "ffffffff81000100\n"],
])("spillway %s", async (args, expected) => {
  expect(await ran(args)).toEqual({ code: 0, output: expected, errors: "" });
});

test.each([
  ["struct vmcore nothing", 4, 'SPW_TYPE_UNKNOWN: no struct or union named "nothing"'],
  ["struct vmcore box.size", 4, 'SPW_MEMBER_UNKNOWN: struct box has no member "size"'],
  ["struct vmcore box vfs_read 0", 2, "SPW_USAGE"],
  ["struct vmcore box -x -d", 2, "SPW_USAGE: -x and -d exclude each other"],
  ["struct vmcore box vfs_read:9", 2, 'SPW_USAGE: ":9" names no CPUs of this dump'],
  ["struct vmcore box -l box vfs_read", 2, 'SPW_USAGE: "box" is no offset'],
  ["whatis vmcore union box", 4, 'SPW_TYPE_UNKNOWN: no union named "box"'],
  ["whatis vmcore vfs_write", 4, 'SPW_TYPE_UNKNOWN: "vfs_write" is a symbol (T) whose type is not known'],
  ["list vmcore -h -H vfs_read", 2, "SPW_USAGE: -h and -H exclude each other"],
  ["list vmcore a b c", 2, "SPW_USAGE: list takes an offset and a start"],
])("spillway %s fails", async (args, code, message) => {
  const result = await ran(args);
  expect(result.errors).toContain(message);
  expect(result.code).toBe(code);
});

describe("a broken list", () => {
  test.each([
    ["leads nowhere", { 264: 0xdead000000000100n }, "which cannot be read"],
    ["leads to NULL", { 520: 0n }, "leads to NULL instead of back to its head"],
    ["goes round without its head", { 520: TEXT + 0x108n }, "leads back to 0xffffffff81000108"],
    ["has a neighbour that does not point back", { 528: 1n }, "which points back to 0x1"],
  ])("that %s prints what there is, and says so", async (_what, change, message) => {
    const result = await ran("list vmcore box.links -H ffffffff81000300", kernel(memory(change)));
    expect(result.output).toMatch(/^ffffffff81000100\n/);
    expect(result.errors).toContain("SPW_LIST_BROKEN");
    expect(result.errors).toContain(message);
    expect(result.code).toBe(4);
  });
});

test("--json", async () => {
  const value = JSON.parse((await ran("struct vmcore box vfs_read --json")).output);
  expect(value).toEqual([
    {
      address: "0xffffffff81000100",
      cpu: null,
      value: {
        id: 7,
        flag: -1,
        links: { next: "0xffffffff81000208", prev: "0xffffffff81000300" },
        name: "on",
      },
    },
  ]);
  const definition = JSON.parse((await ran("struct vmcore box --json")).output);
  expect(definition.members[1]).toEqual({ name: "flag", type: "int", offset: 4, bitOffset: 32, bitSize: 1 });
  const entries = JSON.parse((await ran("list vmcore box.links -H ffffffff81000300 -s box.id --json")).output);
  expect(entries).toMatchObject({
    complete: true,
    problems: [],
    entries: [{ value: { id: 7 } }, { value: { id: 8 } }],
  });
});

test("variables below the function that declares them", () => {
  const variable = (
    name: string,
    of: string,
    place: Variable["place"],
    kind: Variable["kind"] = "local",
  ): Variable => ({
    name,
    kind,
    function: of,
    type: INT,
    size: 4,
    place,
    declared: null,
  });
  const variables = [
    variable("n", "helper", { kind: "value", bytes: [5, 0, 0, 0] }),
    variable("gone", "inner", { kind: "lost", why: "optimised out" }),
    variable("id", "inner", { kind: "memory", address: TEXT + 0x100n }, "parameter"),
    variable("half", "inner", { kind: "value", bytes: [5, 0, null, 0] }),
  ];
  const frame = (name: string, inlined: boolean) => ({ function: name, inlined, location: null, declared: null });
  const groups = variablesByFunction([frame("helper", true), frame("between", true), frame("inner", false)], variables);
  expect(groups.map((group) => group.length)).toEqual([1, 0, 3]);
  const of = kernel();
  expect(formatVariables(of, groups[2]!, valueStyle(of, {}))).toBe(
    "        int id = 7\n        int gone = <optimised out>\n        int half = <optimised out>\n",
  );
});
