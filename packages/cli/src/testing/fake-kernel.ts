import type { Cpu, Kernel, KernelModule, KernelSymbol, LogRecord, SymbolTable, Task } from "@spillway/core";

export const TEXT = 0xffffffff81000000n;
export const INIT_TASK = 0xffff8a210120a0c0n;

const symbol = (name: string, offset: number, type = "T", module: string | null = null): KernelSymbol => ({
  name,
  address: (module === null ? TEXT : 0xffffffffc0000000n) + BigInt(offset),
  type,
  module,
});

export const SYMBOLS: readonly KernelSymbol[] = [
  symbol("vfs_read", 0x100),
  symbol("vfs_write", 0x200),
  symbol("nest.isra.0", 0x300, "t"),
  symbol("linux_banner", 0x400, "R"),
  symbol("parse_packet", 0x40, "t", "vandal"),
];

/** Distance at which a symbol no longer covers an address, in bytes. */
const REACH = 0x100n;

function symbolTable(modules: readonly KernelModule[]): SymbolTable {
  const named = (name: string) => SYMBOLS.filter((one) => one.name === name);
  const at = (address: bigint) =>
    SYMBOLS.find((one) => address >= one.address && address < one.address + REACH) ?? null;
  return {
    byName: (name) => named(name)[0] ?? null,
    allByName: named,
    byAddress(address) {
      const found = at(address);
      return found === null ? null : { symbol: found, offset: Number(address - found.address) };
    },
    functionAt(address) {
      const found = at(address);
      if (found === null) return null;
      return { name: found.name, module: found.module, start: found.address, end: found.address + REACH };
    },
    isText: (address) => at(address) !== null,
    modules,
    all: () => SYMBOLS,
  };
}

export function task(facts: Partial<Task>): Task {
  return {
    address: INIT_TASK,
    pid: 1,
    tgid: 1,
    comm: "init",
    state: "RU",
    cpu: 0,
    parent: null,
    mm: null,
    kernelThread: false,
    stack: null,
    savedSp: null,
    canary: null,
    running: false,
    ...facts,
  };
}

export function cpu(facts: Partial<Cpu>): Cpu {
  return { number: 0, online: true, perCpuOffset: 0n, currentTask: null, registers: null, ...facts };
}

export interface FakeFacts {
  readonly tasks?: readonly Task[];
  readonly cpus?: readonly Cpu[];
  readonly log?: readonly LogRecord[];
  readonly modules?: readonly KernelModule[];
  /** Memory by start address. */
  readonly memory?: readonly (readonly [bigint, Uint8Array])[];
  readonly overrides?: Partial<Kernel>;
}

/** A kernel with what a test gives it and nothing else: enough for the commands that print what it says. */
export function fakeKernel(facts: FakeFacts = {}): Kernel {
  const tasks = facts.tasks ?? [];
  const read = (address: bigint, length: number): Uint8Array | null => {
    for (const [start, bytes] of facts.memory ?? []) {
      const offset = Number(address - start);
      if (offset >= 0 && offset + length <= bytes.length) return bytes.slice(offset, offset + length);
    }
    return null;
  };
  const memory: Partial<Kernel["memory"]> = {
    read,
    explain: (virtual) => (read(virtual, 1) === null ? { reason: "excluded", virtual, physical: null } : null),
    readSparse(virtual, length) {
      const bytes = new Uint8Array(length);
      for (let index = 0; index < length; index++) {
        const byte = read(virtual + BigInt(index), 1);
        if (byte === null) {
          return { bytes, faults: [{ reason: "excluded", virtual: virtual + BigInt(index), physical: null }] };
        }
        bytes[index] = byte[0]!;
      }
      return { bytes, faults: [] };
    },
  };
  const kernel: Partial<Kernel> = {
    image: { format: "elf", flattened: false, header: null, problems: [] } as unknown as Kernel["image"],
    memory: memory as Kernel["memory"],
    symbols: symbolTable(facts.modules ?? []),
    release: "6.1.0-56-cloud-amd64",
    banner: "Linux version 6.1.0-56-cloud-amd64 (someone@somewhere) (gcc-12) #1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2",
    machine: "x86_64",
    nodename: "(none)",
    kaslrOffset: 0n,
    pagingLevels: 4,
    threadSize: 16384,
    uptimeSeconds: 1.5,
    crashTime: "2026-11-20T21:14:03Z",
    loadAverage: [0, 0.25, 1.5],
    memoryBytes: 267911168,
    cpus: facts.cpus ?? [],
    tasks: () => tasks,
    task: (address) => tasks.find((one) => one.address === address) ?? null,
    log: () => facts.log ?? [],
    debugInfo: null,
    panic: { cpu: null, task: null, message: null, source: null },
    problems: [],
    ...facts.overrides,
  };
  return kernel as Kernel;
}
