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

/** The number of a depth in bytes. */
export function depthNumber(bytes: number, sureness: number): number {
  return bytes * 4 + sureness;
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
