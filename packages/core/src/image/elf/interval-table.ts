/**
 * Sorted, disjoint runs of physical addresses, each with the file offset of its first byte: binary search over segments,
 * nothing for each page. Addresses are numbers: x86_64 has at most 52 physical address bits.
 */

export interface Interval {
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
  readonly fileOffset: number;
}

export class IntervalTable {
  readonly length: number;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly fileOffsets: Float64Array;

  /**
   * Where intervals overlap, the one that starts first keeps the range: /proc/vmcore lists the kernel's text a second
   * time, by its other virtual address, over the same physical bytes.
   */
  constructor(intervals: readonly Interval[]) {
    const sorted = intervals.filter((i) => i.end > i.start).sort((a, b) => a.start - b.start || b.end - a.end);
    const kept: Interval[] = [];
    let covered = 0;
    for (const interval of sorted) {
      const start = Math.max(interval.start, covered);
      if (start >= interval.end) continue;
      kept.push({ start, end: interval.end, fileOffset: interval.fileOffset + (start - interval.start) });
      covered = interval.end;
    }
    this.length = kept.length;
    this.starts = Float64Array.from(kept, (i) => i.start);
    this.ends = Float64Array.from(kept, (i) => i.end);
    this.fileOffsets = Float64Array.from(kept, (i) => i.fileOffset);
  }

  /** Index of the first interval that ends after `address`, or `length`. */
  firstEndingAfter(address: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ends[middle]! > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Whether any byte of `[start, end)` is in the table. */
  overlaps(start: number, end: number): boolean {
    const i = this.firstEndingAfter(start);
    return i < this.length && this.starts[i]! < end;
  }

  /** Whether every byte of `[start, end)` is in the table. */
  covers(start: number, end: number): boolean {
    let at = start;
    for (let i = this.firstEndingAfter(start); i < this.length && at < end; i++) {
      if (this.starts[i]! > at) return false;
      at = this.ends[i]!;
    }
    return at >= end;
  }
}
