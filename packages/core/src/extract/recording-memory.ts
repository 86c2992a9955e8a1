import type { PageState, PfnRange, PhysicalMemory } from "../image/physical-memory.ts";

/** Physical memory that notes every page frame it gave out: what a question has read is what its answer rests on. */
export class RecordingMemory implements PhysicalMemory {
  readonly maxPfn: number;
  /** Page frames that were read, or kept by name. All are present. */
  readonly kept = new Set<number>();
  readonly #inner: PhysicalMemory;

  constructor(inner: PhysicalMemory) {
    this.#inner = inner;
    this.maxPfn = inner.maxPfn;
  }

  /** Notes a page frame that nobody reads now. */
  keep(pfn: number): void {
    if (!this.kept.has(pfn) && this.#inner.pageState(pfn) === "present") this.kept.add(pfn);
  }

  pageState(pfn: number): PageState {
    return this.#inner.pageState(pfn);
  }

  page(pfn: number): Uint8Array | null {
    const page = this.#inner.page(pfn);
    if (page !== null) this.kept.add(pfn);
    return page;
  }

  run(pfn: number, count: number): Uint8Array | null {
    const bytes = this.#inner.run?.(pfn, count) ?? null;
    if (bytes !== null) for (let i = 0; i < count; i++) this.kept.add(pfn + i);
    return bytes;
  }

  presentRanges(): Iterable<PfnRange> {
    return this.#inner.presentRanges();
  }

  ramRanges(): Iterable<PfnRange> {
    return this.#inner.ramRanges?.() ?? this.#inner.presentRanges();
  }
}
