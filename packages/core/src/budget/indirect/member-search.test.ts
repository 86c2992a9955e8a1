/**
 * What a pointer of no known type can have been loaded from:
 *
 *     struct list_head { struct list_head *next, *prev; };
 *     struct timer { void (*fire)(struct timer *); struct list_head list; };
 *     struct opaque { unsigned long id; void *cookie; int number, count; };
 *     struct driver { struct timer *timer; int (*probe)(void); };
 *     struct holder { struct opaque *first; };
 *     struct inner { unsigned long one, other; };
 *     struct keeper { unsigned long words[3]; union { void (*fire)(struct timer *); int (*probe)(void); int number; };
 *                     unsigned long more[2]; struct inner inner; };
 */
import { expect, test } from "vitest";
import { BtfBuilder } from "../../types/btf.fixture.ts";
import { openBtf } from "../../types/btf.ts";
import { stripTypedefs } from "../../types/strip.ts";
import { type KnownPointer, type LoadOrigin, MemberSearch } from "./member-search.ts";
import { Prototypes } from "./prototypes.ts";
import { StructPlaces } from "./struct-places.ts";

function search(): { structs: StructPlaces; of: (origin: LoadOrigin) => string[] | null } {
  const btf = new BtfBuilder();
  const int = btf.int("int", 4, true);
  const long = btf.int("unsigned long", 8, false);
  const [list, timer, opaque] = [btf.nextId, btf.nextId + 1, btf.nextId + 2];
  const [toList, toTimer, fire, toFire] = [btf.nextId + 5, btf.nextId + 6, btf.nextId + 7, btf.nextId + 8];
  const [probe, toProbe, toVoid, toOpaque] = [btf.nextId + 9, btf.nextId + 10, btf.nextId + 11, btf.nextId + 12];
  btf.struct("list_head", 16, [
    ["next", toList, 0],
    ["prev", toList, 64],
  ]);
  btf.struct("timer", 24, [
    ["fire", toFire, 0],
    ["list", list, 64],
  ]);
  btf.struct("opaque", 24, [
    ["id", long, 0],
    ["cookie", toVoid, 64],
    ["number", int, 128],
    ["count", int, 160],
  ]);
  btf.struct("driver", 16, [
    ["timer", toTimer, 0],
    ["probe", toProbe, 64],
  ]);
  btf.struct("holder", 8, [["first", toOpaque, 0]]);
  for (const target of [list, timer]) btf.add("", 2, target);
  btf.add("", 13, 0, [btf.name("timer"), toTimer], 1);
  btf.add("", 2, fire);
  btf.add("", 13, int, [], 0);
  btf.add("", 2, probe);
  btf.add("", 2, 0);
  btf.add("", 2, opaque);
  const union = btf.nextId;
  const functions = [
    ["fire", toFire, 0],
    ["probe", toProbe, 0],
    ["number", int, 0],
  ] as const;
  btf.struct("", 8, functions, false, 5);
  const inner = btf.nextId;
  btf.struct("inner", 16, [
    ["one", long, 0],
    ["other", long, 64],
  ]);
  btf.struct("keeper", 64, [
    ["", union, 192],
    ["inner", inner, 384],
  ]);
  const structs = new StructPlaces();
  structs.add(openBtf(btf.bytes()));
  const prototypes = new Prototypes();
  const members = new MemberSearch(structs, (declared) => {
    const type = stripTypedefs(declared);
    const target = type.kind === "pointer" ? stripTypedefs(type.target) : null;
    return target?.kind === "function" ? prototypes.idOf(target) : -1;
  });
  return {
    structs,
    of: (origin) =>
      members
        .prototypesAt([origin])
        ?.map((one) => prototypes.label(one))
        .sort() ?? null,
  };
}

const FIRE = "void (struct timer *timer)";
const PROBE = "int (void)";
const { structs, of } = search();
const list = structs.defined.find(({ name }) => name === "list_head")!;
const any: KnownPointer = { origins: null, reads: [], followed: [], parts: [] };
const behind = (offset: number, pointer: Partial<KnownPointer> = {}): LoadOrigin => ({
  kind: "behind",
  pointer: { ...any, ...pointer },
  offset,
});

test.each<[string, LoadOrigin, string[] | null]>([
  ["whatever struct has a function there", behind(0), [FIRE]],
  ["or has a struct there that has", behind(8), [PROBE]],
  ["not one that is too small for what is read", behind(0, { reads: [32] }), null],
  ["not one with something else where a pointer is followed", behind(8, { followed: [8] }), [PROBE]],
  ["before a pointer: beside the link of a list", behind(-8), [FIRE]],
  ["also behind one that something is read before", behind(-8, { reads: [-8, 0] }), [FIRE]],
  ["no struct has a function at that distance", behind(-16), null],
  ["a union has functions of several types", behind(24), [PROBE, FIRE]],
  ["before a pointer: beside a struct of whatever name", behind(-24), [PROBE, FIRE]],
  ["outside of a known struct: in what holds it", { kind: "outside", type: list, offset: -8 }, [FIRE]],
  [
    "behind a pointer that was found in what has several: a function, whatever words others have there",
    behind(0, { origins: [behind(0)] }),
    [FIRE],
  ],
])("%s", (_, origin, expected) => {
  expect(of(origin)).toEqual(expected);
});

test("structs that hold each other in every way, as in damaged types: so many are looked at, and it is told", () => {
  const btf = new BtfBuilder();
  const COUNT = 40;
  const toCode = btf.add("", 2, btf.add("", 13, 0));
  const first = btf.nextId;
  for (let n = 0; n < COUNT; n++) {
    const all = Array.from({ length: COUNT }, (_, k): [string, number, number] => [`m${k}`, first + k, 0]);
    btf.struct(`s${n}`, 8, [["call", toCode, 0], ...all]);
  }
  const damaged = new StructPlaces();
  damaged.add(openBtf(btf.bytes()));
  const members = new MemberSearch(damaged, () => 0);
  expect(members.prototypesAt([behind(0)])).toEqual([0]);
  expect(members.isIncomplete).toBe(true);
});
