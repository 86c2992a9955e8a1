/**
 * A kernel of a few functions and one stack, for tests: real machine code, real stack words, no dump.
 */
import type { Kernel, StackRange, Task } from "../kernel/kernel.ts";
import type { AddressSpace, MemoryFault } from "../memory/address-space.ts";
import type { FunctionRange, KernelModule, KernelSymbol, SymbolTable } from "../symbols/symbol-table.ts";
import { EmptyTypes } from "../types/empty-types.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import type { OrcTable } from "../unwind/orc.ts";

export const TEXT = 0xffffffff81000000n;
export const STACK_LOW = 0xffffc90000010000n;
export const STACK_SIZE = 0x4000n;
export const STACK_HIGH = STACK_LOW + STACK_SIZE;
export const TASK = 0xffff888001000000n;
export const CANARY = 0x1122334455667700n;

export interface TinyFunction {
  readonly name: string;
  /** Machine code as hex; blanks are ignored. */
  readonly code: string;
  readonly module?: string;
}

/** A variable: words at an address, named like a symbol. */
export interface TinyData {
  readonly name: string;
  readonly address: bigint;
  readonly words: readonly bigint[];
  readonly module?: string;
}

export interface TinyKernelOptions {
  readonly functions: readonly TinyFunction[];
  /** Words of the stack by address. */
  readonly stack?: Readonly<Record<string, bigint>>;
  /** Functions at which ORC says the stack ends (entry code). */
  readonly entries?: readonly string[];
  /** Memory besides text and stack; what names a module becomes that module's data. */
  readonly data?: readonly TinyData[];
  readonly types?: TypeProvider;
}

function bytesOfHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16),
  );
}

/** Functions laid out one after the other from TEXT on. */
class TinySymbols implements SymbolTable {
  readonly modules: readonly KernelModule[];
  readonly data: readonly TinyData[];
  readonly ranges: FunctionRange[] = [];
  readonly text: Uint8Array;

  constructor(functions: readonly TinyFunction[], data: readonly TinyData[]) {
    this.data = data;
    const parts = functions.map((one) => bytesOfHex(one.code));
    this.text = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const [index, part] of parts.entries()) {
      this.text.set(part, at);
      const { name, module } = functions[index]!;
      this.ranges.push({
        name,
        module: module ?? null,
        start: TEXT + BigInt(at),
        end: TEXT + BigInt(at + part.length),
      });
      at += part.length;
    }
    const names = new Set([...functions, ...data].flatMap((one) => one.module ?? []));
    this.modules = [...names].map((name) => this.#module(name));
  }

  /** All of the text counts as each module's: what lies in it is told by the functions' own entries. */
  #module(name: string): KernelModule {
    const own = this.data.filter((one) => one.module === name);
    const areas = own.map((one) => ({ start: one.address, size: one.words.length * 8, text: false }));
    const text = { start: TEXT, size: this.text.length, text: true };
    return { name, address: 0n, size: 0, base: TEXT, state: "live", taints: "", areas: [text, ...areas] };
  }

  byName(name: string): KernelSymbol | null {
    if (name === "_stext") return { name, address: TEXT, type: "T", module: null };
    if (name === "_etext") return { name, address: TEXT + BigInt(this.text.length), type: "T", module: null };
    const variable = this.data.find((one) => one.name === name);
    if (variable !== undefined) return { name, address: variable.address, type: "d", module: variable.module ?? null };
    const range = this.ranges.find((one) => one.name === name);
    return range ? { name, address: range.start, type: "t", module: range.module } : null;
  }

  allByName(name: string): KernelSymbol[] {
    const found = this.byName(name);
    return found ? [found] : [];
  }

  byAddress(address: bigint) {
    for (const { name, address: at, words, module } of this.data) {
      if (address < at || address >= at + BigInt(words.length * 8)) continue;
      return { symbol: { name, address: at, type: "d", module: module ?? null }, offset: Number(address - at) };
    }
    const range = this.functionAt(address);
    if (range === null) return null;
    const symbol = { name: range.name, address: range.start, type: "t", module: range.module };
    return { symbol, offset: Number(address - range.start) };
  }

  functionAt(address: bigint): FunctionRange | null {
    return this.ranges.find((range) => address >= range.start && address < range.end) ?? null;
  }

  isText(address: bigint): boolean {
    return address >= TEXT && address < TEXT + BigInt(this.text.length);
  }

  *all(): Iterable<KernelSymbol> {
    for (const range of this.ranges) yield this.byName(range.name)!;
  }
}

/** Text at TEXT, one stack and the variables; nothing else is mapped. */
class TinyMemory implements AddressSpace {
  readonly stack = new Uint8Array(Number(STACK_SIZE));
  readonly #regions: (readonly [bigint, Uint8Array])[];

  constructor(text: Uint8Array, data: readonly TinyData[]) {
    this.#regions = [
      [TEXT, text],
      [STACK_LOW, this.stack],
    ];
    for (const { address, words } of data) {
      this.#regions.push([address, new Uint8Array(BigUint64Array.from(words).buffer)]);
    }
  }

  setWord(address: bigint, value: bigint): void {
    new DataView(this.stack.buffer).setBigUint64(Number(address - STACK_LOW), BigInt.asUintN(64, value), true);
  }

  translate(virtual: bigint): bigint | null {
    return this.read(virtual, 1) === null ? null : virtual & 0xffffffffn;
  }

  explain(virtual: bigint): MemoryFault | null {
    return this.translate(virtual) === null ? { reason: "unmapped", virtual, physical: null } : null;
  }

  read(virtual: bigint, length: number): Uint8Array | null {
    for (const [base, bytes] of this.#regions) {
      const offset = Number(virtual - base);
      if (offset >= 0 && offset + length <= bytes.length) return bytes.slice(offset, offset + length);
    }
    return null;
  }

  readSparse(virtual: bigint, length: number) {
    const bytes = new Uint8Array(length);
    const faults: MemoryFault[] = [];
    for (let index = 0; index < length; index++) {
      const byte = this.u8(virtual + BigInt(index));
      if (byte === null) {
        faults.push({ reason: "unmapped", virtual: virtual + BigInt(index), physical: null });
        break;
      }
      bytes[index] = byte;
    }
    return { bytes, faults };
  }

  #number(virtual: bigint, length: number): bigint | null {
    const bytes = this.read(virtual, length);
    return bytes === null ? null : bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  u8 = (virtual: bigint) => this.read(virtual, 1)?.[0] ?? null;
  u16 = (virtual: bigint) => this.#small(virtual, 2);
  u32 = (virtual: bigint) => this.#small(virtual, 4);
  u64 = (virtual: bigint) => this.#number(virtual, 8);
  cstring = () => null;

  i32(virtual: bigint): number | null {
    const value = this.#small(virtual, 4);
    return value === null ? null : value | 0;
  }

  #small(virtual: bigint, length: number): number | null {
    const value = this.#number(virtual, length);
    return value === null ? null : Number(value);
  }
}

const STACK: StackRange = {
  kind: "task",
  name: "",
  cpu: null,
  task: TASK,
  low: STACK_LOW,
  high: STACK_HIGH,
  guardBelow: true,
};

/** Builds the kernel; addresses of functions by name come with it. */
export function tinyKernel(options: TinyKernelOptions): {
  kernel: Kernel;
  at: (name: string, offset?: number) => bigint;
} {
  const data = options.data ?? [];
  const symbols = new TinySymbols(options.functions, data);
  const memory = new TinyMemory(symbols.text, data);
  for (const [address, value] of Object.entries(options.stack ?? {})) memory.setWord(BigInt(address), value);
  const entries = new Set(options.entries ?? []);
  const orc: OrcTable = {
    layout: "test",
    find(pc) {
      const range = symbols.functionAt(pc);
      if (range === null || !entries.has(range.name)) return null;
      return {
        address: range.start,
        spRegister: "undefined",
        spOffset: 0,
        bpRegister: "undefined",
        bpOffset: 0,
        type: "end",
        signal: false,
      };
    },
  };
  const task: Task = {
    address: TASK,
    pid: 1,
    tgid: 1,
    comm: "init",
    state: "RU",
    cpu: 0,
    parent: null,
    mm: null,
    kernelThread: false,
    stack: STACK_LOW,
    savedSp: null,
    canary: CANARY,
    running: true,
  };
  const kernel = {
    memory,
    symbols,
    debugInfo: null,
    orc,
    cpus: [],
    types: options.types ?? EmptyTypes,
    vmcoreinfo: new Map(),
    image: { memory: { presentRanges: () => [] }, cpuNotes: [], problems: [] },
    tasks: () => [task],
    task: (address: bigint) => (address === TASK ? task : null),
    stacks: () => [STACK],
    extraStacks: () => null,
    stackAt: (address: bigint) => {
      if (address >= STACK_LOW && address < STACK_HIGH) return { stack: STACK, guard: false };
      return address >= STACK_LOW - 4096n && address < STACK_LOW ? { stack: STACK, guard: true } : null;
    },
    referenceCanary: () => ({ address: 0x28n, value: CANARY }),
    panic: { cpu: 0, task: TASK, message: null, source: null },
    problems: [],
  } as unknown as Kernel;
  return { kernel, at: (name, offset = 0) => symbols.byName(name)!.address + BigInt(offset) };
}
