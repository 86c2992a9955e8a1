/** Text that is diagnosed: a kernel's log from a file or standard input, packed or not, of any size. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { detectEvidence, openText, RegionKeeper, SpillwayError, type TextEvidence } from "@spillway/core";
import { DiskDebugFiles } from "./debug-files.ts";
import { readText, unpackText } from "./read-text.ts";

const PIECE = 1 << 20;
/** What decides whether it is text. Bytes. */
const HEAD = 65536;
/** A stream that goes on for ever must end somewhere; files are read whole. Bytes. */
const STREAM_LIMIT = 256 << 20;
/** Packed files above this size are dumps rather than logs. Bytes. */
const PACKED_LIMIT = 64 << 20;
const STDIN = 0;

/**
 * Opens what was named as text, if it is text; null where it is a dump or anything else that is no text.
 * @param debugInfo files and directories with debug information; null: no use is made of any
 * @throws SpillwayError `SPW_TEXT_NO_CRASH`, `SPW_TEXT_DAMAGED`, `SPW_TEXT_XZ_MISSING`, `SPW_INPUT_NOT_A_FILE` (a dump on
 *   standard input), `SPW_INPUT_READ_FAILED`
 */
export function openTextInput(
  files: readonly string[],
  debugInfo: readonly string[] | null = null,
): TextEvidence | null {
  const open = (text: string, path: string): TextEvidence =>
    openText(text, path, debugInfo === null ? null : new DiskDebugFiles(debugInfo));
  const [path] = files;
  if (files.length !== 1 || path === undefined) return null;
  if (path === "-") return open(readStream(), path);
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    // Whoever opens it as a dump says what is wrong.
    return null;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return null;
    const head = Buffer.alloc(Math.min(HEAD, stat.size));
    readSync(fd, head, 0, head.length, 0);
    const form = detectEvidence(head);
    if (form === "packed") return stat.size > PACKED_LIMIT ? null : openPacked(path, open);
    return form === "text" ? open(readPieces(fd, path, Number.POSITIVE_INFINITY), path) : null;
  } finally {
    closeSync(fd);
  }
}

/** A packed log; null where something else is packed. */
function openPacked(path: string, open: (text: string, path: string) => TextEvidence): TextEvidence | null {
  const text = readText(path);
  return detectEvidence(Buffer.from(text.slice(0, HEAD), "utf8")) === "text" ? open(text, path) : null;
}

function readStream(): string {
  const head = Buffer.alloc(HEAD);
  const length = fill(STDIN, head, "standard input");
  const begin = head.subarray(0, length);
  const form = detectEvidence(begin);
  if (form === "dump") {
    throw new SpillwayError("SPW_INPUT_NOT_A_FILE", "standard input holds a dump, which has to be read at random", {
      facts: { path: "-" },
      hint: "Write it into a file first, and name that.",
    });
  }
  if (form === "packed") {
    const pieces = [begin];
    let total = length;
    for (;;) {
      const piece = Buffer.alloc(PIECE);
      const got = fill(STDIN, piece, "standard input");
      pieces.push(piece.subarray(0, got));
      total += got;
      if (got < PIECE || total > PACKED_LIMIT) break;
    }
    return unpackText("standard input", Buffer.concat(pieces));
  }
  return readPieces(STDIN, "standard input", STREAM_LIMIT, begin);
}

/** Reads text piece by piece, so that of a long one only what matters is ever in memory. */
function readPieces(fd: number, name: string, limit: number, begin: Buffer = Buffer.alloc(0)): string {
  const keeper = new RegionKeeper();
  const first = Buffer.alloc(PIECE);
  begin.copy(first);
  let got = begin.length + fill(fd, first.subarray(begin.length), name);
  const decode = decoderFor(first.subarray(0, got));
  keeper.push(decode(first.subarray(0, got)));
  const piece = Buffer.alloc(PIECE);
  for (let total = got; got > 0 && total < limit; total += got) {
    got = fill(fd, piece, name);
    keeper.push(decode(piece.subarray(0, got)));
  }
  return keeper.finish();
}

/** UTF-16 where it says so; else UTF-8, or Latin-1 where it is none, so that no byte is an error. */
function decoderFor(head: Buffer): (piece: Uint8Array) => string {
  const mark = head.subarray(0, 2).toString("latin1");
  const encoding = mark === "\xff\xfe" ? "utf-16le" : mark === "\xfe\xff" ? "utf-16be" : "utf-8";
  const decoder = new TextDecoder(encoding);
  return (piece) => decoder.decode(piece, { stream: true });
}

/** Fills the buffer from the stream; shorter only at its end. */
function fill(fd: number, buffer: Buffer, name: string): number {
  let done = 0;
  while (done < buffer.length) {
    try {
      const got = readSync(fd, buffer, done, buffer.length - done, null);
      if (got === 0) break;
      done += got;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") break;
      if (code !== "EAGAIN") {
        throw new SpillwayError("SPW_INPUT_READ_FAILED", `${name}: reading failed: ${code ?? String(error)}`, {
          facts: { path: name, offset: done },
          cause: error,
        });
      }
      // A pipe that does not block has nothing yet: wait a little.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
  return done;
}
