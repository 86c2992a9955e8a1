/** Where a kernel's image has absolute addresses: from the table behind a boot image's kernel, or from a vmlinux's own. */
import { readExactly, viewOf } from "../bytes/read.ts";
import { SHF_ALLOC, SHT_RELA } from "../debuginfo/elf/elf-sections.ts";
import { START_KERNEL_MAP } from "../memory/kernel-image.ts";
import { signedAddress } from "../symbols/kallsyms-addresses.ts";
import type { ElfImage, ImageSegment } from "./elf-image.ts";
import type { RelocationColumns } from "./program.ts";
import type { SegmentSpace } from "./segment-space.ts";

/** Kernels have some hundred thousand. */
const MOST = 1 << 22;
const RELA_SIZE = 24;
/** Types of the x86-64 psABI that put an absolute address in place. */
export const R_X86_64_64 = 1;
export const R_X86_64_32 = 10;
export const R_X86_64_32S = 11;

/** Lists of places are in order themselves, as the build writes them; more runs than these are sorted, not merged. */
const MOST_RUNS = 16;

/** Places that were found, each with the width of what stands there. */
export class RelocationList {
  /** Twice the place, plus one where 64 bits stand there: sorts by place without a comparator. */
  #keys = new Float64Array(1 << 16);
  #length = 0;
  /** Where a run of ascending keys begins that the one before does not lead up to. */
  readonly #runs: number[] = [];

  /** @param place signed address */
  add(place: number, wide: boolean): void {
    if (this.#length === this.#keys.length) {
      const grown = new Float64Array(this.#length * 2);
      grown.set(this.#keys);
      this.#keys = grown;
    }
    const key = place * 2 + (wide ? 1 : 0);
    if (this.#length > 0 && key < this.#keys[this.#length - 1]!) this.#runs.push(this.#length);
    this.#keys[this.#length++] = key;
  }

  get length(): number {
    return this.#length;
  }

  /** In order, with the addresses that stand there; what is no address of the top 2 GiB is left out. */
  columns(memory: SegmentSpace): RelocationColumns {
    const keys = this.#sorted();
    const place = new Int32Array(keys.length);
    const target = new Int32Array(keys.length);
    let count = 0;
    for (let n = 0; n < keys.length; n++) {
      const key = keys[n]!;
      const at = Math.floor(key / 2);
      if (count > 0 && place[count - 1] === at) continue;
      // What is not negative is an offset into per-CPU data, or nothing.
      const low = memory.i32At(at);
      if (low === null || low >= 0) continue;
      if (key !== at * 2 && memory.i32At(at + 4) !== -1) continue;
      place[count] = at;
      target[count] = low;
      count++;
    }
    return { count, place: place.slice(0, count), target: target.slice(0, count) };
  }

  #sorted(): Float64Array {
    const keys = this.#keys.subarray(0, this.#length);
    if (this.#runs.length >= MOST_RUNS) return keys.slice().sort();
    const starts = [0, ...this.#runs];
    let runs: Float64Array[] = starts.map((start, n) => keys.subarray(start, starts[n + 1]));
    while (runs.length > 1) {
      runs = runs.flatMap((run, n) => (n % 2 === 1 ? [] : n + 1 < runs.length ? merged(run, runs[n + 1]!) : run));
    }
    return runs[0]!;
  }
}

/** What two ascending columns have, ascending. */
function merged(one: Float64Array, other: Float64Array): Float64Array {
  const all = new Float64Array(one.length + other.length);
  let [left, right] = [0, 0];
  for (let at = 0; at < all.length; at++) {
    const isLeft = right === other.length || (left < one.length && one[left]! <= other[right]!);
    all[at] = isLeft ? one[left++]! : other[right++]!;
  }
  return all;
}

/**
 * The table that the build puts behind the kernel before it is packed (arch/x86/tools/relocs.c, `emit_relocs`, read by
 * arch/x86/boot/compressed/misc.c): places as signed 32-bit addresses, in lists that a zero begins: those of 64 bits, those of
 * 32 bits that are subtracted (per-CPU, up to 6.14: a8327be7b2aa), those of 32 bits. A place in per-CPU data, which was linked
 * to 0, is told by where it is loaded (`__per_cpu_load`).
 * @param table all that follows the ELF file
 * @returns null where there is no such table, or none that makes sense
 */
export function bootRelocations(
  table: Uint8Array,
  segments: readonly ImageSegment[],
  memory: SegmentSpace,
): RelocationList | null {
  const words = Math.floor(table.length / 4);
  if (words < 2 || words > MOST) return null;
  const numbers = new Int32Array(words);
  new Uint8Array(numbers.buffer).set(table.subarray(0, words * 4));
  /** Where each list begins, behind its zero. */
  const lists: number[] = [];
  for (let i = 0; i < words; i++) if (numbers[i] === 0) lists.push(i + 1);
  if (lists[0] !== 1 || lists.length < 2 || lists.length > 3) return null;
  const shifts: readonly Shift[] = segments
    .filter(({ start }) => start < START_KERNEL_MAP)
    .map(({ start, physical, bytes }) => {
      const loaded = signedAddress(physical + START_KERNEL_MAP);
      return { loaded, end: loaded + bytes.length, shift: signedAddress(start) - loaded };
    });
  const found = new RelocationList();
  for (const [n, start] of lists.entries()) {
    const end = (lists[n + 1] ?? words + 1) - 1;
    for (let i = start; i < end; i++) {
      const place = linkedPlace(numbers[i]!, shifts);
      if (!memory.has(place)) return null;
      if (n === 0 || n === lists.length - 1) found.add(place, n === 0);
    }
  }
  return found;
}

/** What is loaded elsewhere than it was linked to. */
interface Shift {
  readonly loaded: number;
  readonly end: number;
  readonly shift: number;
}

function linkedPlace(place: number, shifts: readonly Shift[]): number {
  for (let n = 0; n < shifts.length; n++) {
    const { loaded, end, shift } = shifts[n]!;
    if (place >= loaded && place < end) return place + shift;
  }
  return place;
}

/** The relocations that a vmlinux keeps (`--emit-relocs`, to make the table above from); null where it keeps none. */
export function imageRelocations(image: ElfImage): RelocationList | null {
  const found = new RelocationList();
  let any = false;
  for (const section of image.sections) {
    const target = image.sections[section.info];
    if (section.type !== SHT_RELA || target === undefined || (target.flags & SHF_ALLOC) === 0) continue;
    const count = Math.min(Math.floor(section.size / RELA_SIZE), MOST);
    const entries = readExactly(image.source, section.offset, count * RELA_SIZE);
    if (entries === null) continue;
    // A kernel that is stripped of the others still has those that the linker wrote by hand: they alone tell nothing.
    if (target.name === ".data" || target.name === ".rodata") any = true;
    const view = viewOf(entries);
    for (let at = 0; at < entries.length; at += RELA_SIZE) {
      const type = view.getUint32(at + 8, true);
      if (type !== R_X86_64_64 && type !== R_X86_64_32 && type !== R_X86_64_32S) continue;
      if (found.length >= MOST) break;
      const place = view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
      found.add(place, type === R_X86_64_64);
    }
  }
  return any ? found : null;
}
