/**
 * Near calls and jumps of a text area by their target: one pass over the text, then every question "who leads there?" is a
 * look into one bucket. Bytes that only look like a call are in it too; whoever asks checks the hit against decoded code.
 */
import type { AddressSpace } from "../memory/address-space.ts";

export interface TextArea {
  readonly start: bigint;
  /** Bytes. */
  readonly size: number;
}

export const CALL_REL32 = 0xe8;
export const JMP_REL32 = 0xe9;
const CHUNK = 1 << 20;
/** No kernel's text is larger; more is not text. Bytes. */
const MAX_TEXT = 1 << 28;
/** Targets outside of a larger area are mostly bytes that are no branch, and are left out. Bytes. */
const SMALL_AREA = 4 << 20;
/** Targets share a bucket when they agree in these bits. */
const BUCKET_SHIFT = 8;
const BUCKETS = 1 << 16;

export class CallIndex {
  readonly area: TextArea;
  /** Where each bucket begins in the two arrays below; one more than there are buckets. */
  readonly #starts = new Uint32Array(BUCKETS + 1);
  /** Targets and the branches that lead there, as offsets from the area's start in bytes. */
  readonly #targets: Int32Array;
  readonly #sites: Int32Array;

  constructor(memory: AddressSpace, area: TextArea) {
    this.area = area;
    const { targets, sites } = collect(memory, area);
    for (const target of targets) this.#starts[bucketOf(target) + 1]!++;
    for (let bucket = 0; bucket < BUCKETS; bucket++) this.#starts[bucket + 1]! += this.#starts[bucket]!;
    const next = this.#starts.slice();
    this.#targets = new Int32Array(targets.length);
    this.#sites = new Int32Array(targets.length);
    for (let index = 0; index < targets.length; index++) {
      const at = next[bucketOf(targets[index]!)]!++;
      this.#targets[at] = targets[index]!;
      this.#sites[at] = sites[index]!;
    }
  }

  /** Addresses of branches whose target lies in `[start, start + length)`; `length` is at most 256. */
  leadingTo(start: bigint, length: number): bigint[] {
    const distance = start - this.area.start;
    if (distance > 0x7fffffffn || distance < -0x80000000n) return [];
    const first = Number(distance);
    const found: bigint[] = [];
    const buckets = new Set([bucketOf(first), bucketOf(first + length - 1)]);
    for (const bucket of buckets) {
      for (let index = this.#starts[bucket]!; index < this.#starts[bucket + 1]!; index++) {
        const target = this.#targets[index]!;
        if (target >= first && target < first + length) found.push(this.area.start + BigInt(this.#sites[index]!));
      }
    }
    return found.sort((a, b) => (a < b ? -1 : 1));
  }
}

function bucketOf(target: number): number {
  return (target >> BUCKET_SHIFT) & (BUCKETS - 1);
}

function collect(memory: AddressSpace, area: TextArea): { targets: Int32Array; sites: Int32Array } {
  let targets = new Int32Array(1 << 12);
  let sites = new Int32Array(1 << 12);
  let length = 0;
  const size = Math.min(area.size, MAX_TEXT);
  const onlyInside = size > SMALL_AREA;
  for (let offset = 0; offset < size; offset += CHUNK) {
    const base = area.start + BigInt(offset);
    const wanted = Math.min(CHUNK + 4, size - offset);
    const bytes = memory.scan?.(base, wanted) ?? memory.readSparse(base, wanted).bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const last = Math.min(CHUNK, bytes.length - 4);
    for (let index = 0; index < last; index++) {
      const opcode = bytes[index]!;
      if (opcode !== CALL_REL32 && opcode !== JMP_REL32) continue;
      const target = offset + index + 5 + view.getInt32(index + 1, true);
      if (onlyInside && (target < 0 || target >= size)) continue;
      if (length === targets.length) {
        targets = grown(targets);
        sites = grown(sites);
      }
      targets[length] = target;
      sites[length++] = offset + index;
    }
  }
  return { targets: targets.subarray(0, length), sites: sites.subarray(0, length) };
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
