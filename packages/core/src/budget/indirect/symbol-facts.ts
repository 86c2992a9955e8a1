/** What the names of a program's symbols say, found in one pass: there are a hundred thousand, and few of them say anything. */
import type { KernelSymbol } from "../../symbols/symbol-table.ts";
import { low32 } from "../function-table.ts";

export interface SymbolFacts {
  /** Retpoline thunks (arch/x86/lib/retpoline.S, `__x86_indirect_thunk_rax` and their kin): registers by address. */
  readonly thunks: ReadonlyMap<number, number>;
  readonly returnThunks: ReadonlySet<number>;
  /** ftrace's entry hook and the profiler's, which save all registers (arch/x86/kernel/ftrace_64.S). */
  readonly preserving: ReadonlySet<number>;
  /** Names of tracepoints (`struct tracepoint`) by address. */
  readonly tracepoints: ReadonlyMap<number, string>;
  /** `struct trace_event_call` and `struct bpf_raw_event_map`, in the order of the symbols. */
  readonly traced: readonly { readonly address: number; readonly kind: "event" | "map" }[];
  /** Keys (`exportKey`) of the functions and variables that modules may use. */
  readonly exported: ReadonlySet<string>;
}

export function exportKey(name: string, module: string | null): string {
  return `${module ?? ""} ${name}`;
}

const UNDERSCORE = 0x5f;
const TRACEPOINT = "__tracepoint_";
const EXPORT = "__ksymtab_";
const REGISTERS = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(" ");

export function symbolFacts(symbols: readonly KernelSymbol[]): SymbolFacts {
  const thunks = new Map<number, number>();
  const returnThunks = new Set<number>();
  const preserving = new Set<number>();
  const tracepoints = new Map<number, string>();
  const traced: { address: number; kind: "event" | "map" }[] = [];
  const exported = new Set<string>();
  for (let n = 0; n < symbols.length; n++) {
    const symbol = symbols[n]!;
    const { name } = symbol;
    if (isReturnThunk(name)) returnThunks.add(low32(symbol.address));
    if (name.charCodeAt(0) !== UNDERSCORE || name.charCodeAt(1) !== UNDERSCORE) {
      if (name.startsWith("event_")) traced.push({ address: low32(symbol.address), kind: "event" });
      else if (name === "ftrace_caller" || name === "ftrace_regs_caller") preserving.add(low32(symbol.address));
      continue;
    }
    if (name.startsWith(EXPORT)) exported.add(exportKey(name.slice(EXPORT.length), symbol.module));
    else if (name.startsWith(TRACEPOINT)) tracepoints.set(low32(symbol.address), name.slice(TRACEPOINT.length));
    else if (name.startsWith("__bpf_trace_tp_map_")) traced.push({ address: low32(symbol.address), kind: "map" });
    else if (name === "__fentry__") preserving.add(low32(symbol.address));
    else if (name.startsWith("__x86_")) {
      const register = thunkRegister(name);
      if (register >= 0) thunks.set(low32(symbol.address), register);
    }
  }
  return { thunks, returnThunks, preserving, tracepoints, traced, exported };
}

function thunkRegister(name: string): number {
  const match = /^__x86_indirect_(?:(?:call_|jump_)?thunk|its_thunk)_(\w+)$/.exec(name);
  return match === null ? -1 : REGISTERS.indexOf(match[1]!);
}

function isReturnThunk(name: string): boolean {
  // Most end otherwise.
  const last = name.charCodeAt(name.length - 1);
  if (last === 0x6b) return name.endsWith("_return_thunk");
  return (last === 0x74 && name.endsWith("_untrain_ret")) || name.startsWith("zen_untrain_ret");
}
