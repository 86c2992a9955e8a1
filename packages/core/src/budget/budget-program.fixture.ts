import { EmptyTypes } from "../types/empty-types.ts";
import type { BudgetProgram } from "./budget.ts";

/** A program of which a budget knows no more than its name: no byte of its memory, no symbol, no type; bar what `known` says. */
export function budgetProgram(known: Readonly<Record<string, unknown>> = {}): BudgetProgram {
  return {
    memory: { u64: () => null },
    types: EmptyTypes,
    moduleTypes: () => EmptyTypes,
    symbols: { byName: () => null, byAddress: () => null },
    name: "test",
    release: "6.1.0-test",
    source: "vmlinux",
    threadSize: 16384,
    problems: [],
    ...known,
  } as unknown as BudgetProgram;
}
