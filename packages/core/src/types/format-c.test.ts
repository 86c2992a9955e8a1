import { describe, expect, test } from "vitest";
import {
  array,
  bitField,
  CHAR,
  constant,
  enumeration,
  func,
  INT,
  member,
  parameter,
  pointer,
  struct,
  typedef,
  U32,
  ULONG,
  union,
  VOID,
  volatile,
} from "./c-types.fixture.ts";
import { definitionLines, enumLines, formatDeclaration, formatTypeName, typedefLines } from "./format-c.ts";
import type { CType } from "./type-provider.ts";

const page = struct("page", 8, member("flags", ULONG, 0));
const handler = pointer(func(INT, parameter("", INT), parameter("", pointer(VOID))));

test.each<[CType, string, string]>([
  [INT, "x", "int x"],
  [ULONG, "x", "unsigned long x"],
  [pointer(CHAR), "name", "char *name"],
  [pointer(constant(CHAR)), "name", "const char *name"],
  [constant(pointer(CHAR)), "name", "char *const name"],
  [constant(pointer(constant(CHAR))), "", "const char *const"],
  [constant(volatile(INT)), "x", "const volatile int x"],
  [array(CHAR, 16), "comm", "char comm[16]"],
  [array(array(INT, 3), 2), "m", "int m[2][3]"],
  [array(CHAR, 0), "data", "char data[]"],
  [constant(array(CHAR, 4)), "s", "const char s[4]"],
  [array(pointer(page), 4), "", "struct page *[4]"],
  [pointer(array(INT, 4)), "p", "int (*p)[4]"],
  [handler, "fn", "int (*fn)(int, void *)"],
  [array(handler, 2), "fn", "int (*fn[2])(int, void *)"],
  [pointer(handler), "fn", "int (**fn)(int, void *)"],
  [func(VOID), "stop", "void stop(void)"],
  [
    func(VOID, parameter("fmt", pointer(constant(CHAR))), parameter("", VOID)),
    "panic",
    "void panic(const char *fmt, ...)",
  ],
  [func(handler, parameter("old", handler)), "swap", "int (*swap(int (*old)(int, void *)))(int, void *)"],
  [typedef("pid_t", INT), "pid", "pid_t pid"],
  [{ kind: "forward", name: "module", union: false }, "", "struct module"],
  [pointer(struct("", 4, member("a", INT, 0))), "p", "struct { int a; } *p"],
  [enumeration("", { A: 0n, B: 1n }), "e", "enum { A, B } e"],
])("a declaration: %#", (type, name, text) => {
  expect(formatDeclaration(type, name)).toBe(text);
  if (name === "") expect(formatTypeName(type)).toBe(text);
});

test("a type that contains itself without end comes to one", () => {
  const loop = { kind: "pointer", size: 8 } as { kind: "pointer"; size: number; target: CType };
  loop.target = loop;
  expect(formatDeclaration(loop, "p")).toContain("…");
  const nameless = struct("", 8) as unknown as { members: unknown[] };
  nameless.members = [member("self", nameless as unknown as CType, 0)];
  expect(definitionLines(nameless as never).length).toBeLessThan(100);
});

test("types that branch at every level come to an end", () => {
  const bush = { kind: "function" } as {
    kind: "function";
    returns: CType;
    parameters: { name: string; type: CType }[];
  };
  bush.returns = pointer(bush);
  bush.parameters = Array.from({ length: 50 }, () => parameter("", pointer(bush)));
  expect(formatDeclaration(pointer(bush), "f").length).toBeLessThan(1_000_000);
  const nest = struct("", 8) as unknown as { members: unknown[] };
  nest.members = Array.from({ length: 50 }, () => member("", bush, 0)).concat(member("m", pointer(nest as never), 0));
  expect(definitionLines(nest as never).length).toBeLessThan(30_000);
});

describe("definitions", () => {
  const inner = union("", 8, member("x", INT, 0), member("", struct("", 8, member("y", INT, 4)), 0));
  const whole = struct(
    "box",
    32,
    member("kind", INT, 0),
    bitField("wide", U32, 32, 3),
    member("", inner, 8),
    member("named", inner, 16),
    member("far", pointer(struct("", 4, member("z", INT, 0))), 24),
  );

  test("nameless members stand where they are, with offsets from the outermost", () => {
    expect(
      definitionLines(whole).map((line) => `${line.bitOffset ?? "-"} ${"  ".repeat(line.depth)}${line.text}`),
    ).toEqual([
      "- struct box {",
      "0   int kind;",
      "32   unsigned int wide : 3;",
      "-   union {",
      "64     int x;",
      "-     struct {",
      "96       int y;",
      "-     };",
      "-   };",
      "-   union {",
      "128     int x;",
      "-     struct {",
      "160       int y;",
      "-     };",
      "128   } named;",
      "-   struct {",
      "-     int z;",
      "192   } *far;",
      "- }",
    ]);
  });

  test("typedefs", () => {
    const text = (name: string, type: CType) => typedefLines(name, type).map((line) => line.text);
    expect(text("pid_t", INT)).toEqual(["typedef int pid_t;"]);
    expect(text("atomic_t", struct("", 4, member("counter", INT, 0)))).toEqual([
      "typedef struct {",
      "int counter;",
      "} atomic_t;",
    ]);
    expect(text("irq_handler_t", handler)).toEqual(["typedef int (*irq_handler_t)(int, void *);"]);
    expect(text("state_t", enumeration("state", { UP: 1n }))).toEqual([
      "typedef enum state {",
      "  UP = 1",
      "} state_t;",
    ]);
  });

  test("enums", () => {
    expect(enumLines(enumeration("state", { UP: 1n, DOWN: -1n }))).toEqual([
      "enum state {",
      "  UP = 1",
      "  DOWN = -1",
      "}",
    ]);
  });
});
