import type { ByteSource } from "../../bytes/byte-source.ts";
import { holeLength, missingIn } from "../holes.ts";
import { PageCache } from "../page-cache.ts";
import { PAGE_SIZE, type PageState, type PfnRange, type PhysicalMemory } from "../physical-memory.ts";
import { type ProgramHeader, PT_LOAD } from "./elf-header.ts";
import { type Interval, IntervalTable } from "./interval-table.ts";

/** 52 address bits: the most that x86_64 page tables can express (Intel SDM 3A, 4.1.4). */
const MAX_PHYSICAL = 2 ** 52;
const CACHED_PAGES = 256;

/** Physical memory in the PT_LOAD segments of an ELF core. */
export class ElfMemory implements PhysicalMemory {
  readonly maxPfn: number;
  /** Bytes that segments claim but the file does not reach. */
  readonly lostBytes: number;
  readonly #source: ByteSource;
  readonly #data: IntervalTable;
  /** Claimed by a segment, but past the end of the file. */
  readonly #lost: IntervalTable;
  /** `p_memsz` beyond `p_filesz`: RAM whose bytes were left out. */
  readonly #excluded: IntervalTable;
  readonly #cache = new PageCache(CACHED_PAGES);

  constructor(source: ByteSource, segments: readonly ProgramHeader[]) {
    this.#source = source;
    const data: Interval[] = [];
    const lost: Interval[] = [];
    const excluded: Interval[] = [];
    let highest = 0;
    let lostBytes = 0;
    for (const segment of segments) {
      const start = segment.physical;
      // p_paddr -1: /proc/kcore's ranges that have no one physical address (vmalloc).
      if (segment.type !== PT_LOAD || start >= MAX_PHYSICAL) continue;
      const inFile = Math.min(segment.fileSize, MAX_PHYSICAL - start);
      const inMemory = Math.min(Math.max(segment.memorySize, inFile), MAX_PHYSICAL - start);
      const available = Math.max(0, Math.min(inFile, source.size - segment.fileOffset));
      const fileOffset = segment.fileOffset;
      data.push({ start, end: start + available, fileOffset });
      lost.push({ start: start + available, end: start + inFile, fileOffset: fileOffset + available });
      excluded.push({ start: start + inFile, end: start + inMemory, fileOffset: 0 });
      lostBytes += inFile - available;
      highest = Math.max(highest, start + inMemory);
    }
    this.#data = new IntervalTable(data);
    this.#lost = new IntervalTable(lost);
    this.#excluded = new IntervalTable(excluded);
    this.maxPfn = Math.ceil(highest / PAGE_SIZE);
    this.lostBytes = lostBytes;
  }

  /** Whether the file holds any memory at all. */
  get isEmpty(): boolean {
    return this.#data.length === 0;
  }

  pageState(pfn: number): PageState {
    const start = pfn * PAGE_SIZE;
    const end = start + PAGE_SIZE;
    if (!(pfn >= 0) || pfn >= this.maxPfn) return "absent";
    if (this.#data.overlaps(start, end)) {
      if (this.#lost.length > 0 && this.#lost.overlaps(start, end) && !this.#data.covers(start, end)) return "lost";
      return this.#inHole(start, end) ? "lost" : "present";
    }
    if (this.#lost.overlaps(start, end)) return "lost";
    return this.#excluded.overlaps(start, end) ? "excluded" : "absent";
  }

  page(pfn: number): Uint8Array | null {
    const cached = this.#cache.get(pfn);
    if (cached !== undefined) return cached;
    if (this.pageState(pfn) !== "present") return null;
    const page = this.#read(pfn * PAGE_SIZE);
    if (page !== null) this.#cache.set(pfn, page);
    return page;
  }

  run(pfn: number, count: number): Uint8Array | null {
    const start = pfn * PAGE_SIZE;
    const end = start + count * PAGE_SIZE;
    const data = this.#data;
    const i = data.firstEndingAfter(start);
    if (!(data.starts[i]! <= start && data.ends[i]! >= end) || this.#inHole(start, end)) return null;
    const bytes = this.#source.read(data.fileOffsets[i]! + (start - data.starts[i]!), end - start);
    return bytes.length === end - start ? bytes : null;
  }

  *presentRanges(): Iterable<PfnRange> {
    const data = this.#data;
    let startPfn = 0;
    let endPfn = 0;
    for (let i = 0; i < data.length; i++) {
      let first = Math.floor(data.starts[i]! / PAGE_SIZE);
      let end = Math.ceil(data.ends[i]! / PAGE_SIZE);
      // A page cut by the end of the file is lost; only the first and last page of a run can be such a one.
      if (first < end && this.pageState(end - 1) !== "present") end--;
      if (first < end && this.pageState(first) !== "present") first++;
      if (first >= end) continue;
      if (first <= endPfn && endPfn > startPfn) {
        endPfn = Math.max(endPfn, end);
        continue;
      }
      if (endPfn > startPfn) yield* this.#withoutHoles(startPfn, endPfn);
      startPfn = first;
      endPfn = end;
    }
    if (endPfn > startPfn) yield* this.#withoutHoles(startPfn, endPfn);
  }

  *ramRanges(): Iterable<PfnRange> {
    const all: Interval[] = [];
    for (const table of [this.#data, this.#lost, this.#excluded]) {
      for (let i = 0; i < table.length; i++) all.push({ start: table.starts[i]!, end: table.ends[i]!, fileOffset: 0 });
    }
    all.sort((a, b) => a.start - b.start);
    let startPfn = 0;
    let endPfn = 0;
    for (const { start, end } of all) {
      const first = Math.floor(start / PAGE_SIZE);
      if (first > endPfn) {
        if (endPfn > startPfn) yield { startPfn, endPfn };
        startPfn = first;
      }
      endPfn = Math.max(endPfn, Math.ceil(end / PAGE_SIZE));
    }
    if (endPfn > startPfn) yield { startPfn, endPfn };
  }

  /** Holes exist in damaged flattened files only; there each page has to be asked. */
  *#withoutHoles(startPfn: number, endPfn: number): Iterable<PfnRange> {
    if (!this.#inHole(startPfn * PAGE_SIZE, endPfn * PAGE_SIZE)) {
      yield { startPfn, endPfn };
      return;
    }
    let from = -1;
    for (let pfn = startPfn; pfn <= endPfn; pfn++) {
      const present = pfn < endPfn && this.pageState(pfn) === "present";
      if (present && from < 0) from = pfn;
      if (!present && from >= 0) {
        yield { startPfn: from, endPfn: pfn };
        from = -1;
      }
      if (!present) pfn += this.#wholePagesOfHole(pfn);
    }
  }

  /** Page frames after `pfn` that lie in the same hole from end to end. */
  #wholePagesOfHole(pfn: number): number {
    const data = this.#data;
    const next = (pfn + 1) * PAGE_SIZE;
    const i = data.firstEndingAfter(next);
    if (i === data.length || data.starts[i]! > next) return 0;
    const hole = holeLength(this.#source, data.fileOffsets[i]! + (next - data.starts[i]!));
    return Math.floor(Math.min(hole, data.ends[i]! - next) / PAGE_SIZE);
  }

  #inHole(start: number, end: number): boolean {
    const data = this.#data;
    for (let i = data.firstEndingAfter(start); i < data.length && data.starts[i]! < end; i++) {
      const from = Math.max(start, data.starts[i]!);
      const to = Math.min(end, data.ends[i]!);
      if (missingIn(this.#source, data.fileOffsets[i]! + (from - data.starts[i]!), to - from)) return true;
    }
    return false;
  }

  #read(start: number): Uint8Array | null {
    const data = this.#data;
    const end = start + PAGE_SIZE;
    let i = data.firstEndingAfter(start);
    if (data.starts[i]! <= start && data.ends[i]! >= end) {
      const page = this.#source.read(data.fileOffsets[i]! + (start - data.starts[i]!), PAGE_SIZE);
      return page.length === PAGE_SIZE ? page : null;
    }
    // A segment of /proc/vmcore may start or end inside a page, and the next one begin in the same page.
    const page = new Uint8Array(PAGE_SIZE);
    for (; i < data.length && data.starts[i]! < end; i++) {
      const from = Math.max(start, data.starts[i]!);
      const to = Math.min(end, data.ends[i]!);
      const part = this.#source.read(data.fileOffsets[i]! + (from - data.starts[i]!), to - from);
      page.set(part, from - start);
    }
    return page;
  }
}
