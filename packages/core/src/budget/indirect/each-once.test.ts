import { expect, test } from "vitest";
import { BtfBuilder } from "../../types/btf.fixture.ts";
import { openBtf } from "../../types/btf.ts";
import { EachOnce } from "./each-once.ts";
import { StructPlaces } from "./struct-places.ts";
import { StructWords, WORD_OF } from "./struct-words.ts";
import { WordKinds } from "./word-kinds.ts";

test.each<[lists: number[][], found: number[]]>([
  [[], []],
  [
    [[3, 1], [], [1, 2, 2], [3]],
    [3, 1, 2],
  ],
  [
    [[0], [5000], [0, 5000]],
    [0, 5000],
  ],
])("each of %j once: %j", (lists, found) => {
  const each = new EachOnce();
  each.begin();
  each.add([9, 3, 5000]);
  each.begin();
  for (const list of lists) each.add(list);
  expect(each.found).toEqual(found);
});

test("what a column says of a struct's words is what the struct says, whether it has few or many", () => {
  const btf = new BtfBuilder();
  const inner = btf.struct("inner", 16, []);
  btf.add("", 2, inner);
  const pointer = btf.nextId - 1;
  btf.struct("few", 32, [
    ["inner", inner, 0],
    ["pointer", pointer, 128],
  ]);
  btf.struct("many", 1 << 17, [
    ["pointer", pointer, 64],
    ["inner", inner, 1 << 19],
  ]);
  const structs = new StructPlaces();
  structs.add(openBtf(btf.bytes()));
  const words = new StructWords(structs);
  const kinds = new WordKinds();
  for (const type of structs.defined) kinds.add(words.of(type));
  for (const [number, type] of structs.defined.entries()) {
    for (const offset of [-8, 0, 8, 12, 16, 24, 32, 1 << 16, 1 << 17]) {
      for (const kind of Object.values(WORD_OF)) {
        expect(kinds.canHold(number, offset, kind)).toBe(words.of(type).canHold(offset, kind));
      }
    }
  }
  expect([kinds.canHold(1, 16, WORD_OF.STRUCT), kinds.canHold(2, 1 << 16, WORD_OF.BEGIN)]).toEqual([true, true]);
});
