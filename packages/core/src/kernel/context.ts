import type { DumpImage } from "../image/dump-image.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { SymbolTable } from "../symbols/symbol-table.ts";
import { vmcoreSymbol } from "../symbols/vmcoreinfo.ts";
import type { TypeProvider } from "../types/type-provider.ts";

/** What every part of the kernel model needs. `types` is opened on first use: ask it only when nothing cheaper answers. */
export interface KernelContext {
  readonly image: DumpImage;
  readonly memory: AddressSpace;
  readonly symbols: SymbolTable;
  readonly types: TypeProvider;
  readonly vmcoreinfo: ReadonlyMap<string, string>;
  /** Adds a line to `Kernel.problems`, once. */
  problem(text: string): void;
}

/** Address of a symbol of the kernel proper, from kallsyms or else from VMCOREINFO's `SYMBOL(name)`. */
export function kernelSymbol(context: Pick<KernelContext, "symbols" | "vmcoreinfo">, name: string): bigint | null {
  return context.symbols.byName(name, null)?.address ?? vmcoreSymbol(context.vmcoreinfo, name);
}

/** Whether an address can be one of the kernel's half of the address space (canonical, upper half). */
export function isKernelAddress(address: bigint): boolean {
  return address >= 0xff00000000000000n && address <= 0xffffffffffffffffn;
}

/** Reads a variable of the kernel by name; null where the symbol or the memory is missing. */
export function readU64(context: KernelContext, name: string): bigint | null {
  const address = kernelSymbol(context, name);
  return address === null ? null : context.memory.u64(address);
}

export function readI32(context: KernelContext, name: string): number | null {
  const address = kernelSymbol(context, name);
  return address === null ? null : context.memory.i32(address);
}
