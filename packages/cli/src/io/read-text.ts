/** Text files that may be compressed, as distributions ship them: gzip, xz, zstd, told by their first bytes. */
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { SpillwayError } from "@spillway/core";

/** The kernel's longest changelogs have 10 MB; a JavaScript string can have 512. Bytes, packed and unpacked. */
const LARGEST = 256 << 20;

const GZIP = [0x1f, 0x8b];
const XZ = [0xfd, 0x37, 0x7a, 0x58, 0x5a];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const BZIP2 = [0x42, 0x5a, 0x68];

/**
 * Reads a text file, unpacked.
 * @throws SpillwayError `SPW_INPUT_NOT_FOUND`, `SPW_INPUT_UNREADABLE`, `SPW_INPUT_NOT_A_FILE`, `SPW_TEXT_TOO_LARGE`,
 *   `SPW_TEXT_DAMAGED`, `SPW_TEXT_XZ_MISSING`
 */
export function readText(path: string): string {
  return unpackText(path, readBytes(path));
}

/**
 * The text in bytes that may be compressed.
 * @throws SpillwayError `SPW_TEXT_TOO_LARGE`, `SPW_TEXT_DAMAGED`, `SPW_TEXT_XZ_MISSING`
 */
export function unpackText(path: string, bytes: Buffer): string {
  const begins = (magic: readonly number[]) => magic.every((byte, index) => bytes[index] === byte);
  const limit = { maxOutputLength: LARGEST };
  try {
    if (begins(GZIP)) return gunzipSync(bytes, limit).toString("utf8");
    if (begins(ZSTD)) return zstdDecompressSync(bytes, limit).toString("utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(path);
    throw damaged(path, error);
  }
  if (begins(XZ)) return unxz(path, bytes);
  if (begins(BZIP2)) {
    throw new SpillwayError("SPW_TEXT_DAMAGED", `${path}: bzip2 is not read`, {
      facts: { path },
      hint: "Unpack it first: bzip2 -dk.",
    });
  }
  return bytes.toString("utf8");
}

function readBytes(path: string): Buffer {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) {
      throw new SpillwayError("SPW_INPUT_NOT_A_FILE", `${path}: not a regular file`, { facts: { path } });
    }
    if (stat.size > LARGEST) throw tooLarge(path);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof SpillwayError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const options = { facts: { path }, cause: error };
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new SpillwayError("SPW_INPUT_NOT_FOUND", `${path}: there is no such file`, options);
    }
    throw new SpillwayError("SPW_INPUT_UNREADABLE", `${path}: it cannot be read`, options);
  }
}

/** Node has no xz; the program is on every machine whose distribution packs with it, and a library would be for this alone. */
function unxz(path: string, bytes: Buffer): string {
  const { error, status, stdout } = spawnSync("xz", ["-dc"], { input: bytes, maxBuffer: LARGEST });
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ENOENT") {
    throw new SpillwayError("SPW_TEXT_XZ_MISSING", `${path}: it is packed with xz, and there is no program xz here`, {
      class: "environment",
      facts: { path },
      hint: "Unpack it elsewhere, or install xz-utils.",
    });
  }
  if (code === "ENOBUFS") throw tooLarge(path);
  if (status !== 0) throw damaged(path, error);
  return stdout.toString("utf8");
}

function tooLarge(path: string): SpillwayError {
  return new SpillwayError("SPW_TEXT_TOO_LARGE", `${path}: more than ${LARGEST >> 20} MiB of text`, {
    facts: { path, limit: LARGEST },
  });
}

function damaged(path: string, cause: unknown): SpillwayError {
  return new SpillwayError("SPW_TEXT_DAMAGED", `${path}: it is damaged and cannot be unpacked`, {
    facts: { path },
    cause,
  });
}
