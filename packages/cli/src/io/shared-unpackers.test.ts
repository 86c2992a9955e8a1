import { MessageChannel } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { receivingUnpackers, sendingUnpackers, unpackedState } from "./shared-unpackers.ts";

const CONTENT = Uint8Array.from({ length: 1000 }, (_, i) => i % 7);
const PACKED = gzipSync(CONTENT);
/** What cannot be unpacked: its content comes from elsewhere, or not at all. */
const NOISE = Uint8Array.of(1, 2, 3);

function threads() {
  const { port1, port2 } = new MessageChannel();
  const state = unpackedState();
  const ends = { first: sendingUnpackers({ state, port: port1 }), second: receivingUnpackers({ state, port: port2 }) };
  const close = () => port1.close();
  return { ...ends, close };
}

it("what one thread unpacks, the other one has, in the same memory", () => {
  const { first, second, close } = threads();
  const here = first.gzip?.(PACKED, 1000);
  const there = second.gzip?.(NOISE, 1000);
  close();
  expect(here).toEqual(CONTENT);
  expect(there).toEqual(CONTENT);
  if (here !== undefined) here[0] = 99;
  expect(there?.[0]).toBe(99);
});

it("what can be unpacked in any memory is unpacked there at once", () => {
  const { first, second, close } = threads();
  // One block of five literals.
  const packed = Uint8Array.of(0x02, 0x21, 0x4c, 0x18, 6, 0, 0, 0, 0x50, 104, 101, 108, 108, 111);
  const here = first.lz4?.(packed, 5);
  expect(here).toEqual(Uint8Array.from([104, 101, 108, 108, 111]));
  expect(here?.buffer).toBeInstanceOf(SharedArrayBuffer);
  if (here !== undefined) here[0] = 99;
  expect(second.lz4?.(NOISE, 5)?.[0]).toBe(99);
  close();
});

it("further content, and more of it than asked for, each unpacks itself", () => {
  const { first, second, close } = threads();
  first.gzip?.(PACKED, 1000);
  const later = first.gzip?.(gzipSync(Uint8Array.of(5)), 1);
  expect([...(later ?? [])]).toEqual([5]);
  expect(() => second.gzip?.(NOISE, 999)).toThrow();
  expect([...(second.gzip?.(PACKED, 1000) ?? [])]).toEqual([...CONTENT]);
  close();
});

it("what fails in the one thread is not sent", () => {
  const { first, second, close } = threads();
  expect(() => first.gzip?.(NOISE, 1000)).toThrow();
  first.gzip?.(PACKED, 1000);
  expect(second.gzip?.(PACKED, 1000)).toEqual(CONTENT);
  close();
});
