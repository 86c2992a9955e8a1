import { describe, expect, it } from "vitest";
import { type Column, markdownTable, textTable } from "./table.ts";

const columns: Column[] = [
  { title: "tool", align: "left" },
  { title: "median", align: "right" },
];

describe("textTable", () => {
  it("pads to the widest cell and leaves no blanks at the end of a line", () =>
    expect(
      textTable(columns, [
        ["drgn", "0.33 s"],
        ["a longer name", ""],
      ]),
    ).toBe(["tool           median", "-------------  ------", "drgn           0.33 s", "a longer name"].join("\n")));

  it("prints the titles of a table without rows", () =>
    expect(textTable(columns, [])).toBe(["tool  median", "----  ------"].join("\n")));

  it("fills up a row that is too short", () => expect(textTable(columns, [["x"]]).split("\n")[2]).toBe("x"));
});

describe("markdownTable", () => {
  it("marks the alignment and escapes what would end a cell", () =>
    expect(markdownTable(columns, [["a|b\nc", "1"]])).toBe(
      ["| tool | median |", "| --- | ---: |", "| a\\|b c | 1 |"].join("\n"),
    ));
});
