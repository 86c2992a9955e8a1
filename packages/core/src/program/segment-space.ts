import type { AddressSpace, MemoryFault } from "../memory/address-space.ts";
import { joinHalves, u32At } from "../memory/split-address.ts";
import { decodeUtf8 } from "../memory/utf8.ts";
import { signedAddress, unsignedAddress } from "../symbols/kallsyms-addresses.ts";

const PAGE = 4096;
/** Nothing that is read in one piece is longer; a longer request is a length field gone wrong. */
const LONGEST_READ = 1 << 30;

/** A run of virtual memory with its content. */
export interface Segment {
  readonly start: bigint;
  readonly bytes: Uint8Array;
  /** Bytes of memory, those behind `bytes` being zero; the length of `bytes` where left out. */
  readonly size?: number;
}

interface Placed {
  /** Signed, as in kallsyms-addresses.ts. */
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

/**
 * Virtual memory made of segments, as an ELF file describes it or as modules are placed; reads do not cross from one into
 * another unless they touch. There are no page tables behind it: `translate` tells no more than whether there is something.
 */
export class SegmentSpace implements AddressSpace {
  readonly #segments: readonly Placed[];
  #last: Placed | null = null;

  /** Where segments overlap, the one that begins first counts. */
  constructor(segments: readonly Segment[]) {
    const placed: Placed[] = [];
    const sorted = segments
      .map(({ start, bytes, size }) => {
        const at = signedAddress(start);
        return { start: at, end: at + Math.max(bytes.length, size ?? 0), bytes };
      })
      .sort((a, b) => a.start - b.start);
    for (const one of sorted) {
      const before = placed.at(-1);
      if (one.end > one.start && (before === undefined || one.start >= before.end)) placed.push(one);
    }
    this.#segments = placed;
  }

  /** What there is, ascending as signed addresses. */
  get ranges(): readonly { readonly start: bigint; readonly end: bigint }[] {
    return this.#segments.map(({ start, end }) => ({ start: unsignedAddress(start), end: unsignedAddress(end) }));
  }

  #at(address: number): Placed | null {
    const last = this.#last;
    if (last !== null && address >= last.start && address < last.end) return last;
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#segments[middle] as Placed).start <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.#segments[low - 1];
    if (found === undefined || address >= found.end) return null;
    this.#last = found;
    return found;
  }

  /** Copies what is there; false where a byte of it is not. */
  #copy(address: number, into: Uint8Array): boolean {
    for (let done = 0; done < into.length; ) {
      const segment = this.#at(address + done);
      if (segment === null) return false;
      const from = address + done - segment.start;
      const count = Math.min(into.length - done, segment.end - segment.start - from);
      if (from < segment.bytes.length) into.set(segment.bytes.subarray(from, from + count), done);
      done += count;
    }
    return true;
  }

  /** Whether there is something at a signed address. */
  has(address: number): boolean {
    return this.#at(address) !== null;
  }

  /** `i32` by a signed address, for long runs of look-ups. */
  i32At(address: number): number | null {
    const segment = this.#at(address);
    if (segment === null) return null;
    const from = address - segment.start;
    if (from + 4 <= segment.bytes.length) return u32At(segment.bytes, from) | 0;
    return this.i32(unsignedAddress(address));
  }

  translate(virtual: bigint): bigint | null {
    return this.#at(signedAddress(virtual)) === null ? null : virtual;
  }

  explain(virtual: bigint): MemoryFault | null {
    return this.translate(virtual) === null ? { reason: "unmapped", virtual, physical: null } : null;
  }

  read(virtual: bigint, length: number): Uint8Array | null {
    if (length <= 0) return new Uint8Array(0);
    if (length > LONGEST_READ) return null;
    const address = signedAddress(virtual);
    const segment = this.#at(address);
    if (segment === null) return null;
    const from = address - segment.start;
    if (from + length <= segment.bytes.length) return segment.bytes.slice(from, from + length);
    // Before anything is allocated by a length that may be nonsense.
    if (!this.#allThere(address, length)) return null;
    const bytes = new Uint8Array(length);
    this.#copy(address, bytes);
    return bytes;
  }

  #allThere(address: number, length: number): boolean {
    for (let at = address; at < address + length; ) {
      const segment = this.#at(at);
      if (segment === null) return false;
      at = segment.end;
    }
    return true;
  }

  readSparse(virtual: bigint, length: number): { bytes: Uint8Array; faults: MemoryFault[] } {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, LONGEST_READ)));
    const faults: MemoryFault[] = [];
    const address = signedAddress(virtual);
    for (let done = 0; done < bytes.length; ) {
      const count = Math.min(bytes.length - done, PAGE - ((((address + done) % PAGE) + PAGE) % PAGE));
      if (!this.#copy(address + done, bytes.subarray(done, done + count))) {
        const missing = this.#firstMissing(address + done);
        faults.push({ reason: "unmapped", virtual: unsignedAddress(missing), physical: null });
      }
      done += count;
    }
    return { bytes, faults };
  }

  #firstMissing(address: number): number {
    let at = address;
    for (let segment = this.#at(at); segment !== null; segment = this.#at(at)) at = segment.end;
    return at;
  }

  /**
   * The page that holds the address (as much of it as its segment has), not to be written or kept: for searches that pass
   * over everything. Null where its first byte is not there.
   */
  view(virtual: bigint): Uint8Array | null {
    const address = signedAddress(virtual & ~BigInt(PAGE - 1));
    const segment = this.#at(address);
    if (segment === null) return null;
    const from = address - segment.start;
    const page = segment.bytes.subarray(from, from + PAGE);
    return page.length === 0 ? null : page;
  }

  u8(virtual: bigint): number | null {
    const address = signedAddress(virtual);
    const segment = this.#at(address);
    return segment === null ? null : (segment.bytes[address - segment.start] ?? 0);
  }

  u16(virtual: bigint): number | null {
    const bytes = this.#few(virtual, 2);
    return bytes === null ? null : (bytes[this.#offset] as number) | ((bytes[this.#offset + 1] as number) << 8);
  }

  u32(virtual: bigint): number | null {
    const bytes = this.#few(virtual, 4);
    return bytes === null ? null : u32At(bytes, this.#offset);
  }

  i32(virtual: bigint): number | null {
    const value = this.u32(virtual);
    return value === null ? null : value | 0;
  }

  u64(virtual: bigint): bigint | null {
    const bytes = this.#few(virtual, 8);
    return bytes === null ? null : joinHalves(u32At(bytes, this.#offset + 4), u32At(bytes, this.#offset));
  }

  #offset = 0;

  /** Bytes in which those asked for begin at `#offset`: the segment's own, where it has them all. */
  #few(virtual: bigint, length: number): Uint8Array | null {
    const address = signedAddress(virtual);
    const segment = this.#at(address);
    if (segment === null) return null;
    const from = address - segment.start;
    const whole = from + length <= segment.bytes.length;
    this.#offset = whole ? from : 0;
    return whole ? segment.bytes : this.read(virtual, length);
  }

  cstring(virtual: bigint, max = 256): string | null {
    const pieces: number[] = [];
    for (let n = 0; n < max; n++) {
      const byte = this.u8(virtual + BigInt(n));
      if (byte === null) return null;
      if (byte === 0) break;
      pieces.push(byte);
    }
    return decodeUtf8(Uint8Array.from(pieces));
  }
}

/** One memory in front of another: what the first has, the second is not asked for. */
export class LayeredSpace implements AddressSpace {
  readonly #front: AddressSpace;
  readonly #back: AddressSpace;
  readonly #start: bigint;
  readonly #end: bigint;

  /** @param front answers for all addresses from `start` to `end`, and for no others */
  constructor(front: AddressSpace, start: bigint, end: bigint, back: AddressSpace) {
    this.#front = front;
    this.#back = back;
    this.#start = start;
    this.#end = end;
  }

  #for(virtual: bigint): AddressSpace {
    return virtual >= this.#start && virtual < this.#end ? this.#front : this.#back;
  }

  translate(virtual: bigint): bigint | null {
    return this.#for(virtual).translate(virtual);
  }
  explain(virtual: bigint): MemoryFault | null {
    return this.#for(virtual).explain(virtual);
  }
  read(virtual: bigint, length: number): Uint8Array | null {
    return this.#for(virtual).read(virtual, length);
  }
  readSparse(virtual: bigint, length: number): { readonly bytes: Uint8Array; readonly faults: readonly MemoryFault[] } {
    return this.#for(virtual).readSparse(virtual, length);
  }
  u8(virtual: bigint): number | null {
    return this.#for(virtual).u8(virtual);
  }
  u16(virtual: bigint): number | null {
    return this.#for(virtual).u16(virtual);
  }
  u32(virtual: bigint): number | null {
    return this.#for(virtual).u32(virtual);
  }
  i32(virtual: bigint): number | null {
    return this.#for(virtual).i32(virtual);
  }
  u64(virtual: bigint): bigint | null {
    return this.#for(virtual).u64(virtual);
  }
  cstring(virtual: bigint, max?: number): string | null {
    return this.#for(virtual).cstring(virtual, max);
  }
}
