/**
 * What registers hold, followed through a function in the order of its code: the task, an argument, a field of the object
 * that an argument points to. Branches are not told apart, what is stored on the stack is forgotten: enough to see that a
 * function stores through a pointer that it found in some field, no proof that it did.
 */
import type { FunctionCode } from "./code-reader.ts";
import type { Instruction, Operand } from "./instruction.ts";

export type Value =
  | { readonly kind: "task" }
  /** What lies at `offset` in the object whose address is `of`. */
  | { readonly kind: "field"; readonly of: Value; readonly offset: bigint }
  /** An address `offset` bytes into what a value points to. */
  | { readonly kind: "part"; readonly of: Value; readonly offset: bigint }
  | { readonly kind: "argument"; readonly index: number };

/** The registers that pass arguments (System V x86_64 psABI 3.2.3). */
export const ARGUMENTS = ["rdi", "rsi", "rdx", "rcx", "r8", "r9"] as const;
const CALLER_SAVED: readonly string[] = [...ARGUMENTS, "rax", "r10", "r11"];

export type Registers = ReadonlyMap<string, Value>;

export interface FlowOptions {
  /** What registers hold at the entry; by default the arguments. */
  readonly entry?: Registers;
  /** Address of the per-CPU variable that holds the current task, as `%gs:` names it; null where not known. */
  readonly currentTask: bigint | null;
}

/** Goes through `code`, and calls `visit` before each instruction with what the registers hold there. */
export function followValues(
  code: FunctionCode,
  options: FlowOptions,
  visit: (instruction: Instruction, registers: Registers) => void,
): void {
  const registers = new Map<string, Value>(
    options.entry ?? ARGUMENTS.map((name, index) => [name, { kind: "argument", index }] as const),
  );
  for (const instruction of code.instructions) {
    visit(instruction, registers);
    const [first, second] = instruction.operands;
    if (instruction.flow === "call" || instruction.flow === "indirect-call") {
      for (const name of CALLER_SAVED) registers.delete(name);
      continue;
    }
    if (first?.kind !== "register") continue;
    const moved = first.size === 8 ? yielded(instruction.mnemonic, second, registers, options) : null;
    // A pointer that is moved along (add, sub, inc) still points into the same thing.
    const kept = /^(cmp|test|push|add|sub|inc|dec)$/.test(instruction.mnemonic);
    if (moved !== null) registers.set(first.register, moved);
    else if (!kept) registers.delete(first.register);
  }
}

/** What an instruction puts into its first operand. */
function yielded(
  mnemonic: string,
  source: Operand | undefined,
  registers: Registers,
  options: FlowOptions,
): Value | null {
  if (mnemonic === "mov") return operandValue(source, registers, options);
  if (mnemonic !== "lea" || source?.kind !== "memory") return null;
  const base = source.base === null ? undefined : registers.get(source.base);
  const index = source.index === null ? undefined : registers.get(source.index);
  if (base !== undefined && source.index === null) return part(base, source.displacement);
  // An element of an array.
  return base ?? index ?? null;
}

/** `offset` bytes into what a value points to. */
function part(of: Value, offset: bigint): Value {
  if (offset === 0n) return of;
  return of.kind === "part" ? part(of.of, of.offset + offset) : { kind: "part", of, offset };
}

/** The value that an operand yields; null where it is none of those followed. */
function operandValue(operand: Operand | undefined, registers: Registers, options: FlowOptions): Value | null {
  if (operand?.kind === "register") return registers.get(operand.register) ?? null;
  if (operand?.kind !== "memory") return null;
  if (operand.segment === "gs") {
    const current = operand.base === null && operand.index === null && operand.displacement === options.currentTask;
    return current ? { kind: "task" } : null;
  }
  const base = operand.base === null || operand.index !== null ? undefined : registers.get(operand.base);
  if (base === undefined) return null;
  return base.kind === "part"
    ? { kind: "field", of: base.of, offset: base.offset + operand.displacement }
    : { kind: "field", of: base, offset: operand.displacement };
}

/** The pointer that an instruction stores through: its base, or its index where that is the pointer. */
export function storedThrough(instruction: Instruction, registers: Registers): Value | null {
  const [first] = instruction.operands;
  if (first?.kind !== "memory" || first.segment !== null) return null;
  if (/^(cmp|test|push|call|jmp|nop|prefetch\w*|bt)$/.test(instruction.mnemonic)) return null;
  const base = first.base === null ? undefined : registers.get(first.base);
  const index = first.index === null ? undefined : registers.get(first.index);
  const pointer = base ?? index ?? null;
  // Into the middle of what the pointer points to.
  return pointer?.kind === "part" ? pointer.of : pointer;
}
