import type { AddressSpace, MemoryFault } from "../memory/address-space.ts";
import type { PagedAddressSpace } from "../memory/paged-address-space.ts";

/**
 * Kernel memory over a recording physical memory. A `scan` goes past the record: of a search through all of the kernel's
 * text only what it found is worth keeping, and that is read again by whoever uses it.
 */
export class RecordedSpace implements AddressSpace {
  readonly recorded: PagedAddressSpace;
  readonly #unrecorded: PagedAddressSpace;

  constructor(recorded: PagedAddressSpace, unrecorded: PagedAddressSpace) {
    this.recorded = recorded;
    this.#unrecorded = unrecorded;
  }

  scan(virtual: bigint, length: number): Uint8Array {
    return this.#unrecorded.readSparse(virtual, length).bytes;
  }

  translate(virtual: bigint): bigint | null {
    return this.recorded.translate(virtual);
  }

  explain(virtual: bigint): MemoryFault | null {
    return this.recorded.explain(virtual);
  }

  read(virtual: bigint, length: number): Uint8Array | null {
    return this.recorded.read(virtual, length);
  }

  readSparse(virtual: bigint, length: number): { readonly bytes: Uint8Array; readonly faults: readonly MemoryFault[] } {
    return this.recorded.readSparse(virtual, length);
  }

  u8(virtual: bigint): number | null {
    return this.recorded.u8(virtual);
  }

  u16(virtual: bigint): number | null {
    return this.recorded.u16(virtual);
  }

  u32(virtual: bigint): number | null {
    return this.recorded.u32(virtual);
  }

  i32(virtual: bigint): number | null {
    return this.recorded.i32(virtual);
  }

  u64(virtual: bigint): bigint | null {
    return this.recorded.u64(virtual);
  }

  cstring(virtual: bigint, max?: number): string | null {
    return this.recorded.cstring(virtual, max);
  }
}
