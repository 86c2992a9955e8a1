import { SpillwayError } from "../../errors.ts";

/** Bytes of debug information that contradict themselves; callers at the edge turn it into a problem. */
export function corrupt(what: string, facts: Record<string, string | number> = {}): SpillwayError {
  return new SpillwayError("SPW_DEBUGINFO_CORRUPT", `the debug information is damaged: ${what}`, { facts });
}

/**
 * A position in little-endian bytes. Every read past the end throws `SPW_DEBUGINFO_CORRUPT`, so that loops which read
 * something each round end on any input.
 */
export class Reader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get end(): boolean {
    return this.at >= this.bytes.length;
  }

  #take(length: number): number {
    const at = this.at;
    const next = at + length;
    if (!(next <= this.bytes.length && next >= at && at >= 0)) throw corrupt("it ends inside an entry", { at, length });
    this.at = next;
    return at;
  }

  u8(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw corrupt("it ends inside an entry", { at: this.at });
    this.at++;
    return byte;
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u24(): number {
    return this.u16() | (this.u8() << 16);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Exact below 2^53, rounded from there on: far past any file or section. */
  u64(): number {
    const at = this.#take(8);
    return this.#view.getUint32(at + 4, true) * 0x1_0000_0000 + this.#view.getUint32(at, true);
  }

  big64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A 64-bit address as signed double (symbols/kallsyms-addresses.ts): exact where kernels lie. */
  address64(): number {
    const at = this.#take(8);
    return this.#view.getInt32(at + 4, true) * 0x1_0000_0000 + this.#view.getUint32(at, true);
  }

  /** An address of `size` bytes; 4-byte ones are taken as unsigned. */
  address(size: number): number {
    if (size === 8) return this.address64();
    if (size === 4) return this.u32();
    throw corrupt(`addresses of ${size} bytes`);
  }

  /** A section offset: 4 bytes in the 32-bit form of DWARF, 8 in the 64-bit one. */
  offset(size: 4 | 8): number {
    return size === 4 ? this.u32() : this.u64();
  }

  /** ULEB128; rounded from 2^53 on. */
  uleb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  /** SLEB128; rounded outside +-2^53. */
  sleb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return byte & 0x40 ? value - scale : value;
    }
  }

  /** LEB128 of either kind, all of its low 64 bits. */
  bigLeb(signed: boolean): bigint {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.u8();
      // Ten bytes hold 64 bits; padding after that adds nothing.
      if (shift < 70n) value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) {
        if (signed && byte & 0x40 && shift < 70n) value -= 1n << shift;
        return signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
      }
    }
  }

  skipLeb(): void {
    while (this.u8() >= 0x80);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** A view of the next `length` bytes, not a copy. */
  block(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }

  /** Bytes up to a NUL, which is skipped. */
  cstring(): Uint8Array {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw corrupt("a string has no end", { at: this.at });
    const text = this.bytes.subarray(this.at, end);
    this.at = end + 1;
    return text;
  }
}
