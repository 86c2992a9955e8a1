import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
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

test("links to modules are modules, as in weak-updates; those to nowhere, to folders and in circles are none", () => {
  put("extra/a.ko", "build/b.ko");
  const links = {
    "weak-updates/c.ko": "extra/a.ko",
    "gone.ko": "nowhere",
    "circle.ko": "circle.ko",
    source: "build",
    "folder.ko": "build",
  };
  mkdirSync(join(folder, "weak-updates"));
  for (const [link, target] of Object.entries(links)) symlinkSync(join(folder, target), join(folder, link));
  const found = moduleFiles(folder);
  expect(found.map(({ path }) => path.slice(folder.length))).toEqual([
    "/build/b.ko",
    "/extra/a.ko",
    "/weak-updates/c.ko",
  ]);
  expect(Buffer.from(found[2]!.read()).toString()).toBe("extra/a.ko");
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

test.each(["a.ko", "a.ko.gz", "a.ko.zst", "a.ko.xz"])("a huge %s is not read", (name) => {
  put(name);
  truncateSync(join(folder, name), 2 ** 33);
  expect(() => moduleFiles(folder)[0]!.read()).toThrow("it has 8589934592 bytes, more than any module");
});
