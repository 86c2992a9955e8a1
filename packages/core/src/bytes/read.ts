import type { ByteSource } from "./byte-source.ts";

/** All `length` bytes from `offset`, or null where the source ends before. Lengths are the caller's to bound. */
export function readExactly(source: ByteSource, offset: number, length: number): Uint8Array | null {
  if (!(offset >= 0) || !(length >= 0) || offset + length > source.size) return null;
  const bytes = source.read(offset, length);
  return bytes.length === length ? bytes : null;
}

/** A DataView over exactly the bytes of `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * A little-endian unsigned 64-bit field as a number. Values of 2^53 and more come back rounded, far past any file, which
 * every bounds check then refuses: a file offset or frame number that large is damage in any case.
 */
export function u64(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 0x1_0000_0000;
}

/** The big-endian form of {@link u64}. */
export function u64be(view: DataView, offset: number): number {
  return view.getUint32(offset, false) * 0x1_0000_0000 + view.getUint32(offset + 4, false);
}

/** Bytes up to the first NUL (or all of them) as text, a character a byte. */
export function asciiField(bytes: Uint8Array, offset: number, length: number): string {
  let text = "";
  const end = Math.min(offset + length, bytes.length);
  for (let i = offset; i < end && bytes[i] !== 0; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
