import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SpillwayError } from "@spillway/core";
import { afterAll, describe, expect, test } from "vitest";
import { FileSource } from "./file-source.ts";

const directory = mkdtempSync(join(tmpdir(), "spillway-file-source-"));
afterAll(() => rmSync(directory, { recursive: true }));

const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) ^ (i >> 8));
const path = join(directory, "file");
writeFileSync(path, bytes);

function failure(of: string): SpillwayError {
  try {
    new FileSource(of);
  } catch (error) {
    if (error instanceof SpillwayError) return error;
    throw error;
  }
  throw new Error("it was opened");
}

describe("a file as a byte source", () => {
  const source = new FileSource(path);

  test.each([
    [0, 10],
    [16_383, 1],
    [16_383, 2],
    [16_384, 16_384],
    [16_000, 50_000],
    [99_990, 10],
    [99_990, 50],
    [100_000, 5],
    [1e12, 5],
    [5, 0],
  ])("reads %i + %i", (offset, length) => {
    expect(source.read(offset, length)).toEqual(bytes.slice(offset, offset + length));
  });

  test("gives bytes that the caller may write into", () => {
    source.read(0, 4).fill(99);
    expect(source.read(0, 4)).toEqual(bytes.slice(0, 4));
  });

  test("stays right over more blocks than it keeps", () => {
    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < bytes.length; at += 5000) expect(source.read(at, 9)).toEqual(bytes.slice(at, at + 9));
    }
  });
});

describe("what is no readable file", () => {
  test("a missing one", () => {
    expect(failure(join(directory, "missing")).code).toBe("SPW_INPUT_NOT_FOUND");
    expect(failure(join(path, "below-a-file")).code).toBe("SPW_INPUT_NOT_FOUND");
  });

  test("a directory", () => {
    expect(failure(directory)).toMatchObject({ code: "SPW_INPUT_NOT_A_FILE", hint: expect.stringContaining("vmcore") });
  });

  test.runIf(process.getuid?.() !== 0)("one without permission", () => {
    const secret = join(directory, "secret");
    writeFileSync(secret, "x");
    chmodSync(secret, 0);
    expect(failure(secret).code).toBe("SPW_INPUT_UNREADABLE");
  });

  test.runIf(process.platform === "linux")("a device", () => {
    expect(failure("/dev/null").code).toBe("SPW_INPUT_NOT_A_FILE");
  });
});
