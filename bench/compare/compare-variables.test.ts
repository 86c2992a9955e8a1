import { expect, test } from "vitest";
import { compareVariables, parseDrgnVariables, printedVariables, type VariableRow } from "./compare-variables.ts";

test("places in what bt prints", () => {
  const variable = { function: "f", address: null, bytes: null };
  const variables = [
    { ...variable, name: "a", address: "0xff10" },
    { ...variable, name: "b", bytes: [1, 0xff, null] },
    { ...variable, name: "c" },
  ];
  const text = JSON.stringify([{ frames: [{ address: "0x10", variables }, { address: "0x20" }] }]);
  expect(printedVariables(text)).toEqual([
    ["0x10", "f", "a", "@0xff10"],
    ["0x10", "f", "b", "??ff01"],
    ["0x10", "f", "c", "lost"],
  ]);
  expect(printedVariables("spillway: no")).toBeNull();
});

test("drgn's are read from among warnings", () => {
  expect(parseDrgnVariables('warning\nvariables:[["0x10", "f", "a", "lost"]]\n')).toEqual([["0x10", "f", "a", "lost"]]);
  expect(parseDrgnVariables("Traceback")).toBeNull();
});

test("what is equal, known to one, and different", () => {
  const rows = (...places: string[]) => places.map((place, at): VariableRow => ["0x10", "f", `v${at}`, place]);
  expect(
    compareVariables(rows("@0x1", "01", "lost", "??01", "02", "03"), rows("@0x1", "lost", "05", "0901", "03")),
  ).toEqual({
    equal: 1,
    oursOnly: 2,
    theirsOnly: ["0x10 f.v2: drgn 05"],
    different: ["0x10 f.v4: spillway 02, drgn 03"],
  });
});
