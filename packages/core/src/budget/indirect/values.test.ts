/** Joined values: more than a few, and only that there are others is kept. */
import { expect, test } from "vitest";
import type { CAggregate } from "../../types/type-provider.ts";
import { type Value, Values } from "./values.ts";

const LIST: CAggregate = { kind: "struct", name: "list", size: 16, members: [] };
/** As if all structs were arrays of 24 bytes behind a head of 16. */
const values = new Values((_, offset) => (offset < 16 ? offset : 16 + ((offset - 16) % 24)));

function shown({ atoms }: Value): string[] {
  return atoms.map((atom) => {
    if (atom.kind === "object") return `${atom.type.name}+${atom.offset}`;
    if (atom.kind === "made") return `made ${atom.source}+${atom.offset}`;
    return atom.kind === "address" ? `0x${atom.address.toString(16)}` : atom.kind;
  });
}

const joined = (all: readonly Value[]): Value => all.reduce((sum, one) => values.join(sum, one), values.none);
const elements = [0, 1, 2, 3, 4, 5, 6].map((n) => values.object(LIST, 16 + 24 * n));
// A loop that steps through what was made at two places.
const steps = [0, 8, 16, 24].flatMap((offset) => [values.made(1, offset), values.made(2, offset)]);
const object = values.object(LIST, 8);
const places = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => values.address(n * 16));

test.each([
  ["elements of one array, one after the other, are alike", elements, ["list+16"]],
  ["a few addresses are all kept", places.slice(0, 3), ["0x10", "0x20", "0x30"]],
  ["of many the first are, and that there are more", places, ["unknown", "0x10", "0x20", "0x30", "0x40", "0x50"]],
  [
    "of many those that say most are kept, whenever they come, and where loops begin",
    [...steps, object, places[0]!],
    ["unknown", "made 1+0", "made 2+0", "made 1+8", "list+8", "0x10"],
  ],
])("%s", (_, all, expected) => {
  expect(shown(joined(all))).toEqual(expected);
  // Whatever comes first.
  expect(shown(joined(all.toReversed()))).toEqual(expected);
});
