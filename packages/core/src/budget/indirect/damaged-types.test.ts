/** Types that no compiler makes, and what they cost: each look at a member or a parameter is counted, and there are few. */
import { describe, expect, test } from "vitest";
import { BtfBuilder } from "../../types/btf.fixture.ts";
import { openBtf } from "../../types/btf.ts";
import type { CAggregate, CMember, CType } from "../../types/type-provider.ts";
import { Prototypes } from "./prototypes.ts";
import { StructPlaces } from "./struct-places.ts";
import { StructWords, WORD_OF } from "./struct-words.ts";
import { typeKey } from "./type-keys.ts";

type FunctionType = Extract<CType, { kind: "function" }>;

const MOST_LOOKS = 100_000;
let looks = 0;
function look(): void {
  if (++looks > MOST_LOOKS) throw new Error("looked too often");
}

/** A struct whose members are counted when they are looked at; they are made once it is there. */
function struct(name: string, size: number, members: (self: CAggregate) => readonly Partial<CMember>[]): CAggregate {
  let made: readonly CMember[] | null = null;
  const self: CAggregate = {
    kind: "struct",
    name,
    size,
    get members() {
      look();
      made ??= members(self).map((member) => ({ name: "", bitOffset: 0, bitSize: null, type: self, ...member }));
      return made;
    },
  };
  return self;
}
const times = (count: number, member: Partial<CMember>): Partial<CMember>[] => Array(count).fill(member);

const LONG: CType = { kind: "int", name: "long", size: 8, signed: true };
const TO_CODE: CType = { kind: "pointer", size: 8, target: { kind: "function", returns: LONG, parameters: [] } };
const arrayOf = (element: CType, length: number, size: number): CType => ({ kind: "array", element, length, size });

/** A struct of a chain in which each holds the next one; made without a stack as deep. */
function chain(length: number): CAggregate {
  let inner = struct("end", 8, () => [{ name: "f", type: TO_CODE }]);
  for (let n = 0; n < length; n++) {
    const type = inner;
    inner = struct(`link${n}`, 8, () => [{ name: "next", type }]);
  }
  return inner;
}

/** Each level holds so many of the next one, all at its beginning. */
function tree(levels: number, breadth: number): CAggregate {
  let inner = struct("leaf", 8, () => [{ name: "f", type: TO_CODE, bitOffset: 64 }]);
  for (let n = 0; n < levels; n++) {
    const type = inner;
    inner = struct(`level${n}`, 8, () => times(breadth, { name: "x", type }));
  }
  return inner;
}

const STRUCTS: readonly (readonly [string, CAggregate])[] = [
  ["one that holds itself", struct("self", 8, () => times(1, { name: "x" }))],
  ["one that holds itself a hundred times", struct("self", 8, () => times(100, { name: "x" }))],
  ["a nameless one that holds itself a hundred times", struct("", 8, () => times(100, {}))],
  ["a tree of structs", tree(10, 100)],
  ["a chain of structs", chain(20_000)],
  [
    "one that holds 2^32 of itself",
    struct("many", 8, (self) => times(50, { name: "x", type: arrayOf(self, 2 ** 32 - 1, 2 ** 35) })),
  ],
  ["one of 4 GiB", struct("huge", 2 ** 32 - 1, (self) => times(9, { name: "x", type: self, bitOffset: 2 ** 32 - 8 }))],
  ["one that holds arrays without size", struct("none", 8, () => times(50, { name: "x", type: arrayOf(LONG, 0, 0) }))],
];

describe.each(STRUCTS)("%s", (_, type) => {
  test.each([0, 4, 8, -8, 2 ** 31])("what lies at %i", (offset) => {
    looks = 0;
    const structs = new StructPlaces();
    expect(structs.at(type, offset).length).toBeLessThan(1000);
    expect(structs.startingAt(type, offset)?.length ?? 0).toBeLessThan(1000);
    expect(structs.inFirstElement(type, offset)).toEqual(expect.any(Number));
  });

  test("its words: never a wrong no", () => {
    looks = 0;
    const structs = new StructPlaces();
    const words = new StructWords(structs).of(type);
    const isCode = structs.at(type, 0).some((place) => place.type === TO_CODE);
    if (isCode) expect(words.canHold(0, WORD_OF.CODE)).toBe(true);
  });
});

test("arrays that lie over each other: their words are not marked for ever", () => {
  const inner = struct("inner", 8, () => [{ name: "f", type: TO_CODE }]);
  let marked = 0;
  const array = arrayOf(inner, 1 << 17, 1 << 20);
  const member = {
    name: "x",
    bitOffset: 0,
    bitSize: null,
    get type() {
      if (++marked > 100) throw new Error("marked too often");
      return array;
    },
  };
  const type = { kind: "struct", name: "outer", size: 1 << 20, members: Array(60_000).fill(member) } as CAggregate;
  expect(new StructWords(new StructPlaces()).of(type).canHold(1 << 19, WORD_OF.STRUCT)).toBe(true);
});

test("a nameless struct that holds itself is held by what is around it a limited number of times", () => {
  const btf = new BtfBuilder();
  const inner = btf.struct("inner", 8, []);
  const self = btf.nextId;
  btf.struct("", 8, [["inner", inner, 0], ...Array(3).fill(["", self, 0])]);
  btf.struct("outer", 8, [["", self, 0]]);
  const structs = new StructPlaces();
  structs.add(openBtf(btf.bytes()));
  const type = structs.defined.find(({ name }) => name === "inner")!;
  expect(structs.containers(type).length).toBeLessThanOrEqual(20_000);
});

/** A function that takes pointers to functions of its own type. */
function selfish(breadth: number): FunctionType {
  const type: FunctionType = {
    kind: "function",
    returns: LONG,
    get parameters() {
      look();
      return Array(breadth).fill({ name: "", type: { kind: "pointer", size: 8, target: type } });
    },
  };
  return type;
}

test.each([1, 10, 1000, 60_000])(
  "the keys of a function that takes %i pointers to functions like itself",
  (breadth) => {
    looks = 0;
    const type = selfish(breadth);
    expect(typeKey(type).length).toBeLessThan(20_000);
    expect(new Prototypes().idOf(type)).toBe(0);
  },
);
