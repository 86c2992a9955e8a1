/**
 * Where each byte of a flattened dump lies. Records are small (16 KiB from QEMU, 64 KiB from makedumpfile) and many, but
 * mostly each continues the one before it, in the dump as in the file: such records form a run, of which only the ends of
 * the records are kept, four bytes each.
 */

const MAX_RUN = 0xffff_ffff;
/** A new run starts where page data give way to descriptors, every few MiB: enough for a dump of terabytes. */
const MAX_RUNS = 1 << 21;
const RECORD_HEADER = 16;

export class RecordRuns {
  /** One past the highest offset that any record holds. */
  end = 0;
  #runs = 0;
  /** Offset in the dump, file offset of the first record's bytes, length in bytes, index of the first record. */
  #target = new Float64Array(64);
  #file = new Float64Array(64);
  #length = new Float64Array(64);
  #first = new Uint32Array(64);
  #records = 0;
  /** For each record, the offset of its end from the start of its run. */
  #ends = new Uint32Array(1024);

  /** Disjoint pieces of runs in ascending order, made by `finish`. */
  #pieces = 0;
  #pieceStart = new Float64Array(0);
  #pieceEnd = new Float64Array(0);
  #pieceRun = new Uint32Array(0);

  /** Adds a record: `size` bytes at `file` in the file belong to `target` in the dump. False where there are too many. */
  add(target: number, size: number, file: number): boolean {
    this.end = Math.max(this.end, target + size);
    const last = this.#runs - 1;
    if (last >= 0) {
      const length = this.#length[last]!;
      const count = this.#records - this.#first[last]!;
      const continues =
        this.#target[last]! + length === target &&
        this.#file[last]! + length + count * RECORD_HEADER === file &&
        length + size <= MAX_RUN;
      if (continues) {
        this.#length[last] = length + size;
        this.#pushEnd(length + size);
        return true;
      }
    }
    if (this.#runs === MAX_RUNS) return false;
    if (this.#runs === this.#target.length) {
      this.#target = grown(this.#target);
      this.#file = grown(this.#file);
      this.#length = grown(this.#length);
      const first = new Uint32Array(this.#first.length * 2);
      first.set(this.#first);
      this.#first = first;
    }
    this.#target[this.#runs] = target;
    this.#file[this.#runs] = file;
    this.#length[this.#runs] = size;
    this.#first[this.#runs] = this.#records;
    this.#runs++;
    // A record of 4 GiB or more is alone in its run, where its end is never looked up.
    this.#pushEnd(Math.min(size, MAX_RUN));
    return true;
  }

  /** Sorts what was added. Where records overlap, the later one in the file wins: it was written over the earlier. */
  finish(): void {
    const order = new Uint32Array(this.#runs);
    for (let i = 0; i < order.length; i++) order[i] = i;
    order.sort((a, b) => this.#target[a]! - this.#target[b]! || a - b);
    const starts: number[] = [];
    const ends: number[] = [];
    const runs: number[] = [];
    const emit = (start: number, end: number, run: number) => {
      if (start >= end) return;
      const last = runs.length - 1;
      if (last >= 0 && runs[last] === run && ends[last] === start) {
        ends[last] = end;
        return;
      }
      starts.push(start);
      ends.push(end);
      runs.push(run);
    };

    // Sweep over the starts; the heap holds the runs that are open, the latest in the file on top.
    const open = new MaxHeap();
    let at = 0;
    const advance = (to: number) => {
      while (open.size > 0 && at < to) {
        const top = open.top();
        const end = this.#target[top]! + this.#length[top]!;
        if (end <= at) {
          open.pop();
          continue;
        }
        emit(at, Math.min(end, to), top);
        at = Math.min(end, to);
      }
      at = Math.max(at, to);
    };
    for (const run of order) {
      advance(this.#target[run]!);
      open.push(run);
    }
    advance(Number.MAX_SAFE_INTEGER);

    this.#pieces = runs.length;
    this.#pieceStart = Float64Array.from(starts);
    this.#pieceEnd = Float64Array.from(ends);
    this.#pieceRun = Uint32Array.from(runs);
  }

  /** Calls back for every stretch of the range that lies in one record: file offset, offset in the range, length. */
  forEachPiece(offset: number, length: number, visit: (file: number, at: number, length: number) => void): void {
    const end = offset + length;
    for (let i = this.#firstPieceAfter(offset); i < this.#pieces && this.#pieceStart[i]! < end; i++) {
      const run = this.#pieceRun[i]!;
      const base = this.#target[run]!;
      const stop = Math.min(end, this.#pieceEnd[i]!);
      let from = Math.max(offset, this.#pieceStart[i]!);
      const first = this.#first[run]!;
      const next = run + 1 < this.#runs ? this.#first[run + 1]! : this.#records;
      let record = this.#recordAt(first, next, from - base);
      while (from < stop) {
        const recordEnd = next - first === 1 ? base + this.#length[run]! : base + this.#ends[record]!;
        const to = Math.min(stop, recordEnd);
        visit(this.#file[run]! + (from - base) + (record - first) * RECORD_HEADER, from - offset, to - from);
        from = to;
        record++;
      }
    }
  }

  /** Whether every byte of the range is in some record. */
  covers(offset: number, length: number): boolean {
    let at = offset;
    const end = offset + length;
    for (let i = this.#firstPieceAfter(offset); i < this.#pieces && at < end; i++) {
      if (this.#pieceStart[i]! > at) return false;
      at = this.#pieceEnd[i]!;
    }
    return at >= end;
  }

  /** The first offset of at least `offset` that some record holds, or `end`. */
  nextWritten(offset: number): number {
    const i = this.#firstPieceAfter(offset);
    return i === this.#pieces ? Math.max(offset, this.end) : Math.max(offset, this.#pieceStart[i]!);
  }

  #firstPieceAfter(offset: number): number {
    let low = 0;
    let high = this.#pieces;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#pieceEnd[middle]! > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The record of `[first, next)` that holds the byte at `relative` from the run's start. */
  #recordAt(first: number, next: number, relative: number): number {
    let low = first;
    let high = next - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! > relative) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #pushEnd(end: number): void {
    if (this.#records === this.#ends.length) {
      const ends = new Uint32Array(this.#ends.length * 2);
      ends.set(this.#ends);
      this.#ends = ends;
    }
    this.#ends[this.#records++] = end;
  }
}

function grown(array: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** Numbers, the largest on top. */
class MaxHeap {
  readonly #items: number[] = [];

  get size(): number {
    return this.#items.length;
  }

  top(): number {
    return this.#items[0]!;
  }

  push(item: number): void {
    const items = this.#items;
    let i = items.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >>> 1;
      if (items[parent]! >= item) break;
      items[i] = items[parent]!;
      i = parent;
    }
    items[i] = item;
  }

  pop(): void {
    const items = this.#items;
    const last = items.pop()!;
    if (items.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]! > items[child]!) child++;
      if (items[child]! <= last) break;
      items[i] = items[child]!;
      i = child;
    }
    items[i] = last;
  }
}
