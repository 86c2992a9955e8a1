/** An address as crash prints it: 16 hexadecimal digits, no prefix. */
export function hex16(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}

/** An address or value with prefix, no padding. */
export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/** A whole number with thousands separated: 16,384. */
export function thousands(value: number | bigint): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+$)/g, ",");
}
