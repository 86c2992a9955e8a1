/** Which of several symbols at one address, or of one name, is meant. */
import type { KernelSymbol } from "./symbol-table.ts";

/** Aliases of one address that are looked at; real kernels have a few hundred at most (`sys_ni_syscall`'s). */
export const MOST_ALIASES = 1024;

/** Marks of the linker script (`_stext`, `__entry_text_end`, `__start_rodata`) that name a place and not a thing. */
export const MARKER =
  /^(_text|_[se](text|inittext|data)|__(start|stop)_.*|__.*_(start|end|begin)|_end|__bss_(start|stop))$/;

/**
 * Those of them that stand in code (arch/x86/kernel/vmlinux.lds.S, include/asm-generic/vmlinux.lds.h). Many a function is
 * called `__unwind_start` or `__mmu_notifier_invalidate_range_end`, and is none of them.
 */
export const TEXT_MARKER = /^(_text|_[se](text|inittext)|__\w+_text_(start|end)|__indirect_thunk_(start|end)|_end)$/;

/**
 * Which of several names at one address to use; lower is better. With ties left in table order our names are those of the
 * kernel's own traces: it prints the first (kallsyms.c `get_symbol_pos`), and scripts/kallsyms.c `compare_symbols` puts
 * weak names and those with more leading underscores last.
 */
export function aliasRank(name: string, type: string): number {
  if ((isTextLetter(type) ? TEXT_MARKER : MARKER).test(name)) return 3;
  if (name.startsWith("__pfx_")) return 2;
  return type === "w" || type === "W" ? 1 : 0;
}

export function isTextLetter(letter: string): boolean {
  return letter === "t" || letter === "T" || letter === "w" || letter === "W" || letter === "i";
}

/** The first global of symbols of one name, else the first. */
export function firstGlobal(symbols: readonly KernelSymbol[]): KernelSymbol | null {
  return symbols.find((symbol) => symbol.type >= "A" && symbol.type <= "Z") ?? symbols[0] ?? null;
}
