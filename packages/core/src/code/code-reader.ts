/** Functions of the kernel under study, decoded from its memory on demand. */
import type { AddressSpace } from "../memory/address-space.ts";
import type { FunctionRange, SymbolTable } from "../symbols/symbol-table.ts";
import { decodeInstructions, type Instruction } from "./instruction.ts";

/** A decoded function. */
export interface FunctionCode {
  readonly range: FunctionRange;
  readonly instructions: readonly Instruction[];
  /** Index of the instruction that starts at `address`, or -1. */
  indexAt(address: bigint): number;
  /** Index of the instruction that ends exactly at `address`, or -1. */
  indexEndingAt(address: bigint): number;
}

/** No kernel function is larger; a symbol gap that is larger holds something else. Bytes. */
const MAX_FUNCTION_BYTES = 256 * 1024;
/** Decoded functions kept; a recursion's backtrace needs few, a whole `bt -a` some dozens. */
const MAX_CACHED_FUNCTIONS = 256;

export class CodeReader {
  readonly memory: AddressSpace;
  readonly symbols: SymbolTable;
  readonly #functions = new Map<bigint, FunctionCode | null>();

  constructor(memory: AddressSpace, symbols: SymbolTable) {
    this.memory = memory;
    this.symbols = symbols;
  }

  /** The function that holds `address`, decoded; null where there is none or its text is not in the dump. */
  functionAt(address: bigint): FunctionCode | null {
    const range = this.symbols.functionAt(address);
    if (range === null) return null;
    const cached = this.#functions.get(range.start);
    if (cached !== undefined) return cached;
    const code = this.#decode(range);
    if (this.#functions.size >= MAX_CACHED_FUNCTIONS) {
      const oldest = this.#functions.keys().next();
      if (!oldest.done) this.#functions.delete(oldest.value);
    }
    this.#functions.set(range.start, code);
    return code;
  }

  /** Decodes up to `limit` instructions from any address, without regard to symbols. */
  instructionsFrom(address: bigint, limit: number): Instruction[] {
    const { bytes, faults } = this.memory.readSparse(address, limit * 15);
    const first = faults[0];
    const usable = first === undefined ? bytes : bytes.subarray(0, Math.max(0, Number(first.virtual - address)));
    return decodeInstructions(usable, address, limit);
  }

  #decode(range: FunctionRange): FunctionCode | null {
    const length = Number(range.end - range.start);
    if (length <= 0 || length > MAX_FUNCTION_BYTES) return null;
    const bytes = this.memory.read(range.start, length);
    if (bytes === null) return null;
    return new DecodedFunction(range, decodeInstructions(bytes, range.start));
  }
}

class DecodedFunction implements FunctionCode {
  readonly range: FunctionRange;
  readonly instructions: readonly Instruction[];

  constructor(range: FunctionRange, instructions: readonly Instruction[]) {
    this.range = range;
    this.instructions = instructions;
  }

  indexAt(address: bigint): number {
    const index = this.#lastNotAfter(address);
    return index >= 0 && this.instructions[index]!.address === address ? index : -1;
  }

  indexEndingAt(address: bigint): number {
    const index = this.#lastNotAfter(address - 1n);
    if (index < 0) return -1;
    const instruction = this.instructions[index]!;
    return instruction.address + BigInt(instruction.length) === address ? index : -1;
  }

  #lastNotAfter(address: bigint): number {
    let low = 0;
    let high = this.instructions.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.instructions[middle]!.address <= address) low = middle + 1;
      else high = middle - 1;
    }
    return high;
  }
}
