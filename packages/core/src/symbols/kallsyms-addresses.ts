import { highHalf, joinHalves, lowHalf, u32At } from "../memory/split-address.ts";

/**
 * The addresses of kallsyms. Inside they are doubles that hold the address as a *signed* 64-bit number: kernel text lies at
 * -2 GiB and up, per-CPU offsets at 0 and up, all far below 2^53 and so exact.
 *
 * - `absolute`: 64-bit addresses in `kallsyms_addresses` (all kernels before 4.6; CONFIG_KALLSYMS_BASE_RELATIVE=n until
 *   64e166099b69b in 6.11);
 * - `base-relative`: unsigned 32-bit offsets from `kallsyms_relative_base` (2213e9a66bb87, 4.6, to 6.x);
 * - `absolute-percpu`: signed; 0 and up are absolute values (per-CPU offsets), below it `base - 1 - value` (same commit;
 *   x86_64 SMP until 01157ddc58dc2 in 6.15);
 * - `place-relative`: signed, from where the offset itself lies (a081b5789255d, 7.0).
 */
export type AddressEncoding = "absolute" | "base-relative" | "absolute-percpu" | "place-relative";

/** A bigint address as signed double. */
export function signedAddress(address: bigint): number {
  return (highHalf(address) | 0) * 0x100000000 + lowHalf(address);
}

/** The unsigned bigint again. */
export function unsignedAddress(signed: number): bigint {
  return joinHalves(Math.floor(signed / 0x100000000), signed);
}

/**
 * Decodes `count` entries of a kallsyms address table.
 * @param table raw bytes of `kallsyms_addresses` or `kallsyms_offsets`
 * @param origin signed: the relative base, or for place-relative where the table lies; unused for absolute
 */
export function decodeAddresses(
  table: Uint8Array,
  count: number,
  encoding: AddressEncoding,
  origin: number,
): Float64Array {
  const addresses = new Float64Array(count);
  if (encoding === "absolute") {
    for (let i = 0; i < count; i++) {
      addresses[i] = (u32At(table, i * 8 + 4) | 0) * 0x100000000 + u32At(table, i * 8);
    }
    return addresses;
  }
  const offsets = signedWords(table, count);
  switch (encoding) {
    case "base-relative":
      for (let i = 0; i < count; i++) addresses[i] = origin + ((offsets[i] as number) >>> 0);
      break;
    case "absolute-percpu":
      for (let i = 0; i < count; i++) {
        const offset = offsets[i] as number;
        addresses[i] = offset >= 0 ? offset : origin - 1 - offset;
      }
      break;
    case "place-relative":
      for (let i = 0; i < count; i++) addresses[i] = origin + i * 4 + (offsets[i] as number);
      break;
  }
  return addresses;
}

/** A view where the bytes are aligned, else a copy. */
function signedWords(table: Uint8Array, count: number): Int32Array {
  const aligned = table.byteOffset % 4 === 0 ? table : table.slice(0, count * 4);
  return new Int32Array(aligned.buffer, aligned.byteOffset, count);
}

/** What entry `i` alone decodes to. */
export function decodeAddress(table: Uint8Array, i: number, encoding: AddressEncoding, origin: number): number {
  const width = encoding === "absolute" ? 8 : 4;
  const at = encoding === "place-relative" ? origin + i * 4 : origin;
  return decodeAddresses(table.subarray(i * width, (i + 1) * width), 1, encoding, at)[0] as number;
}

/**
 * How well a table of addresses keeps to the order that scripts/kallsyms.c writes (ascending as unsigned numbers): the
 * share of neighbours in order, over a sample of at most 4096. The right encoding gives 1 or next to it, a wrong one of
 * the signed kinds next to 0.
 */
export function orderliness(addresses: Float64Array): number {
  const pairs = addresses.length - 1;
  if (pairs < 1) return 1;
  const step = Math.max(1, Math.floor(pairs / 4096));
  let good = 0;
  let seen = 0;
  for (let i = 0; i < pairs; i += step) {
    const a = addresses[i] as number;
    const b = addresses[i + 1] as number;
    // Unsigned order of signed numbers: not negative before negative.
    if (a < 0 === b < 0 ? a <= b : a >= 0) good++;
    seen++;
  }
  return good / seen;
}

/** Searchable order of addresses: kernel (negative) ones only, ascending, ties in table order. */
export class AddressOrder {
  readonly #addresses: Float64Array;
  /** First symbol of the kernel half where the table is in order, else a sorted list of symbol numbers. */
  readonly #first: number;
  readonly #sorted: Uint32Array | null;
  readonly length: number;
  #lastFloor = -1;

  constructor(addresses: Float64Array) {
    this.#addresses = addresses;
    let first = 0;
    while (first < addresses.length && (addresses[first] as number) >= 0) first++;
    let inOrder = true;
    for (let i = first + 1; i < addresses.length && inOrder; i++) {
      inOrder = (addresses[i] as number) >= (addresses[i - 1] as number) && (addresses[i] as number) < 0;
    }
    this.#first = first;
    if (inOrder) {
      this.#sorted = null;
      this.length = addresses.length - first;
    } else {
      const numbers: number[] = [];
      for (let i = 0; i < addresses.length; i++) if ((addresses[i] as number) < 0) numbers.push(i);
      numbers.sort((a, b) => (addresses[a] as number) - (addresses[b] as number) || a - b);
      this.#sorted = Uint32Array.from(numbers);
      this.length = numbers.length;
    }
  }

  /** Symbol number at a rank of the order. */
  at(rank: number): number {
    return this.#sorted === null ? this.#first + rank : (this.#sorted[rank] as number);
  }

  /** Address at a rank of the order. */
  addressAt(rank: number): number {
    return this.#addresses[this.at(rank)] as number;
  }

  /** Rank of the last symbol at or below the address; -1 where all lie above. */
  floor(address: number): number {
    // Who goes through all of them asks for one after the other.
    const next = this.#lastFloor + 1;
    if (next < this.length && this.addressAt(next) <= address) {
      if (next + 1 === this.length || this.addressAt(next + 1) > address) {
        this.#lastFloor = next;
        return next;
      }
    }
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.addressAt(middle) <= address) low = middle + 1;
      else high = middle;
    }
    this.#lastFloor = low - 1;
    return low - 1;
  }
}
