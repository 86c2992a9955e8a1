/** A symbol as kallsyms or a module's symbol table names it. */
export interface KernelSymbol {
  readonly name: string;
  readonly address: bigint;
  /** nm's letter: T/t text, D/d data, B/b bss, R/r read-only, A absolute, W/w weak … */
  readonly type: string;
  /** Module name, or null for the kernel itself. */
  readonly module: string | null;
}

export interface SymbolAt {
  readonly symbol: KernelSymbol;
  /** Bytes from the symbol's address. */
  readonly offset: number;
}

/** A function's extent: from its symbol to the next one (or the end of its text section). */
export interface FunctionRange {
  readonly name: string;
  readonly module: string | null;
  /** First byte. */
  readonly start: bigint;
  /** One past the last byte. */
  readonly end: bigint;
}

/** A loaded module, as far as symbols and stacks need it. */
export interface KernelModule {
  readonly name: string;
  /** Address of its `struct module`. */
  readonly address: bigint;
  /** Sum of its sections' sizes in bytes. */
  readonly size: number;
  /** Lowest address of its core text/data. */
  readonly base: bigint;
  readonly state: "live" | "coming" | "going" | "unformed";
  readonly taints: string;
  /** Memory areas; `text` ones hold code, `init` ones are given back once the module has started. */
  readonly areas: readonly {
    readonly start: bigint;
    readonly size: number;
    readonly text: boolean;
    readonly init?: boolean;
  }[];
}

/** Addresses <-> names, over the kernel and its modules. */
export interface SymbolTable {
  /** The first global, else first local, symbol of that name; the kernel before modules unless `module` is given. */
  byName(name: string, module?: string | null): KernelSymbol | null;
  /** All of that name. */
  allByName(name: string): readonly KernelSymbol[];
  /** The nearest symbol at or below the address within the same text/data area; null outside all known areas. */
  byAddress(address: bigint): SymbolAt | null;
  /** The function that contains the address (text symbols only; of aliases the one that the kernel's own traces print). */
  functionAt(address: bigint): FunctionRange | null;
  /** True where the address lies in kernel or module text (code), whether or not a symbol is known for it. */
  isText(address: bigint): boolean;
  readonly modules: readonly KernelModule[];
  /** All symbols in ascending order of address, lazily; kernel first. */
  all(): Iterable<KernelSymbol>;
}
