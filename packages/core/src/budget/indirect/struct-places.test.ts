/**
 * What lies at an offset of a struct:
 *
 *     struct item { void *key; };
 *     struct list { unsigned long count; struct item items[]; };
 *     struct fixed { struct item items[2]; unsigned long count; };
 *     struct mixed { union { unsigned int id; unsigned long word; struct item *item; };
 *                    union { struct item *first; void *second; }; };
 *     struct inner { unsigned long word; };
 *     struct middle { unsigned long count; struct inner inner; };
 *     struct marked { unsigned long count; unsigned int group[0]; struct item item; };
 *     struct outer { unsigned long mark; struct middle middle; unsigned long last; };
 */
import { expect, test } from "vitest";
import { BtfBuilder } from "../../types/btf.fixture.ts";
import { openBtf } from "../../types/btf.ts";
import { formatTypeName } from "../../types/format-c.ts";
import { StructPlaces } from "./struct-places.ts";

function places(): StructPlaces {
  const btf = new BtfBuilder();
  const int = btf.int("unsigned int", 4);
  const long = btf.int("unsigned long", 8);
  const item = btf.nextId;
  btf.struct("item", 8, [["key", item + 1, 0]]);
  const toVoid = btf.add("", 2, 0);
  const toItem = btf.add("", 2, item);
  const open = btf.add("", 3, 0, [item, int, 0]);
  const two = btf.add("", 3, 0, [item, int, 2]);
  btf.struct("list", 8, [
    ["count", long, 0],
    ["items", open, 64],
  ]);
  btf.struct("fixed", 24, [
    ["items", two, 0],
    ["count", long, 128],
  ]);
  const union = (...members: [string, number][]) =>
    btf.struct(
      "",
      8,
      members.map(([name, type]) => [name, type, 0] as const),
      false,
      5,
    );
  const one = union(["id", int], ["word", long], ["item", toItem]);
  const other = union(["first", toItem], ["second", toVoid]);
  btf.struct("mixed", 16, [
    ["", one, 0],
    ["", other, 64],
  ]);
  const inner = btf.nextId;
  btf.struct("inner", 8, [["word", long, 0]]);
  const middle = btf.nextId;
  btf.struct("middle", 16, [
    ["count", long, 0],
    ["inner", inner, 64],
  ]);
  btf.struct("outer", 32, [
    ["mark", long, 0],
    ["middle", middle, 64],
    ["last", long, 192],
  ]);
  const nothing = btf.add("", 3, 0, [int, int, 0]);
  btf.struct("marked", 16, [
    ["count", long, 0],
    ["group", nothing, 64],
    ["item", item, 64],
  ]);
  const structs = new StructPlaces();
  structs.add(openBtf(btf.bytes()));
  return structs;
}

const structs = places();

test.each([
  ["list", 0, ["list.count unsigned long"]],
  ["list", 8, ["item.key void *"]],
  // The elements of a flexible array lie behind the struct.
  ["list", 80, ["item.key void *"]],
  ["list", -8, []],
  ["fixed", 8, ["item.key void *"]],
  ["fixed", 24, []],
  ["item", 8, []],
  // A mark between members is no flexible array.
  ["marked", 8, ["item.key void *"]],
  ["mixed", 0, ["mixed.id void"]],
  ["mixed", 8, ["mixed.first void"]],
])("%s at %i", (name, offset, expected) => {
  const type = structs.defined.find((one) => one.name === name)!;
  expect(structs.at(type, offset).map((place) => `${place.label} ${formatTypeName(place.type)}`)).toEqual(expected);
});

test.each([
  [-8, ["middle.count unsigned long"]],
  // Further out than the struct around it reaches: what is around that.
  [-16, ["outer.mark unsigned long"]],
  [8, ["outer.last unsigned long"]],
  [-24, []],
])("around inner, at %i", (offset, expected) => {
  const type = structs.defined.find((one) => one.name === "inner")!;
  expect(structs.outside(type, offset).map((place) => `${place.label} ${formatTypeName(place.type)}`)).toEqual(
    expected,
  );
});
