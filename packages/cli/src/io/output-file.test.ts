import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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

test.each([[false], [true]])("a folder is not replaced, whatever is asked: %s", (replace) => {
  const path = join(folder, "out");
  mkdirSync(path);
  expect(() => writeWhole(path, replace, () => {})).toThrow(code("SPW_OUTPUT_FAILED"));
  expect(readdirSync(folder)).toEqual(["out"]);
});

test("a link stays one, and what it leads to is replaced", () => {
  const file = join(folder, "file");
  const link = join(folder, "link");
  writeFileSync(file, "old");
  symlinkSync("file", link);
  writeWhole(link, true, (sink) => sink(0, Uint8Array.of(65)));
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readFileSync(file, "utf8")).toBe("A");
});

test("what goes through a file on the way is no name of a file", () => {
  writeFileSync(join(folder, "file"), "");
  expect(() => writeWhole(join(folder, "file", "out"), false, () => {})).toThrow(code("SPW_OUTPUT_FAILED"));
});

/** A pipe stands for devices as well: a test that fails must not replace one. */
describe("a pipe", () => {
  let path = "";
  let reader = -1;
  beforeEach(() => {
    path = join(folder, "pipe");
    expect(spawnSync("mkfifo", [path]).status).toBe(0);
    reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  });
  afterEach(() => closeSync(reader));

  test("is written into, and stays", () => {
    writeWhole(path, false, (sink) => {
      sink(0, Uint8Array.of(65, 66));
      sink(2, Uint8Array.of(67));
    });
    expect(lstatSync(path).isFIFO()).toBe(true);
    expect(readFileSync(reader, "utf8")).toBe("ABC");
    expect(readdirSync(folder)).toEqual(["pipe"]);
  });

  test("takes nothing out of its order", () => {
    expect(() => writeWhole(path, true, (sink) => sink(4, Uint8Array.of(1)))).toThrow(code("SPW_OUTPUT_FAILED"));
    expect(lstatSync(path).isFIFO()).toBe(true);
  });
});
