/**
 * Depths of the stack as numbers: bytes below the canonical frame address, and how sure they are, in one number, so that registers
 * and stack slots can hold addresses in the frame as well (GCC aligns a frame through r10 or r13, assembler through any register).
 */

/** A depth of which nothing is known; no other value is negative enough. */
export const UNKNOWN = -0x80000000;
/** How sure a depth is, in the low bits of its number. */
export const EXACT = 0;
/** RSP was aligned: the most it can be. */
export const AT_MOST = 1;
/** RSP was moved by an amount that the code computes: without it. */
export const AT_LEAST = 2;

/** No stack is nearly as large (64 KiB at most, with KASAN): what goes further is no frame, but damage or another stack. */
export const MOST_FRAME_BYTES = 1 << 20;

/** The number of a depth in bytes. */
export function depthNumber(bytes: number, sureness: number): number {
  return bytes * 4 + sureness;
}

/** A depth that was computed, where a frame can have it; else UNKNOWN. */
export function plausibleDepth(depth: number): number {
  return Math.abs(depth) <= MOST_FRAME_BYTES * 4 ? depth : UNKNOWN;
}

/** Bytes of a known depth. */
export function depthBytes(depth: number): number {
  return depth >> 2;
}

/** EXACT, AT_MOST or AT_LEAST. */
export function depthSureness(depth: number): number {
  return depth & 3;
}

/** Two paths' word for one register. */
export function mergeDepth(known: number, incoming: number): number {
  if (known === incoming) return known;
  if (known === UNKNOWN || incoming === UNKNOWN) return UNKNOWN;
  return depthBytes(known) === depthBytes(incoming) ? Math.max(known, incoming) : UNKNOWN;
}
