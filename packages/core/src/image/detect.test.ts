import { describe, expect, test } from "vitest";
import { MemorySource } from "../bytes/byte-source.ts";
import { SpillwayError } from "../errors.ts";
import { detectFormat } from "./detect.ts";
import { makeElfOf } from "./testing/make-elf.ts";
import { makeFlattened } from "./testing/make-flattened.ts";
import { makeKdump } from "./testing/make-kdump.ts";
import { ascii, sampleModel } from "./testing/memory-model.ts";

const model = sampleModel();

function failure(bytes: Uint8Array): SpillwayError {
  try {
    detectFormat(new MemorySource(bytes, "vmcore"));
  } catch (error) {
    if (error instanceof SpillwayError) return error;
    throw error;
  }
  throw new Error("was taken for a dump");
}

describe("tells what a dump is", () => {
  test.each([
    ["an ELF core", makeElfOf(model), "elf"],
    ["a kdump-compressed file", makeKdump(model), "kdump"],
    ["a flattened file", makeFlattened([]), "flattened"],
  ])("%s", (_what, bytes, format) => {
    expect(detectFormat(new MemorySource(bytes))).toBe(format);
  });
});

describe("says what a file is that is no dump", () => {
  test.each([
    ["nothing", new Uint8Array(0), "SPW_IMAGE_EMPTY", "empty"],
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0, 0), "SPW_IMAGE_UNKNOWN_FORMAT", "gzip"],
    ["xz", Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), "SPW_IMAGE_UNKNOWN_FORMAT", "xz"],
    ["zstd", Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0), "SPW_IMAGE_UNKNOWN_FORMAT", "zstd"],
    ["diskdump", ascii("DISKDUMP....."), "SPW_IMAGE_UNKNOWN_FORMAT", "diskdump"],
    ["vmlinux", makeElfOf(model, { type: 2 }), "SPW_IMAGE_UNKNOWN_FORMAT", "vmlinux"],
    ["a module", makeElfOf(model, { type: 1 }), "SPW_IMAGE_UNKNOWN_FORMAT", "kernel module"],
    ["a library", makeElfOf(model, { type: 3 }), "SPW_IMAGE_UNKNOWN_FORMAT", "shared object"],
    ["an arm64 core", makeElfOf(model, { machine: 183 }), "SPW_IMAGE_WRONG_ARCH", "arm64"],
    ["an s390 core", makeElfOf(model, { machine: 22, bigEndian: true }), "SPW_IMAGE_WRONG_ARCH", "s390"],
    ["an unknown machine's core", makeElfOf(model, { machine: 999 }), "SPW_IMAGE_WRONG_ARCH", "999"],
    ["a 32-bit core", makeElfOf(model, { class: 1 }), "SPW_IMAGE_WRONG_ARCH", "32-bit"],
    [
      "text",
      ascii("[    0.000000] Linux version 6.1\n"),
      "SPW_IMAGE_UNKNOWN_FORMAT",
      'text that begins with "[    0.000000]',
    ],
    ["zeros", new Uint8Array(9000), "SPW_IMAGE_UNKNOWN_FORMAT", "nothing but zeros"],
    ["noise", Uint8Array.of(0, 200, 3, 99), "SPW_IMAGE_UNKNOWN_FORMAT", "00 c8 03 63"],
    ["a cut ELF header", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1), "SPW_IMAGE_TRUNCATED", "only 6 bytes"],
  ])("%s", (_what, bytes, code, words) => {
    const error = failure(bytes);
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.message).toContain("vmcore");
    expect(error.message).not.toContain("\n");
  });
});
