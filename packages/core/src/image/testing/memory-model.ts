import { PAGE_SIZE, type PageState, type PfnRange } from "../physical-memory.ts";

/** The memory that a test wants in a dump: plain data, from which the makers beside this file make each format. */
export interface MemoryModel {
  /** Page frames and their bytes. */
  readonly pages: ReadonlyMap<number, Uint8Array>;
  /** Frames that are RAM without being in `pages`: excluded ones. */
  readonly excluded: ReadonlySet<number>;
  /** One more than the highest page frame number. */
  readonly maxPfn: number;
  readonly vmcoreinfo: string | null;
}

/** What a sound dump of the model must say of a frame. */
export function expectedState(model: MemoryModel, pfn: number): PageState {
  if (model.pages.has(pfn)) return "present";
  return model.excluded.has(pfn) ? "excluded" : "absent";
}

/** A page of one repeated byte. */
export function filledPage(byte: number): Uint8Array {
  return new Uint8Array(PAGE_SIZE).fill(byte);
}

/** A page that no codec can make smaller: xorshift32 from `seed`, which must not be 0. */
export function noisePage(seed: number): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE);
  let x = seed | 0 || 1;
  for (let i = 0; i < PAGE_SIZE; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    page[i] = x & 0xff;
  }
  return page;
}

/** A page of text with a number in it: compresses well, differs from page to page. */
export function textPage(number: number): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE);
  const text = `page ${number} of the test's memory, `;
  for (let i = 0; i < PAGE_SIZE; i++) page[i] = text.charCodeAt((i + number) % text.length);
  return page;
}

/** A small model that has every kind of page. */
export function sampleModel(): MemoryModel {
  return {
    pages: new Map([
      [1, textPage(1)],
      [2, filledPage(0)],
      [3, noisePage(3)],
      [7, filledPage(0)],
      [8, filledPage(0xaa)],
      [40, textPage(40)],
      [70, noisePage(70)],
    ]),
    excluded: new Set([4, 5, 41]),
    maxPfn: 72,
    vmcoreinfo: "OSRELEASE=6.1.0-test\nPAGESIZE=4096\nNUMBER(phys_base)=-4096\n",
  };
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** Ascending runs of a set of frames. */
export function runsOf(pfns: Iterable<number>): PfnRange[] {
  const runs: { startPfn: number; endPfn: number }[] = [];
  for (const pfn of [...pfns].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.endPfn === pfn) last.endPfn++;
    else runs.push({ startPfn: pfn, endPfn: pfn + 1 });
  }
  return runs;
}
