import type { AddressSpace } from "../memory/address-space.ts";

/** Up to `length` bytes of code, as many as there are before the first that cannot be read. */
export function readCode(memory: AddressSpace, address: bigint, length: number): Uint8Array {
  const { bytes, faults } = memory.readSparse(address, length);
  const first = faults[0];
  return first === undefined ? bytes : bytes.subarray(0, Math.max(0, Number(first.virtual - address)));
}
