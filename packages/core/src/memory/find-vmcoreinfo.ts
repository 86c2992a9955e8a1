import type { PhysicalMemory } from "../image/physical-memory.ts";
import type { AddressSpace } from "./address-space.ts";

/**
 * Finds the VMCOREINFO text in the memory of a dump that has no such note: the kernel keeps it in a page of its own
 * (`vmcoreinfo_data`, get_zeroed_page since 4.13, 203e9e41219b4; an array of the image before), and as an ELF note in
 * `vmcoreinfo_note`.
 */

const FIRST_KEY = "OSRELEASE=";
/** VMCOREINFO_BYTES is a page. */
const LONGEST = 4096;
/** The scan ends after 4 GiB of page frames. */
const MOST_FRAMES = 1 << 20;

/** Reads the text at `vmcoreinfo_data`: a pointer to it, or the array itself; null where neither is there. */
export function vmcoreinfoAt(space: AddressSpace, symbol: bigint): string | null {
  const pointer = space.u64(symbol);
  return (pointer === null ? null : textAt(space, pointer)) ?? textAt(space, symbol);
}

function textAt(space: AddressSpace, address: bigint): string | null {
  const text = space.cstring(address, LONGEST);
  return text?.startsWith(FIRST_KEY) ? text : null;
}

/** Looks at the start of every present page frame, up to a bound: the text begins one. */
export function scanForVmcoreinfo(memory: PhysicalMemory): string | null {
  let left = MOST_FRAMES;
  for (const { startPfn, endPfn } of memory.presentRanges()) {
    for (let pfn = startPfn; pfn < endPfn; pfn++) {
      if (left-- <= 0) return null;
      const page = memory.page(pfn);
      // 'O' first: one comparison settles nearly every page.
      if (page === null || page[0] !== 0x4f) continue;
      const text = asciiText(page);
      if (text.startsWith(FIRST_KEY) && text.includes("\nSYMBOL(") && text.includes("\nPAGESIZE=")) return text;
    }
  }
  return null;
}

/** Printable text from the page's start up to the first byte that is none. */
function asciiText(page: Uint8Array): string {
  let end = 0;
  while (end < page.length && (page[end] === 0x0a || ((page[end] as number) >= 0x20 && (page[end] as number) < 0x7f)))
    end++;
  return String.fromCharCode(...page.subarray(0, end));
}
