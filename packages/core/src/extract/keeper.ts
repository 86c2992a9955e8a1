import { PAGE_SIZE } from "../image/physical-memory.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { RecordedKernel } from "./recorded-kernel.ts";
import type { RecordedSpace } from "./recorded-space.ts";
import type { RecordingMemory } from "./recording-memory.ts";

/** Nothing that is kept in one piece comes near; a longer request is a damaged length. */
const LONGEST = 64 << 20;
const PAGE = BigInt(PAGE_SIZE);

/** Keeps ranges of kernel memory for the extract, by what they are. */
export class Keeper {
  readonly kernel: Kernel;
  readonly space: RecordedSpace;
  readonly record: RecordingMemory;

  constructor({ kernel, space, record }: RecordedKernel) {
    this.kernel = kernel;
    this.space = space;
    this.record = record;
  }

  /** Keeps the pages of a range with the page tables that lead to them; what is not mapped or not there is left out. */
  range(start: bigint, length: number): void {
    if (!(length > 0) || length > LONGEST) return;
    const end = start + BigInt(length);
    for (let at = start & ~(PAGE - 1n); at < end; at += PAGE) {
      const physical = this.space.translate(at);
      if (physical !== null) this.record.keep(Number(physical / PAGE));
    }
  }

  /** Keeps what lies between two addresses. */
  between(start: bigint | null, end: bigint | null): void {
    if (start !== null && end !== null && end > start && end - start <= BigInt(LONGEST)) {
      this.range(start, Number(end - start));
    }
  }

  /** Address of a symbol of the kernel proper, or null. */
  symbol(name: string): bigint | null {
    return this.kernel.symbols.byName(name, null)?.address ?? null;
  }

  /** Keeps what lies between two symbols, which the linker script sets. */
  section(start: string, end: string): void {
    this.between(this.symbol(start), this.symbol(end));
  }

  /** Value of a 64-bit variable of the kernel, or null. */
  value(name: string): bigint | null {
    const address = this.symbol(name);
    return address === null ? null : this.space.u64(address);
  }

  /** Keeps a struct of a type that the kernel describes; `otherwise` is its size in bytes where it does not. */
  struct(address: bigint | null, type: string, otherwise: number): void {
    if (address === null || address === 0n) return;
    const size = this.kernel.types.sizeOf(type) ?? otherwise;
    this.range(address, Math.min(size, 1 << 20));
  }

  /** A 64-bit member of a struct, or null where type, member or memory is missing. */
  member(address: bigint, type: string, path: string): bigint | null {
    const found = this.kernel.types.member(type, path);
    return found === null ? null : this.space.u64(address + BigInt(found.offset));
  }
}
