import { expect, test } from "vitest";
import { columns } from "./columns.ts";

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
