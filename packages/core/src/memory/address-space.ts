import type { PageState } from "../image/physical-memory.ts";

/** Why a virtual address could not be read. */
export interface MemoryFault {
  /** `unmapped`: the page tables have no entry; the others are the state of the page frame (data or page table). */
  readonly reason: "unmapped" | Exclude<PageState, "present">;
  readonly virtual: bigint;
  /** Physical address that could not be read, where the walk got so far. */
  readonly physical: bigint | null;
}

/**
 * Kernel virtual memory. Reads return null where any byte is not there; `explain` then says why. Little-endian.
 * Addresses are unsigned 64-bit bigints.
 */
export interface AddressSpace {
  /** Physical address of `virtual`, or null. */
  translate(virtual: bigint): bigint | null;
  /** The fault that a one-byte read at `virtual` would meet, or null where it can be read. */
  explain(virtual: bigint): MemoryFault | null;
  /** All `length` bytes or null. A fresh array. */
  read(virtual: bigint, length: number): Uint8Array | null;
  /** What can be read of a range; missing pages read as zero and are listed. */
  readSparse(virtual: bigint, length: number): { readonly bytes: Uint8Array; readonly faults: readonly MemoryFault[] };
  /**
   * The bytes of `readSparse`, for a pass over much memory that looks for something: what it finds there is read again.
   * Left out where there is no difference; a memory that keeps account of what was used does not count such a pass.
   */
  scan?(virtual: bigint, length: number): Uint8Array;
  /** How the page tables map it; null where they do not. Left out by memories without page tables. */
  protection?(virtual: bigint): { readonly writable: boolean; readonly executable: boolean } | null;
  u8(virtual: bigint): number | null;
  u16(virtual: bigint): number | null;
  u32(virtual: bigint): number | null;
  i32(virtual: bigint): number | null;
  u64(virtual: bigint): bigint | null;
  /** NUL-terminated string of at most `max` bytes (default 256), decoded as UTF-8 with replacement; null if unreadable. */
  cstring(virtual: bigint, max?: number): string | null;
}
