/**
 * Where a struct can hold a pointer, by its words:
 *
 *     struct item { unsigned long id; void (*call)(void); };
 *     struct packed { unsigned int id; struct item item; } __packed;
 *     struct holder { struct item *first; unsigned long words[2]; struct item items[2][2]; };
 *     struct open { unsigned long count; struct item items[]; };
 *     struct wheel { struct wheel whole; };            (damaged)
 */
import { expect, test } from "vitest";
import { BtfBuilder } from "../../types/btf.fixture.ts";
import { openBtf } from "../../types/btf.ts";
import { stripTypedefs } from "../../types/strip.ts";
import type { CAggregate } from "../../types/type-provider.ts";
import { StructPlaces } from "./struct-places.ts";
import { StructWords, WORD_OF } from "./struct-words.ts";

function places(): StructPlaces {
  const btf = new BtfBuilder();
  const int = btf.int("unsigned int", 4);
  const long = btf.int("unsigned long", 8);
  const call = btf.add("", 13, 0);
  const toCall = btf.add("", 2, call);
  const item = btf.struct("item", 16, [
    ["id", long, 0],
    ["call", toCall, 64],
  ]);
  const toItem = btf.add("", 2, item);
  const array = (of: number, length: number): number => btf.add("", 3, 0, [of, int, length]);
  const [words, two, open] = [array(long, 2), array(item, 2), array(item, 0)];
  const grid = array(two, 2);
  btf.struct("packed", 20, [
    ["id", int, 0],
    ["item", item, 32],
  ]);
  btf.struct("holder", 88, [
    ["first", toItem, 0],
    ["words", words, 64],
    ["items", grid, 192],
  ]);
  btf.struct("open", 8, [
    ["count", long, 0],
    ["items", open, 64],
  ]);
  btf.struct("wheel", 16, [["whole", btf.nextId, 0]]);
  const structs = new StructPlaces();
  structs.add(openBtf(btf.bytes()));
  return structs;
}

const structs = places();
const named = (name: string): CAggregate => structs.defined.find((one) => one.name === name)!;

test.each([
  ["item", "CODE", [8]],
  ["item", "STRUCT", []],
  ["item", "BEGIN", [0]],
  // A word at 4 lies in two.
  ["packed", "CODE", [8, 16]],
  ["packed", "BEGIN", [0, 8]],
  ["holder", "STRUCT", [0]],
  ["holder", "CODE", [32, 48, 64, 80]],
  ["holder", "BEGIN", [0, 24, 40, 56, 72]],
  // Elements of a flexible array lie behind the struct, at whatever distance.
  ["open", "CODE", [8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88]],
  ["wheel", "CODE", [0, 8]],
] as const)("%s: %s", (name, kind, expected) => {
  const words = new StructWords(structs).of(named(name));
  const offsets = Array.from({ length: 13 }, (_, n) => n * 8 - 8);
  expect(offsets.filter((offset) => words.canHold(offset, WORD_OF[kind]))).toEqual(expected);
});

test("never says no where a pointer is", () => {
  const all = new StructWords(structs);
  for (const name of ["item", "packed", "holder", "open"]) {
    const words = all.of(named(name));
    for (let offset = -16; offset < 120; offset++) {
      for (const { type } of structs.at(named(name), offset)) {
        const target = type.kind === "pointer" ? stripTypedefs(type.target) : null;
        if (target !== null)
          expect(words.canHold(offset, target.kind === "function" ? WORD_OF.CODE : WORD_OF.STRUCT)).toBe(true);
      }
      if (structs.startingAt(named(name), offset) !== null) expect(words.canHold(offset, WORD_OF.BEGIN)).toBe(true);
    }
  }
});
