/** What unwinding needs of a kernel, with memos that live as long as one dump is open. */
import { type CallSite, callReaches, callSiteBefore, type Reach } from "../code/call-site.ts";
import { CodeReader } from "../code/code-reader.ts";
import type { Kernel, StackRange } from "../kernel/kernel.ts";
import type { FunctionRange } from "../symbols/symbol-table.ts";
import type { CfiRow, CfiTable } from "./cfi.ts";
import { openCfiInMemory } from "./cfi-kernel.ts";
import type { OrcEntry } from "./orc.ts";

export class UnwindContext {
  readonly kernel: Kernel;
  readonly reader: CodeReader;
  readonly #orc = new Map<bigint, OrcEntry | null>();
  readonly #sites = new Map<bigint, CallSite | null>();
  readonly #reaches = new Map<string, Reach>();
  readonly #cfi = new Map<bigint, CfiRow | null>();
  #cfiTable: CfiTable | null | undefined;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.reader = new CodeReader(kernel.memory, kernel.symbols);
  }

  /** ORC entry in force at an exact address. */
  orcAt(pc: bigint): OrcEntry | null {
    let entry = this.#orc.get(pc);
    if (entry === undefined) {
      entry = this.kernel.orc?.find(pc) ?? null;
      this.#orc.set(pc, entry);
    }
    return entry;
  }

  /** CFI in force at an exact address, of the debug files or of the kernel's own memory. */
  cfiAt(pc: bigint): CfiRow | null {
    let row = this.#cfi.get(pc);
    if (row === undefined) {
      const { debugInfo, memory, symbols } = this.kernel;
      if (this.#cfiTable === undefined) this.#cfiTable = openCfiInMemory(memory, symbols);
      row = debugInfo?.cfi.find(pc) ?? this.#cfiTable?.find(pc) ?? null;
      this.#cfi.set(pc, row);
    }
    return row;
  }

  /** The call that pushes `returnAddress`, or null. */
  callSite(returnAddress: bigint): CallSite | null {
    let site = this.#sites.get(returnAddress);
    if (site === undefined) {
      site = this.kernel.symbols.isText(returnAddress - 1n) ? callSiteBefore(this.reader, returnAddress) : null;
      this.#sites.set(returnAddress, site);
    }
    return site;
  }

  /** Can the call before `returnAddress` have entered `callee`? */
  reaches(site: CallSite, callee: FunctionRange): Reach {
    const key = `${site.returnAddress}:${callee.start}`;
    let reach = this.#reaches.get(key);
    if (reach === undefined) {
      reach = callReaches(this.reader, site, callee);
      this.#reaches.set(key, reach);
    }
    return reach;
  }

  /** In the kernel's init text, which is freed after boot (its ORC data stay). */
  isInitText(address: bigint): boolean {
    const start = this.kernel.symbols.byName("_sinittext", null)?.address;
    const end = this.kernel.symbols.byName("_einittext", null)?.address;
    return start !== undefined && end !== undefined && address > start && address <= end;
  }

  functionAt(address: bigint): FunctionRange | null {
    return this.kernel.symbols.functionAt(address);
  }

  stackAt(address: bigint): StackRange | null {
    return this.kernel.stackAt(address)?.stack ?? null;
  }
}

const contexts = new WeakMap<Kernel, UnwindContext>();

/** The context of a kernel; one each, so that its memos serve every question. */
export function unwindContext(kernel: Kernel): UnwindContext {
  let context = contexts.get(kernel);
  if (context === undefined) {
    context = new UnwindContext(kernel);
    contexts.set(kernel, context);
  }
  return context;
}
