import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BtfBuilder } from "./btf.fixture.ts";
import { openBtf } from "./btf.ts";
import { sizeOfType, stripTypedefs } from "./strip.ts";

/** struct point { int x; int y; struct { long deep[4]; union { u32 a:3, b:29; }; }; point_t *next; } and company. */
function sample() {
  const b = new BtfBuilder();
  const int = b.int("int", 4, true);
  const long = b.int("long int", 8, true);
  const u32 = b.int("unsigned int", 4);
  const array = b.add("", 3, 0, [long, int, 4]);
  const union = b.struct(
    "",
    4,
    [
      ["a", u32, (3 << 24) | 0],
      ["b", u32, (29 << 24) | 3],
    ],
    true,
    5,
  );
  const inner = b.struct("", 40, [
    ["deep", array, 0],
    ["", union, 256],
  ]);
  const pointId = b.nextId;
  const point = b.struct("point", 56, [
    ["x", int, 0],
    ["y", int, 32],
    ["", inner, 64],
    ["next", pointId + 4, 384],
  ]);
  b.struct("point", 8, [["x", long, 0]]); // a lesser one of the same name
  const typedef = b.add("point_t", 8, point);
  const tagged = b.add("user", 18, typedef); // __attribute__((btf_type_tag("user")))
  b.add("", 2, tagged); // pointer
  b.add("colour", 6, 4, [b.name("RED"), 0xffffffff, b.name("BLUE"), 7], 2, true);
  b.add("wide", 19, 8, [b.name("HUGE"), 1, 0x80000000], 1);
  const proto = b.add("", 13, int, [b.name("p"), pointId + 4, 0, 0], 2);
  b.add("draw", 12, proto, [], 1);
  b.add("pcpu", 14, point, [0]);
  b.add(".data..percpu", 15, 56, [1, 0, 56], 1);
  b.add("fwd", 7, 0, [], 0, true);
  b.add("double", 16, 8);
  b.add("tag", 17, point, [0xffffffff]);
  return b;
}

describe("openBtf", () => {
  const types = openBtf(sample().bytes());

  it.each([
    ["point", "x", 0, 4, 0, null],
    ["point", "y", 4, 4, 32, null],
    ["point", "deep", 8, 32, 64, null],
    ["point", "deep[3]", 32, 8, 256, null],
    ["point", "a", 40, 4, 320, 3],
    ["point", "b", 40, 4, 323, 29],
    ["point", "next", 48, 8, 384, null],
  ])("finds %s.%s", (struct, path, offset, size, bitOffset, bitSize) => {
    expect(types.member(struct, path)).toMatchObject({ offset, size, bitOffset, bitSize });
  });

  it.each([
    ["point", "z"],
    ["nothing", "x"],
    ["point", "x.y"],
    ["point", ""],
    ["poin", "x"],
  ])("knows no %s.%s", (struct, path) => {
    expect(types.member(struct, path)).toBeNull();
  });

  it("prefers the largest of several structs of one name", () => {
    expect(types.sizeOf("point")).toBe(56);
  });

  it("reads enumerators of both widths and signs", () => {
    expect(types.enumerator("RED")).toBe(-1n);
    expect(types.enumerator("BLUE")).toBe(7n);
    expect(types.enumerator("HUGE")).toBe(0x8000000000000001n);
    expect(types.enumerator("GREEN")).toBeNull();
    expect(types.enumeration("colour")?.enumerators.map((e) => e.name)).toEqual(["RED", "BLUE"]);
  });

  it("follows a pointer through a type tag and a typedef back to the same struct", () => {
    const next = types.member("point", "next")!.type;
    expect(next.kind).toBe("pointer");
    if (next.kind !== "pointer") return;
    expect(next.target.kind).toBe("typedef");
    expect(stripTypedefs(next.target)).toBe(types.structOrUnion("point"));
  });

  it("gives functions their prototype and per-CPU variables their type", () => {
    const draw = types.func("draw");
    expect(draw?.parameters.map((p) => [p.name, p.type.kind])).toEqual([
      ["p", "pointer"],
      ["", "void"],
    ]);
    expect(draw?.returns).toMatchObject({ kind: "int", name: "int", signed: true });
    expect(types.variable("pcpu")).toBe(types.structOrUnion("point"));
    expect([...types.functions()].map((f) => f.name)).toEqual(["draw"]);
  });

  it("reads bit fields as written before the kind flag (4.20): an int narrower than its size", () => {
    const b = new BtfBuilder();
    const narrow = b.int("unsigned int", 4, false, 5, 2);
    b.struct("old", 4, [["field", narrow, 8]]);
    expect(openBtf(b.bytes()).member("old", "field")).toMatchObject({ offset: 0, bitOffset: 10, bitSize: 5 });
  });

  it("lets a module's section continue the kernel's ids and strings", () => {
    const base = sample();
    const kernel = openBtf(base.bytes());
    const b = new BtfBuilder(base.nextId, base.stringLength);
    b.struct("vandal", 64, [
      ["head", 7, 0], // point, of the kernel
      ["tail", base.nextId + 1, 448],
    ]);
    b.int("own_int", 8);
    const module = openBtf(b.bytes(), kernel);
    expect(module.member("vandal", "head.y")).toMatchObject({ offset: 4, size: 4 });
    expect(module.member("vandal", "tail")).toMatchObject({ offset: 56, size: 8 });
    expect(module.sizeOf("point")).toBe(56);
    expect(module.enumerator("BLUE")).toBe(7n);
  });

  it("has one object for a type, whichever record leads to it: another function's, an attribute, a module's", () => {
    const b = sample();
    const proto = b.nextId;
    b.add("", 13, 1, [b.name("q"), 1], 1);
    b.add("hide", 12, proto, [], 1);
    b.add("show", 12, proto, [], 1);
    const kernel = openBtf(b.bytes());
    expect(kernel.func("hide")).toBe(kernel.func("show"));
    expect(kernel.func("hide")).not.toBe(kernel.func("draw"));
    const own = new BtfBuilder(b.nextId, b.stringLength);
    own.add("module_f", 12, proto, [], 1);
    expect(openBtf(own.bytes(), kernel).func("module_f")).toBe(kernel.func("hide"));
  });

  it("skips kinds it does not know by the layout section (7.1)", () => {
    const b = new BtfBuilder();
    b.add("new", 33, 0, [1, 2, 3, 4, 5], 2);
    b.struct("after", 24, []);
    const layout = Array.from({ length: 34 }, (_, k) => (k === 33 ? ([12, 4] as const) : ([0, 0] as const)));
    expect(openBtf(b.bytes(layout)).sizeOf("after")).toBe(24);
    expect(openBtf(b.bytes()).sizeOf("after")).toBeNull();
  });
});

it("lists names of structs, unions, enums and typedefs, but no nameless or other types", () => {
  expect([...openBtf(sample().bytes()).names()]).toEqual(["point", "point", "colour", "wide", "point_t"]);
});

describe("damaged BTF", () => {
  it("is refused where the header is wrong", () => {
    expect(() => openBtf(new Uint8Array(64))).toThrow(expect.objectContaining({ code: "SPW_BTF_BAD_HEADER" }));
    expect(() => openBtf(sample().bytes().subarray(0, 40))).toThrow(
      expect.objectContaining({ code: "SPW_BTF_BAD_HEADER" }),
    );
  });

  it("has types that lead back to themselves, which ends", () => {
    const b = new BtfBuilder();
    b.add("loop", 8, 1); // typedef loop loop;
    b.add("", 3, 0, [2, 1, 0xffffffff]); // array of itself
    b.struct("self", 8, [
      ["", 3, 0],
      ["", 3, 0],
      ["x", 99, 0],
    ]);
    b.add("t", 18, 4); // a tag on itself
    const types = openBtf(b.bytes());
    expect(sizeOfType(types.typedef("loop")!)).toBe(0);
    expect(types.member("self", "missing")).toBeNull();
    expect(types.member("self", "x")?.type.kind).toBe("void");
  });

  it("cuts names that are longer than the kernel takes", () => {
    const b = new BtfBuilder();
    b.struct("x".repeat(1 << 20), 8, []);
    b.struct("y".repeat(512), 8, []);
    expect([...openBtf(b.bytes()).names()].map((name) => name.length)).toEqual([512, 512]);
  });

  it("never throws anything but SpillwayError, whatever bytes are changed", () => {
    const good = sample().bytes();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 }),
        fc.nat(good.length),
        (changes, length) => {
          const bytes = good.slice(0, Math.max(length, good.length - 8));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          let types: ReturnType<typeof openBtf>;
          try {
            types = openBtf(bytes);
          } catch (error) {
            expect(error).toMatchObject({ name: "SpillwayError" });
            return;
          }
          types.member("point", "deep[2]");
          types.member("point", "next");
          types.enumerator("HUGE");
          types.func("draw")?.parameters.map((p) => sizeOfType(p.type));
          types.variable("pcpu");
          types.enumeration("wide")?.enumerators.length;
        },
      ),
      { numRuns: 500, seed: 1 },
    );
  });
});
