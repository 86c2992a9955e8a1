/** Debug information that a person names: where none of it is of the kernel, it is told why. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Program } from "@spillway/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tinyProgram } from "../../../core/src/budget/tiny-program.fixture.ts";
import { gccModule, otherBuild } from "../../../core/src/debuginfo/testing/gcc-module.fixture.ts";
import { withModules } from "../../../core/src/program/modules/with-modules.ts";
import { openDeclaredTypeFiles } from "./open-program.ts";

const { program: kernel } = tinyProgram({ functions: { kernel: "c3  ret" } });
const both: Program = withModules(kernel, [{ path: "small.ko", read: gccModule }]);

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spillway-debug-"));
  const sound = gccModule();
  const put = (name: string, bytes: Uint8Array): void => {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  };
  put("sound/small.ko.debug", sound);
  put("other/small.ko.debug", otherBuild());
  put("damaged/small.ko.debug", sound.slice(0, sound.length / 2));
  put("text/small.ko.debug", new TextEncoder().encode("Not found"));
  put("empty/small.ko.debug", new Uint8Array(0));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("what is of a module beside the kernel is opened", () => {
  expect([...openDeclaredTypeFiles(both, [join(folder, "sound")]).variables()].length).toBeGreaterThan(0);
});

test.each<[string, Program, string, RegExp, RegExp]>([
  [
    "a folder without any",
    both,
    "empty",
    /: no debug information of this kernel or its modules$/,
    /exactly this build/,
  ],
  ["another build of a module", both, "other", /: no debug information/, /exactly this build/],
  ["a damaged file", both, "damaged", /: no debug information/, /^passed over: .*small\.ko\.debug.*damaged/],
  ["a text", both, "text", /: no debug information/, /^passed over: .*small\.ko\.debug/],
  ["a module's, without the module", kernel, "sound", /: no debug information of this kernel$/, /exactly this build/],
  [
    "a module's file, without the module",
    kernel,
    "sound/small.ko.debug",
    /: no debug information of this kernel$/,
    /was not used: no module small is loaded$/,
  ],
])("%s: none of it is of the kernel", (_what, program, path, message, hint) => {
  expect(() => openDeclaredTypeFiles(program, [join(folder, path)])).toThrow(
    expect.objectContaining({
      code: "SPW_DEBUGINFO_NOT_FOUND",
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    }),
  );
});
