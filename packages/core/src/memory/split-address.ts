/**
 * Moves 64-bit values between bigint and two 32-bit halves without making garbage: the store into a BigUint64Array takes
 * the bigint apart, the load from it makes exactly one. Little-endian hosts only, which every JavaScript engine's is.
 */
const wide = new BigUint64Array(1);
const halves = new Uint32Array(wide.buffer);

/** Upper 32 bits of a bigint taken modulo 2^64. */
export function highHalf(value: bigint): number {
  wide[0] = value;
  return halves[1] as number;
}

/** Lower 32 bits. */
export function lowHalf(value: bigint): number {
  wide[0] = value;
  return halves[0] as number;
}

/** The unsigned 64-bit value with these halves. */
export function joinHalves(high: number, low: number): bigint {
  halves[0] = low;
  halves[1] = high;
  return wide[0] as bigint;
}

/** Little-endian 32-bit value at an offset that the caller has checked. */
export function u32At(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] as number) |
      ((bytes[offset + 1] as number) << 8) |
      ((bytes[offset + 2] as number) << 16) |
      ((bytes[offset + 3] as number) << 24)) >>>
    0
  );
}
