import { expect, test } from "vitest";
import { INT, member, struct, ULONG } from "./c-types.fixture.ts";
import { EmptyTypes } from "./empty-types.ts";
import { LayeredTypes } from "./layered-types.ts";

test("the first source that knows a name answers; later ones are opened only where it does not", () => {
  const opened: string[] = [];
  const small = struct("box", 4, member("a", INT, 0));
  const large = struct("box", 8, member("a", ULONG, 0), member("b", ULONG, 0));
  const types = new LayeredTypes([
    () => {
      opened.push("first");
      return { ...EmptyTypes, structOrUnion: (name) => (name === "box" ? small : null) };
    },
    () => null,
    () => {
      opened.push("third");
      return { ...EmptyTypes, structOrUnion: () => large, variable: () => INT };
    },
  ]);
  expect(types.sizeOf("box")).toBe(4);
  expect(types.member("box", "a")?.size).toBe(4);
  expect(types.member("box", "b")).toBeNull();
  expect(opened).toEqual(["first"]);
  expect(types.sizeOf("other")).toBe(8);
  expect(types.variable("jiffies")).toBe(INT);
  expect(types.enumOf("X")).toBeNull();
  expect(opened).toEqual(["first", "third"]);
});

test("names come from all sources, whether they can list theirs or not", () => {
  const types = new LayeredTypes([
    () => ({ ...EmptyTypes, names: () => ["a", "b"] }),
    () => null,
    () => EmptyTypes,
    () => ({ ...EmptyTypes, names: () => ["b", "c"] }),
  ]);
  expect([...types.names()]).toEqual(["a", "b", "b", "c"]);
});
