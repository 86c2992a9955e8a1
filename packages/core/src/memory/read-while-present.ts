import type { AddressSpace } from "./address-space.ts";

const CHUNK = 1 << 16;
/** Up to here the whole is tried first: one allocation where nothing is missing. */
const WHOLE = 1 << 24;

/**
 * Reads up to `limit` bytes and stops at the first page that is missing: for tables whose length is only known once they
 * are read. Memory grows with what is there, not with what was asked for.
 */
export function readWhilePresent(space: AddressSpace, virtual: bigint, limit: number): Uint8Array {
  const whole = limit <= WHOLE ? space.read(virtual, limit) : null;
  if (whole !== null) return whole;
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < limit) {
    const at = virtual + BigInt(length);
    const wanted = Math.min(CHUNK, limit - length);
    const chunk = space.read(at, wanted);
    if (chunk !== null) {
      chunks.push(chunk);
      length += wanted;
      continue;
    }
    const toPageEnd = 4096 - Number(at & 0xfffn);
    const part = space.read(at, Math.min(toPageEnd, wanted));
    if (part === null) break;
    chunks.push(part);
    length += part.length;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
