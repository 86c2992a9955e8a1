/** Physical memory from pieces and real page tables over it, for tests. */
import type { CpuNote, DumpImage } from "../../image/dump-image.ts";
import { PAGE_SIZE, type PageState, type PfnRange, type PhysicalMemory } from "../../image/physical-memory.ts";
import type { PagingLevels } from "../page-table.ts";

export class FakeMemory implements PhysicalMemory {
  readonly maxPfn: number;
  readonly #pages = new Map<number, Uint8Array>();
  readonly #states = new Map<number, PageState>();

  constructor(maxPfn: number) {
    this.maxPfn = maxPfn;
  }

  /** Marks a frame as missing, whatever it held. */
  lose(pfn: number, state: PageState): void {
    this.#states.set(pfn, state);
    this.#pages.delete(pfn);
  }

  /** The frame's bytes, made present. */
  frame(pfn: number): Uint8Array {
    let page = this.#pages.get(pfn);
    if (page === undefined) {
      page = new Uint8Array(PAGE_SIZE);
      this.#pages.set(pfn, page);
    }
    return page;
  }

  write(physical: number, bytes: Uint8Array): void {
    bytes.forEach((byte, i) => {
      this.frame(Math.floor((physical + i) / PAGE_SIZE))[(physical + i) % PAGE_SIZE] = byte;
    });
  }

  write64(physical: number, value: bigint): void {
    this.write(physical, bytesOf64(value));
  }

  pageState(pfn: number): PageState {
    return this.#pages.has(pfn) ? "present" : (this.#states.get(pfn) ?? "absent");
  }

  page(pfn: number): Uint8Array | null {
    return this.#pages.get(pfn) ?? null;
  }

  *presentRanges(): Iterable<PfnRange> {
    for (const pfn of [...this.#pages.keys()].sort((a, b) => a - b)) yield { startPfn: pfn, endPfn: pfn + 1 };
  }
}

export function bytesOf64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  return bytes;
}

export type MappedSize = "4K" | "2M" | "1G";
export const READ_ONLY = 1n | (1n << 63n);
export const READ_WRITE = 3n | (1n << 63n);
export const EXECUTE = 1n;

/** Builds page tables in a FakeMemory; tables are allocated upwards from a frame. */
export class FakePageTables {
  readonly memory: FakeMemory;
  readonly root: number;
  readonly levels: PagingLevels;
  #nextTable: number;

  constructor(memory: FakeMemory, root: number, levels: PagingLevels, firstTable = root + 1) {
    this.memory = memory;
    this.root = root;
    this.levels = levels;
    this.#nextTable = firstTable;
    memory.frame(root);
  }

  /** Maps one page. `flags`: the entry's low and NX bits; 0 leaves it not present. Returns the entry's physical address. */
  map(virtual: bigint, physical: bigint, size: MappedSize = "4K", flags = READ_WRITE): number {
    const last = size === "4K" ? 1 : size === "2M" ? 2 : 3;
    let table = this.root;
    for (let level: number = this.levels; ; level--) {
      const index = Number((virtual >> BigInt(12 + 9 * (level - 1))) & 511n);
      const at = table * PAGE_SIZE + index * 8;
      if (level === last) {
        this.memory.write64(at, physical | flags | (last > 1 ? 0x80n : 0n));
        return at;
      }
      const low = new DataView(this.memory.frame(table).buffer).getUint32(index * 8, true);
      if ((low & 1) === 0) this.memory.write64(at, (BigInt(this.#nextTable++) << 12n) | 0x63n);
      table = Number(
        (new DataView(this.memory.frame(table).buffer).getBigUint64(index * 8, true) >> 12n) & 0xfffffffffn,
      );
    }
  }
}

/** A dump image over a memory, with nothing else in it unless given. */
export function fakeImage(memory: PhysicalMemory, parts: Partial<DumpImage> = {}): DumpImage {
  return {
    format: "elf",
    flattened: false,
    memory,
    vmcoreinfo: null,
    cpuNotes: [],
    rawNotes: null,
    header: null,
    virtualRanges: [],
    problems: [],
    ...parts,
  };
}

/** A QEMU note of a CPU with these control registers. */
export function cpuNote(cr3: bigint, levels: PagingLevels): CpuNote {
  return {
    index: 0,
    pid: 0,
    registers: {} as CpuNote["registers"],
    control: { cr0: 0x80050033n, cr2: 0n, cr3, cr4: levels === 5 ? 0x1000n : 0n },
    segmentBases: null,
    idtBase: null,
  };
}
