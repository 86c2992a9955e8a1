import { expect, test } from "vitest";
import { columns, cutLast } from "./columns.ts";

test("columns are as wide as their widest cell, colours apart, and the last one is not padded", () => {
  const red = (text: string): string => `<${text}>`;
  const rows = [
    ["name", "bytes", "note"],
    ["a", { text: "12", paint: red }, "first"],
    ["longer", "3,456"],
  ];
  expect(columns(rows, ["left", "right", "left"])).toBe(
    ["  name    bytes  note", "  a       <   12>  first", "  longer  3,456", ""].join("\n"),
  );
});

test("a painted cell without text leaves no blanks at the end of its line", () => {
  const dim = (text: string): string => `<${text}>`;
  const rows = [
    ["a", { text: "", paint: dim }],
    ["longer", { text: "x", paint: dim }],
  ];
  expect(columns(rows, ["left", "left"])).toBe("  a\n  longer  <x>\n");
});

test.each([
  [60, "a note that goes on and on and on and on"],
  [40, "a note that goes on and on an…"],
  [10, "a note that goe…"],
])("in %d columns the last one is cut to what the others leave", (width, note) => {
  const long = "a note that goes on and on and on and on";
  const rows = [["longer", long], ["a", { text: long, paint: (text: string) => `<${text}>` }], ["b"]];
  const lines = columns(cutLast(rows, 2, width), ["left", "left"]).split("\n");
  expect(lines).toEqual([`  longer  ${note}`, `  a       <${note}>`, "  b", ""]);
});
