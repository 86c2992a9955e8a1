import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeWhole } from "./output-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "spillway-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const code = (name: string) => expect.objectContaining({ code: name });

test("bytes go where they belong, in any order", () => {
  const path = join(folder, "out");
  const result = writeWhole(path, false, (sink) => {
    sink(4, Uint8Array.of(5, 6));
    sink(0, Uint8Array.of(1, 2, 3, 4));
    return "done";
  });
  expect(result).toBe("done");
  expect([...readFileSync(path)]).toEqual([1, 2, 3, 4, 5, 6]);
});

test("an existing file is replaced only when asked", () => {
  const path = join(folder, "out");
  writeFileSync(path, "old");
  expect(() => writeWhole(path, false, () => {})).toThrow(code("SPW_OUTPUT_EXISTS"));
  expect(readFileSync(path, "utf8")).toBe("old");
  writeWhole(path, true, (sink) => sink(0, Uint8Array.of(65)));
  expect(readFileSync(path, "utf8")).toBe("A");
});

test("a failure leaves nothing behind", () => {
  const path = join(folder, "out");
  expect(() =>
    writeWhole(path, false, (sink) => {
      sink(0, Uint8Array.of(1));
      throw new Error("half way");
    }),
  ).toThrow("half way");
  expect(readdirSync(folder)).toEqual([]);
});

test("a folder that is not there", () => {
  expect(() => writeWhole(join(folder, "none", "out"), false, () => {})).toThrow(code("SPW_OUTPUT_FAILED"));
});
