import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { SpillwayError } from "@spillway/core";
import { afterAll, describe, expect, test } from "vitest";
import { readConfig } from "./read-config.ts";
import { readText } from "./read-text.ts";

const directory = mkdtempSync(join(tmpdir(), "spillway-text-"));
afterAll(() => rmSync(directory, { recursive: true }));

const TEXT = "linux (6.1.20-1) bookworm; urgency=high\n\n  * räuber\n";

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

function failure(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof SpillwayError) return error.code;
    throw error;
  }
  return "none";
}

const xz = spawnSync("xz", ["-c"], { input: TEXT });

describe("a text file", () => {
  test.each<[string, string | Uint8Array]>([
    ["plain", TEXT],
    ["gzip", gzipSync(TEXT)],
    ["zstd", zstdCompressSync(TEXT)],
  ])("as %s", (name, content) => {
    expect(readText(file(name, content))).toBe(TEXT);
  });

  test.runIf(xz.status === 0)("as xz, by the program", () => {
    expect(readText(file("xz", xz.stdout))).toBe(TEXT);
    expect(failure(() => readText(file("half.xz", xz.stdout.subarray(0, 40))))).toBe("SPW_TEXT_DAMAGED");
  });

  test.each<[string, () => string, string]>([
    ["none there", () => join(directory, "none"), "SPW_INPUT_NOT_FOUND"],
    ["a directory", () => directory, "SPW_INPUT_NOT_A_FILE"],
    ["half a gzip file", () => file("half.gz", gzipSync(TEXT).subarray(0, 20)), "SPW_TEXT_DAMAGED"],
    ["half a zstd file", () => file("half.zst", zstdCompressSync(TEXT).subarray(0, 20)), "SPW_TEXT_DAMAGED"],
    ["bzip2", () => file("x.bz2", "BZh91AY"), "SPW_TEXT_DAMAGED"],
  ])("%s", (_what, path, code) => {
    expect(failure(() => readText(path()))).toBe(code);
  });
});

describe("a configuration", () => {
  const lines = "ABCDEFGHIJ".split("").map((letter) => `CONFIG_${letter}=y\n`);

  test("by its name", () => {
    const path = file("config-1", gzipSync(lines.join("")));
    expect(readConfig(path, "6.1.0")).toMatchObject({ name: path });
    expect(readConfig(path, "6.1.0").config.get("C")).toBe("y");
  });

  test("another file is refused", () => {
    expect(failure(() => readConfig(file("notes", TEXT), "6.1.0"))).toBe("SPW_CONFIG_UNKNOWN_FORM");
  });

  test("by the release; one that would lead elsewhere is not looked for", () => {
    const asked: string[] = [];
    const exists = (path: string): boolean => {
      asked.push(path);
      return false;
    };
    expect(failure(() => readConfig("auto", "6.1.0-9-amd64", exists))).toBe("SPW_CONFIG_NOT_FOUND");
    expect(asked).toContain("/boot/config-6.1.0-9-amd64");
    asked.length = 0;
    expect(failure(() => readConfig("auto", "../../etc/passwd", exists))).toBe("SPW_CONFIG_NOT_FOUND");
    expect(asked).toEqual([]);
  });
});
