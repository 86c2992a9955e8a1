/** Which bytes of two words differ. */

/** Index of the highest byte that differs, little-endian; -1 where none does. */
export function lastDifferentByte(a: bigint, b: bigint): number {
  for (let byte = 7; byte >= 0; byte--) if (((a ^ b) >> BigInt(byte * 8)) & 0xffn) return byte;
  return -1;
}

/** Index of the lowest byte that differs; 0 where none does. */
export function firstDifferentByte(a: bigint, b: bigint): number {
  for (let byte = 0; byte < 8; byte++) if (((a ^ b) >> BigInt(byte * 8)) & 0xffn) return byte;
  return 0;
}
