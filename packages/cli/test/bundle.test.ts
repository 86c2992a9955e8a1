import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundle } from "../../../scripts/bundle.ts";
import { VERSION } from "../src/version.ts";

// A folder without any node_modules above it: the bundle must need nothing but Node.
let folder = "";
let program = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "spillway-bundle-"));
  program = join(folder, "spillway.js");
  await bundle(program);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
});
afterAll(() => rmSync(folder, { recursive: true }));

const spillway = (...args: string[]): string =>
  execFileSync(process.execPath, [program, ...args], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });

test("the version is the package's", () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8"));
  expect(VERSION).toBe(version);
  expect(spillway("--version")).toBe(`${version}\n`);
});

test("commands that are loaded when used are in it", () => {
  expect(spillway("lab", "list")).toContain("recursion-direct");
  expect(spillway("diagnose", "--help")).toContain("Usage: spillway diagnose");
});
