/**
 * Does a function store through a pointer that it loads from a certain place? The question that turns "somebody holds a
 * pointer into this stack" into "and this is the code that writes there". Values are followed from the function's entry:
 * addresses that are known (arguments, symbols, what the dump holds in memory at known addresses) and the one pointer.
 */
import type { FunctionRange } from "../symbols/symbol-table.ts";
import { isIndirectThunk, isReturnThunk } from "./call-site.ts";
import type { CodeReader, FunctionCode } from "./code-reader.ts";
import { frameLayout, writesFirstOperand } from "./frame-layout.ts";
import { GENERAL_REGISTERS, type Instruction, type Operand } from "./instruction.ts";

export interface PointerUse {
  /** `stores`: writes through the pointer; `passes`: hands it to code that could not be followed. */
  readonly kind: "stores" | "passes";
  /** The instruction that stores through it, or calls with it. */
  readonly at: bigint;
  /** From the function that was entered to the one that does it. */
  readonly path: readonly FunctionRange[];
}

/** A known address or number, the pointer that is followed (plus any offset), or nothing known. */
export type Value = bigint | "pointer" | null;

export interface PointerQuestion {
  /** What the registers hold at the entry, where known; by default nothing is. */
  readonly entry?: ReadonlyMap<string, Value>;
  /** Where the pointer is kept in memory; null where it is just what `entry` says. */
  readonly holder: bigint | null;
  /** Other memory operands whose load gives the pointer. */
  readonly isHolder?: (operand: Extract<Operand, { kind: "memory" }>) => boolean;
  /** Instructions that may still be looked at, shared by many questions; counted down. */
  readonly budget?: { left: number };
  /** `__per_cpu_offset` of the CPU that runs it, so that `%gs:` can be read; left out where it may be any. */
  readonly perCpuOffset?: bigint;
}

interface State {
  readonly registers: readonly Value[];
  /** Locals, by their distance below the CFA. */
  readonly locals: ReadonlyMap<number, Value>;
}

/** Calls followed one inside the other: with the pointer itself, and with an address that may lead to it. */
const MOST_DEPTH = 6;
const MOST_SEARCH_DEPTH = 3;
/** Instructions looked at for one question, loops and callees included. */
const MOST_STEPS = 6000;

/** System V: integer arguments in order. */
const ARGUMENTS = ["rdi", "rsi", "rdx", "rcx", "r8", "r9"];
const CLOBBERED = new Set(["rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"].map(indexOf));
const RDI = indexOf("rdi");
const NO_STORE =
  /^(cmp|test|bt|call|jmp|push|nop|prefetch\w*|mul|imul|div|idiv|verw|clflush\w*|clwb|invlpg|lgdt|lidt|ldmxcsr|ucomis\w|comis\w)$/;
const EXCHANGES = new Set(["xchg", "xadd", "cmpxchg"]);

function indexOf(register: string): number {
  return GENERAL_REGISTERS.indexOf(register);
}

/**
 * Follows a function from its first instruction, and the functions it calls.
 * @param start address of the function
 * @returns the store, or else where the pointer was handed on; null where it is not even loaded
 */
export function followPointer(reader: CodeReader, start: bigint, question: PointerQuestion): PointerUse | null {
  const registers: Value[] = GENERAL_REGISTERS.map((name) => question.entry?.get(name) ?? null);
  return new PointerWalk(reader, question).enter(start, registers, 0);
}

class PointerWalk {
  readonly #reader: CodeReader;
  readonly #question: PointerQuestion;
  #steps = 0;
  readonly #entered = new Set<string>();

  constructor(reader: CodeReader, question: PointerQuestion) {
    this.#reader = reader;
    this.#question = question;
  }

  enter(entry: bigint, registers: readonly Value[], depth: number): PointerUse | null {
    const known = registers.map((value) => (typeof value === "bigint" ? value.toString(16) : (value ?? "")));
    const key = `${entry.toString(16)}:${known.join()}`;
    if (this.#entered.has(key)) return null;
    this.#entered.add(key);
    const code = this.#reader.functionAt(entry);
    const start = code?.indexAt(entry) ?? -1;
    return code === null || start < 0 ? null : this.#walk(code, start, registers, depth);
  }

  #walk(code: FunctionCode, start: number, registers: readonly Value[], depth: number): PointerUse | null {
    const layout = frameLayout(code);
    const states = new Map<number, State>([[start, { registers, locals: new Map() }]]);
    const calls = new Map<number, { target: bigint | null; registers: readonly Value[] }>();
    const work = [start];
    while (work.length > 0 && this.#mayStep()) {
      const index = work.pop()!;
      const instruction = code.instructions[index]!;
      const state = states.get(index)!;
      if (this.#storesThrough(instruction, state)) {
        return { kind: "stores", at: instruction.address, path: [code.range] };
      }
      const leaves = this.#leaves(code, instruction);
      if (leaves !== null) calls.set(index, { target: leaves.target, registers: state.registers });
      const after = this.#step(instruction, state, layout[index] ?? null);
      for (const next of successors(code, index, instruction)) {
        const before = states.get(next);
        const merged = before === undefined ? after : merge(before, after);
        if (merged === before) continue;
        states.set(next, merged);
        work.push(next);
      }
    }
    return this.#follow(code, calls, depth);
  }

  #mayStep(): boolean {
    const { budget } = this.#question;
    if (budget !== undefined && budget.left-- <= 0) return false;
    return this.#steps++ < MOST_STEPS;
  }

  /** Where control leaves the function by a call or a tail jump; null where it does not. */
  #leaves(code: FunctionCode, instruction: Instruction): { target: bigint | null } | null {
    const { flow, target } = instruction;
    if (flow === "indirect-call") return { target: null };
    if (flow !== "call" && flow !== "jump" && flow !== "conditional") return null;
    if (target === null || (flow !== "call" && code.indexAt(target) >= 0)) return null;
    if (isReturnThunk(this.#reader, target)) return null;
    return { target: isIndirectThunk(this.#reader, target) ? null : target };
  }

  /** Into the callees: those that get the pointer first, then those that get an address that may lead to it. */
  #follow(
    code: FunctionCode,
    calls: ReadonlyMap<number, { target: bigint | null; registers: readonly Value[] }>,
    depth: number,
  ): PointerUse | null {
    let passed: PointerUse | null = null;
    const given = [...calls].map(([index, call]) => ({
      ...call,
      at: code.instructions[index]!.address,
      args: ARGUMENTS.map((name) => call.registers[indexOf(name)] ?? null),
    }));
    for (const call of given.filter((one) => one.args.includes("pointer"))) {
      const use =
        call.target === null || depth >= MOST_DEPTH
          ? null
          : this.enter(call.target, forCallee(call.registers), depth + 1);
      if (use?.kind === "stores") return through(code, use);
      passed ??= use === null ? { kind: "passes", at: call.at, path: [code.range] } : through(code, use);
    }
    if (depth >= MOST_SEARCH_DEPTH) return passed;
    for (const call of given) {
      if (call.target === null || call.args.includes("pointer")) continue;
      if (!call.args.some((value) => typeof value === "bigint" && value > 0xffffn)) continue;
      if (this.#steps >= MOST_STEPS) break;
      const use = this.enter(call.target, forCallee(call.registers), depth + 1);
      if (use?.kind === "stores") return through(code, use);
      passed ??= use === null ? null : through(code, use);
    }
    return passed;
  }

  #storesThrough(instruction: Instruction, state: State): boolean {
    // rep stos and rep movs write where RDI points; nothing in their operands says so.
    if (/^(stos|movs)[bwdq]$/.test(instruction.mnemonic) && instruction.operands[0]?.kind !== "register") {
      if (state.registers[RDI] === "pointer") return true;
    }
    if (NO_STORE.test(instruction.mnemonic)) return false;
    const written = EXCHANGES.has(instruction.mnemonic)
      ? instruction.operands
      : writesFirstOperand(instruction)
        ? instruction.operands.slice(0, 1)
        : [];
    return written.some((operand) => operand.kind === "memory" && this.#address(operand, state) === "pointer");
  }

  /** The address of a memory operand, as far as known. */
  #address(operand: Extract<Operand, { kind: "memory" }>, state: State): Value {
    if (operand.segment !== null) return this.#perCpuAddress(operand);
    const base = operand.base === null ? 0n : (state.registers[indexOf(operand.base)] ?? null);
    const index = operand.index === null ? 0n : (state.registers[indexOf(operand.index)] ?? null);
    if (base === "pointer" || (index === "pointer" && operand.scale === 1)) return "pointer";
    if (typeof base !== "bigint" || typeof index !== "bigint") return null;
    return BigInt.asUintN(64, base + index * BigInt(operand.scale) + operand.displacement);
  }

  #perCpuAddress(operand: Extract<Operand, { kind: "memory" }>): Value {
    const { perCpuOffset } = this.#question;
    if (operand.segment !== "gs" || perCpuOffset === undefined || operand.base !== null || operand.index !== null)
      return null;
    return BigInt.asUintN(64, operand.displacement + perCpuOffset);
  }

  #read(operand: Operand | undefined, state: State, depths: Depths | null): Value {
    if (operand === undefined) return null;
    if (operand.kind === "immediate") return BigInt.asUintN(64, operand.value);
    if (operand.kind === "register")
      return operand.size === 8 ? (state.registers[indexOf(operand.register)] ?? null) : null;
    if (operand.kind !== "memory") return null;
    const local = localOf(operand, depths);
    if (local !== null) return state.locals.get(local) ?? null;
    if (this.#question.isHolder?.(operand) === true) return "pointer";
    const address = this.#address(operand, state);
    if (typeof address !== "bigint") return null;
    if (address === this.#question.holder) return "pointer";
    return this.#reader.memory.u64(address);
  }

  #step(instruction: Instruction, state: State, depths: Depths | null): State {
    const { mnemonic, flow, operands } = instruction;
    if (flow === "call" || flow === "indirect-call") {
      return { ...state, registers: state.registers.map((value, index) => (CLOBBERED.has(index) ? null : value)) };
    }
    const [first, second] = operands;
    if (first?.kind === "memory" && mnemonic === "mov") {
      const local = localOf(first, depths);
      if (local === null) return state;
      return { ...state, locals: new Map(state.locals).set(local, this.#read(second, state, depths)) };
    }
    if (first?.kind !== "register" || !writesFirstOperand(instruction)) return state;
    const target = indexOf(first.register);
    if (target < 0) return state;
    const value =
      first.size === 8 || mnemonic === "xor" || mnemonic === "mov" ? this.#result(instruction, state, depths) : null;
    return { ...state, registers: state.registers.with(target, value) };
  }

  #result(instruction: Instruction, state: State, depths: Depths | null): Value {
    const [first, second] = instruction.operands;
    if (first?.kind !== "register") return null;
    const held = state.registers[indexOf(first.register)] ?? null;
    switch (instruction.mnemonic) {
      case "mov": {
        if (first.size === 8) return this.#read(second, state, depths);
        // mov $imm32,%edi of a small number or a kernel without KASLR; a 32-bit load is no pointer.
        return first.size === 4 && second?.kind === "immediate" ? BigInt.asUintN(32, second.value) : null;
      }
      case "lea":
        return second?.kind === "memory" ? this.#address(second, state) : null;
      case "xor":
        return second?.kind === "register" && second.register === first.register ? 0n : null;
      case "add":
      case "sub": {
        const other = this.#read(second, state, depths);
        if (held === "pointer" || (other === "pointer" && instruction.mnemonic === "add")) return "pointer";
        if (typeof held !== "bigint" || typeof other !== "bigint") return null;
        return BigInt.asUintN(64, instruction.mnemonic === "add" ? held + other : held - other);
      }
      // Aligning and tagging keep a pointer what it is.
      case "and":
      case "or":
      case "inc":
      case "dec":
        return held === "pointer" ? "pointer" : null;
      default:
        return /^cmov/.test(instruction.mnemonic) && this.#read(second, state, depths) === "pointer" ? "pointer" : null;
    }
  }
}

/** What a callee does, seen from its caller. */
function through(code: FunctionCode, use: PointerUse): PointerUse {
  return { ...use, path: [code.range, ...use.path] };
}

type Depths = { readonly rspDepth: number | null; readonly rbpDepth: number | null };

/** CFA minus the address of a local, or null for other memory. */
function localOf(operand: Extract<Operand, { kind: "memory" }>, depths: Depths | null): number | null {
  if (depths === null || operand.index !== null || operand.segment !== null) return null;
  const base = operand.base === "rsp" ? depths.rspDepth : operand.base === "rbp" ? depths.rbpDepth : null;
  return base === null ? null : base - Number(operand.displacement);
}

/** A callee sees the arguments; what else is in registers is none of its business. */
function forCallee(registers: readonly Value[]): Value[] {
  const args = new Set(ARGUMENTS.map(indexOf));
  return registers.map((value, index) => (args.has(index) ? value : null));
}

function successors(code: FunctionCode, index: number, { flow, target }: Instruction): number[] {
  const next: number[] = [];
  if (flow !== "jump" && flow !== "indirect-jump" && flow !== "return" && flow !== "invalid") next.push(index + 1);
  if ((flow === "jump" || flow === "conditional") && target !== null) next.push(code.indexAt(target));
  return next.filter((one) => one >= 0 && one < code.instructions.length);
}

/** Where ways meet: the pointer stays (it may be there), what else they disagree on is unknown. `a` itself if unchanged. */
function merge(a: State, b: State): State {
  let changed = false;
  const joined = (x: Value, y: Value): Value => {
    const value = x === y ? x : x === "pointer" || y === "pointer" ? "pointer" : null;
    if (value !== x) changed = true;
    return value;
  };
  const registers = a.registers.map((value, index) => joined(value, b.registers[index] ?? null));
  const locals = new Map<number, Value>();
  for (const [depth, value] of a.locals) locals.set(depth, joined(value, b.locals.get(depth) ?? null));
  return changed ? { registers, locals } : a;
}
