import { basename, dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { findProgram } from "./find-program.ts";

describe("findProgram", () => {
  const folder = dirname(process.execPath);
  const name = basename(process.execPath);

  it("finds a bare name in the search path", () =>
    expect(findProgram(name, `/nonexistent:${folder}`)).toBe(process.execPath));
  it("takes a path as it is", () => expect(findProgram(process.execPath, "")).toBe(process.execPath));
  it("does not take a folder for a program", () => expect(findProgram(folder)).toBeNull());
  it("does not take a file that is no program", () => expect(findProgram(import.meta.filename)).toBeNull());
  it("says so when there is none", () => expect(findProgram("no-such-program", folder)).toBeNull());
});
