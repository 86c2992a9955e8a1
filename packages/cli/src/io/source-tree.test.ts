import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sourceLines } from "./source-tree.ts";

const folder = mkdtempSync(join(tmpdir(), "spillway-source-"));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "tree/fs"), { recursive: true });
writeFileSync(join(folder, "tree/fs/open.c"), "one\ntwo\r\nthree");
writeFileSync(join(folder, "secret.c"), "no");

test.each([
  ["its path in the tree", "fs/open.c", ["one", "two", "three"]],
  ["the builder's own directories before it", "/build/linux-6.1/fs/open.c", ["one", "two", "three"]],
  ["dots in it", "./fs/../fs/open.c", ["one", "two", "three"]],
  ["another file", "fs/close.c", null],
  ["a directory", "fs", null],
  ["a way out of the tree", "../secret.c", null],
])("%s", (_what, path, lines) => expect(sourceLines(join(folder, "tree"), path)).toEqual(lines));
