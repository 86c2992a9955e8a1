import { describe, expect, it } from "vitest";
import type { Diagnosis } from "../diagnose/diagnosis.ts";
import { sameDiagnosis } from "./same-diagnosis.ts";

const diagnosis = {
  input: { kind: "vmcore", format: "elf", path: "a" },
  verdict: { kind: "stack-overflow", summary: "…" },
  frames: [{ function: "f", certainty: "proven" }],
  missing: ["the file was cut", "no log"],
  advice: ["Look at f."],
} as unknown as Diagnosis;

describe("the same diagnosis", () => {
  it.each<[string, object, readonly string[], boolean]>([
    ["itself", {}, [], true],
    ["of another file", { input: { kind: "vmcore", format: "kdump", path: "b" } }, [], true],
    ["another verdict", { verdict: { kind: "stack-overflow", summary: "." } }, [], false],
    ["another frame", { frames: [{ function: "f", certainty: "inferred" }] }, [], false],
    ["without a note about the file", { missing: ["no log"] }, ["the file was cut"], true],
    ["with advice on the file", { advice: ["Look at f.", "The dump is not whole: give it room."] }, [], true],
    ["without advice on the crash", { advice: [] }, [], false],
    ["without another note", { missing: ["the file was cut"] }, ["the file was cut"], false],
  ])("%s", (_, change, aboutFile, expected) => {
    expect(sameDiagnosis(diagnosis, { ...diagnosis, ...change }, aboutFile)).toBe(expected);
  });
});
