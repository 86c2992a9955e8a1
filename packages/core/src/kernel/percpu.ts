import { type KernelContext, kernelSymbol } from "./context.ts";

/** CONFIG_NR_CPUS stops at 8192 on x86_64. */
export const MAX_CPUS = 8192;

/** Per-CPU addressing: `__per_cpu_offset[cpu]` and the variables it shifts. */
export class PerCpu {
  readonly #context: KernelContext;
  readonly #table: bigint | null;
  readonly #offsets = new Map<number, bigint | null>();

  constructor(context: KernelContext) {
    this.#context = context;
    this.#table = kernelSymbol(context, "__per_cpu_offset");
  }

  /** `__per_cpu_offset[cpu]`, or null where unreadable or never set up. */
  offset(cpu: number): bigint | null {
    if (this.#table === null || !Number.isInteger(cpu) || cpu < 0 || cpu >= MAX_CPUS) return null;
    let offset = this.#offsets.get(cpu);
    if (offset === undefined) {
      offset = this.#context.memory.u64(this.#table + BigInt(cpu * 8));
      this.#offsets.set(cpu, offset);
    }
    return offset;
  }

  /**
   * Address of a per-CPU variable on a CPU. The symbol's value is an offset into the per-CPU section up to 6.14 and an
   * address inside its initial image since (9d7de2aa8b41); either way the sum, modulo 2^64, is the variable.
   */
  address(symbol: string, cpu: number): bigint | null {
    const variable = this.#context.symbols.byName(symbol, null);
    const offset = this.offset(cpu);
    if (variable === null || offset === null) return null;
    return BigInt.asUintN(64, variable.address + offset);
  }

  /** The word at `offset` of a per-CPU variable. */
  u64(symbol: string, cpu: number, offset = 0n): bigint | null {
    const address = this.address(symbol, cpu);
    return address === null ? null : this.#context.memory.u64(address + offset);
  }

  /** A member of the per-CPU struct variable `symbol` of type `struct`; `otherwise` is its offset where types are unknown. */
  memberU64(symbol: string, struct: string, member: string, cpu: number, otherwise: number | null): bigint | null {
    const base = this.address(symbol, cpu);
    if (base === null) return null;
    const offset = this.#context.types.member(struct, member)?.offset ?? otherwise;
    return offset === null ? null : this.#context.memory.u64(base + BigInt(offset));
  }
}
