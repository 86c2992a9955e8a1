import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { moduleFiles } from "./module-files.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "spillway-modules-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(...files: readonly string[]): void {
  for (const file of files) {
    mkdirSync(join(folder, file, ".."), { recursive: true });
    writeFileSync(join(folder, file), file);
  }
}

test("modules at any depth, those of updates first", () => {
  put("kernel/fs/b.ko", "kernel/a.ko.zst", "updates/b.ko", "modules.dep", "build/b.c");
  const files = moduleFiles(folder);
  expect(files.map(({ path }) => path.slice(folder.length))).toEqual([
    "/updates/b.ko",
    "/kernel/a.ko.zst",
    "/kernel/fs/b.ko",
  ]);
  expect(Buffer.from(files[0]!.read()).toString()).toBe("updates/b.ko");
});

test.each<[string, string, () => void, string]>([
  ["an empty folder", "", () => {}, "SPW_PROGRAM_NO_MODULES"],
  ["a folder of other files", "", () => put("build/Makefile", "modules.order"), "SPW_PROGRAM_NO_MODULES"],
  ["no folder", "none", () => {}, "SPW_INPUT_NOT_FOUND"],
  ["a file", "a.ko", () => put("a.ko"), "SPW_INPUT_NOT_A_FILE"],
])("%s is refused", (_, name, prepare, code) => {
  prepare();
  expect(() => moduleFiles(join(folder, name))).toThrow(expect.objectContaining({ code }));
});

test("a damaged .ko.xz is unpacked by whoever reads it, so that its own damage shows", () => {
  put("a.ko.xz");
  expect(Buffer.from(moduleFiles(folder)[0]!.read()).toString()).toBe("a.ko.xz");
});
