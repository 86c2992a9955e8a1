/**
 * Decoded instructions as columns of small numbers: what a pass over a whole kernel (some 2.5 million instructions) can
 * afford. One object is filled for one function after the other; `decodeInstructions` makes plain objects of the same.
 *
 * Addresses, branch targets and displacements are the low 32 bits, signed. For code in the top 2 GiB, where x86_64 links the
 * kernel and its modules, their sign extension is the 64-bit address; `wide` holds what it is not.
 */
import { MAX_OPERANDS } from "./code-format.ts";
import { CommonDecoder } from "./common-decoder.ts";
import { IcedReader } from "./iced-reader.ts";

export * from "./code-format.ts";
export * from "./instruction-names.ts";

const FIRST_CAPACITY = 1024;

/** Contiguous instructions; addresses are the low 32 bits, signed. */
export interface CodeRun {
  /** Index of the first one. */
  readonly first: number;
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
}

export class CodeColumns {
  /** Instructions; the columns are longer. */
  count = 0;
  address = new Int32Array(FIRST_CAPACITY);
  /** Bytes. */
  length = new Uint8Array(FIRST_CAPACITY);
  /** iced's number of the mnemonic; see `mnemonicName`. */
  mnemonic = new Uint16Array(FIRST_CAPACITY);
  /** Index into FLOWS. */
  flow = new Uint8Array(FIRST_CAPACITY);
  /** Target of a direct branch or call; 0 where there is none. */
  target = new Int32Array(FIRST_CAPACITY);
  operandCount = new Uint8Array(FIRST_CAPACITY);
  /** One of OPERAND, at `index * MAX_OPERANDS + operand`; stale behind `operandCount`. */
  operandKind = new Uint8Array(FIRST_CAPACITY * MAX_OPERANDS);
  /** iced's number of the register of a register operand, laid out alike; see `generalRegister` and `registerBytes`. */
  operandRegister = new Uint8Array(FIRST_CAPACITY * MAX_OPERANDS);
  /** The first immediate operand, signed. */
  immediate = new Int32Array(FIRST_CAPACITY);
  /** Of the memory operand: iced's register numbers, 0 for none. A RIP-relative one has no base, but an absolute address. */
  base = new Uint8Array(FIRST_CAPACITY);
  index = new Uint8Array(FIRST_CAPACITY);
  scale = new Uint8Array(FIRST_CAPACITY);
  /** 1: fs, 2: gs, 0 for all others. */
  segment = new Uint8Array(FIRST_CAPACITY);
  ripRelative = new Uint8Array(FIRST_CAPACITY);
  displacement = new Int32Array(FIRST_CAPACITY);
  /** Values that are not the sign extension of 32 bits, by `WIDE_… + instruction * WIDE_KINDS`. */
  readonly wide = new Map<number, bigint>();
  /** Where each run of contiguous instructions begins: a function's body, then its cold parts. */
  readonly runs: CodeRun[] = [];

  /** For each byte of the first run: the instruction that starts there, -1 where none does; of so many instructions. */
  #byOffset = new Int32Array(FIRST_CAPACITY);
  #placed = -1;
  #common: CommonDecoder | null = null;

  clear(): void {
    this.count = 0;
    this.wide.clear();
    this.runs.length = 0;
    this.#placed = -1;
  }

  /** Index of the instruction that starts at the address (low 32 bits, signed), or -1. */
  indexAt(address: number): number {
    const first = this.runs[0];
    if (first !== undefined && address >= first.start && address < first.end)
      return this.#inFirstRun(address - first.start);
    const index = this.indexHolding(address);
    return index >= 0 && this.address[index] === address ? index : -1;
  }

  #inFirstRun(offset: number): number {
    const end = this.runs[1]?.first ?? this.count;
    const { start, end: behind } = this.runs[0]!;
    if (this.#placed !== end) {
      if (this.#byOffset.length < behind - start) this.#byOffset = new Int32Array(2 * (behind - start));
      this.#byOffset.fill(-1, 0, behind - start);
      for (let at = 0; at < end; at++) this.#byOffset[this.address[at]! - start] = at;
      this.#placed = end;
    }
    return this.#byOffset[offset]!;
  }

  /** Index of the instruction that has this byte, or -1. */
  indexHolding(address: number): number {
    for (let run = 0; run < this.runs.length; run++) {
      const { first, start, end } = this.runs[run]!;
      if (address < start || address >= end) continue;
      let low = first;
      let high = (this.runs[run + 1]?.first ?? this.count) - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (this.address[middle]! <= address) low = middle;
        else high = middle - 1;
      }
      return low < this.count ? low : -1;
    }
    return -1;
  }

  /** Does the address lie in the code that was decoded? */
  holds(address: number): boolean {
    for (let run = 0; run < this.runs.length; run++) {
      const { start, end } = this.runs[run]!;
      if (address >= start && address < end) return true;
    }
    return false;
  }

  /** Is instruction `index + 1` what follows `index` in memory? */
  followed(index: number): boolean {
    return index + 1 < this.count && this.address[index + 1] === this.address[index]! + this.length[index]!;
  }

  /**
   * Decodes one instruction after the other (linear sweep) from `bytes`, which lie at `address`, behind what is here. Bytes
   * that are no instruction give one of flow `invalid` and length 1, and decoding goes on behind it.
   * @param limit at most so many instructions
   */
  decode(bytes: Uint8Array, address: bigint, limit = Number.POSITIVE_INFINITY): void {
    const base = Number(BigInt.asIntN(32, address));
    this.runs.push({ first: this.count, start: base, end: base + bytes.length });
    // Where addresses are the sign extension of their low halves, throughout.
    const isNarrow = BigInt.asUintN(64, BigInt(base)) === address && base + bytes.length <= (base < 0 ? 0 : 0x7fffffff);
    this.#common ??= new CommonDecoder(this);
    this.#common.begin(bytes, base);
    const others = new IcedReader(this, bytes, address);
    const last = this.count + limit;
    try {
      for (let position = 0; position < bytes.length && this.count < last; ) {
        if (this.count === this.address.length) this.reserve(this.count + 1);
        const at = this.count++;
        const length = isNarrow ? this.#common.decode(at, position) : 0;
        position += length === 0 ? others.decode(at, position) : length;
      }
    } finally {
      others.free();
    }
  }

  /** Makes the columns long enough for so many instructions. */
  reserve(count: number): void {
    if (count <= this.address.length) return;
    let capacity = this.address.length;
    while (capacity < count) capacity *= 2;
    const longer = <T extends Int32Array | Uint8Array | Uint16Array>(make: new (length: number) => T, column: T): T => {
      const result = new make((column.length / this.address.length) * capacity);
      result.set(column);
      return result;
    };
    const { operandKind, operandRegister } = this;
    this.operandKind = longer(Uint8Array, operandKind);
    this.operandRegister = longer(Uint8Array, operandRegister);
    for (const name of [
      "length",
      "flow",
      "operandCount",
      "base",
      "index",
      "scale",
      "segment",
      "ripRelative",
    ] as const) {
      this[name] = longer(Uint8Array, this[name]);
    }
    this.mnemonic = longer(Uint16Array, this.mnemonic);
    this.target = longer(Int32Array, this.target);
    this.immediate = longer(Int32Array, this.immediate);
    this.displacement = longer(Int32Array, this.displacement);
    this.address = longer(Int32Array, this.address);
  }
}
