import { expect, test } from "vitest";
import { EmptyTypes } from "../../types/empty-types.ts";
import { tinyProgram } from "../tiny-program.fixture.ts";
import { KnownFunctions } from "./known-functions.ts";
import { Prototypes } from "./prototypes.ts";

test("a name that stands where padding does, and the image's first, are no functions", () => {
  const { program, at } = tinyProgram({
    functions: { startup: "c3  ret", __pfx_f: "90  nop", f: "c3  ret", __cfi_g: "90  nop", g: "c3  ret" },
  });
  const names: readonly (readonly [string, string])[] = [
    ["_text", "startup"],
    ["startup", "startup"],
    ["__pfx_f", "__pfx_f"],
    ["__softirqentry_text_start", "__pfx_f"],
    ["f", "f"],
    ["__irqentry_text_start", "__cfi_g"],
    ["__cfi_g", "__cfi_g"],
    ["g", "g"],
  ];
  const symbols = names.map(([name, place]) => ({ name, address: at(place), type: "T", module: null }));
  const known = new KnownFunctions({ ...program, types: EmptyTypes }, symbols, new Prototypes());
  expect([...known.all()].map(({ name }) => name)).toEqual(["f", "g"]);
});
