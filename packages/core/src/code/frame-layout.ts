/**
 * A function's frame as its own instructions build it: how far RSP (and RBP) lie below the canonical frame address at every
 * instruction, and where callee-saved registers were put. Independent of ORC, so that the two can be held against each
 * other, and the answer where there is no ORC.
 *
 * The canonical frame address (CFA) is RSP before the call pushed the return address: on entry RSP = CFA - 8.
 */
import type { FunctionCode } from "./code-reader.ts";
import type { Instruction, Operand } from "./instruction.ts";

/** Registers a System V x86_64 callee preserves (psABI 3.2.1), RSP apart. */
export const CALLEE_SAVED: readonly string[] = ["rbx", "rbp", "r12", "r13", "r14", "r15"];

/** What is known before one instruction runs. */
export interface FrameState {
  /** CFA - RSP in bytes, or null where RSP was aligned or moved by an unknown amount. */
  readonly rspDepth: number | null;
  /** CFA - RBP in bytes while RBP points into this frame, else null. */
  readonly rbpDepth: number | null;
  /** Where callee-saved registers were saved on entry: CFA minus the slot's address, in bytes. */
  readonly saved: ReadonlyMap<string, number>;
  /** CFA - RSP as it was when RSP was last stored through a pointer: `pop %rsp` on the stack switched to brings it back. */
  readonly kept?: number | null;
}

const ENTRY: FrameState = { rspDepth: 8, rbpDepth: null, saved: new Map() };

/** Visits of one instruction with different states before it is given up as unknown (merging keeps this tiny). */
const MAX_VISITS_FACTOR = 4;

const layouts = new WeakMap<FunctionCode, readonly (FrameState | null)[]>();

/**
 * The state before each instruction of `code` (same indexes); null for what is not reached from the entry (split-off cold
 * parts, jump-table targets, alternatives never taken).
 */
export function frameLayout(code: FunctionCode): readonly (FrameState | null)[] {
  let states = layouts.get(code);
  if (states === undefined) {
    states = frameLayoutFrom(code, code.instructions.length === 0 ? [] : [{ index: 0, state: ENTRY }]);
    layouts.set(code, states);
  }
  return states;
}

/** The same for code that is entered at these instructions with frames that are known (see cold-layout.ts). */
export function frameLayoutFrom(
  code: FunctionCode,
  entries: readonly { readonly index: number; readonly state: FrameState }[],
): readonly (FrameState | null)[] {
  const { instructions } = code;
  const states: (FrameState | null)[] = new Array(instructions.length).fill(null);
  const work: number[] = [];
  for (const { index, state } of entries) {
    states[index] = merge(states[index]!, state);
    work.push(index);
  }
  let budget = instructions.length * MAX_VISITS_FACTOR;
  while (work.length > 0 && budget-- > 0) {
    const index = work.pop()!;
    const instruction = instructions[index]!;
    const after = step(states[index]!, instruction);
    for (const next of successors(code, index, instruction)) {
      const merged = merge(states[next]!, after);
      if (merged !== states[next]) {
        states[next] = merged;
        work.push(next);
      }
    }
  }
  return states;
}

function successors(code: FunctionCode, index: number, instruction: Instruction): number[] {
  const next: number[] = [];
  const { flow } = instruction;
  const fallsThrough = flow !== "jump" && flow !== "indirect-jump" && flow !== "return" && flow !== "invalid";
  if (fallsThrough && index + 1 < code.instructions.length) next.push(index + 1);
  if ((flow === "jump" || flow === "conditional") && instruction.target !== null) {
    const target = code.indexAt(instruction.target);
    if (target >= 0) next.push(target);
  }
  return next;
}

/** Keeps the first known state; where two disagree, what they disagree on is unknown. Returns `known` itself if unchanged. */
function merge(known: FrameState | null, incoming: FrameState): FrameState {
  if (known === null) return incoming;
  const rspDepth = known.rspDepth === incoming.rspDepth ? known.rspDepth : null;
  const rbpDepth = known.rbpDepth === incoming.rbpDepth ? known.rbpDepth : null;
  let saved = known.saved;
  for (const [register, slot] of known.saved) {
    if (incoming.saved.get(register) === slot) continue;
    const fewer = new Map(saved);
    fewer.delete(register);
    saved = fewer;
  }
  const kept = known.kept === incoming.kept ? known.kept : null;
  const sameDepths = rspDepth === known.rspDepth && rbpDepth === known.rbpDepth;
  return sameDepths && saved === known.saved && kept === known.kept
    ? known
    : { rspDepth, rbpDepth, saved, ...keep(kept) };
}

function keep(kept: number | null | undefined): { readonly kept?: number } {
  return kept == null ? {} : { kept };
}

function isRegister(operand: Operand | undefined, register: string): boolean {
  return operand?.kind === "register" && operand.register === register;
}

/** The effect of one instruction on the frame. */
function step(state: FrameState, instruction: Instruction): FrameState {
  const [first, second] = instruction.operands;
  switch (instruction.mnemonic) {
    case "push":
    case "pushfq":
      return push(state, first);
    case "pop":
    case "popfq":
      return pop(state, first);
    case "leave":
      return {
        ...state,
        rspDepth: state.rbpDepth === null ? null : state.rbpDepth - 8,
        rbpDepth: null,
        saved: withoutRegister(state.saved, "rbp"),
      };
    case "sub":
    case "add":
      if (isRegister(first, "rsp")) {
        if (second?.kind !== "immediate" || state.rspDepth === null) return { ...state, rspDepth: null };
        const amount = Number(second.value);
        return { ...state, rspDepth: state.rspDepth + (instruction.mnemonic === "sub" ? amount : -amount) };
      }
      break;
    case "and":
      if (isRegister(first, "rsp")) return { ...state, rspDepth: null };
      break;
    case "mov":
    case "lea": {
      if (isRegister(first, "rsp") && isKeptRsp(second))
        return { ...state, rspDepth: state.kept ?? null, rbpDepth: null };
      const value = frameAddress(state, instruction.mnemonic, second);
      if (isRegister(first, "rsp")) return { ...state, rspDepth: value };
      if (isRegister(first, "rbp")) return { ...state, rbpDepth: value };
      if (first?.kind === "memory" && isRegister(second, "rsp")) return { ...state, ...keep(state.rspDepth) };
      if (first?.kind === "memory") return store(state, first, second);
      break;
    }
  }
  // Anything else that writes RBP makes it an ordinary register; calls preserve it.
  if (isRegister(first, "rbp") && writesFirstOperand(instruction)) return { ...state, rbpDepth: null };
  if (isRegister(first, "rsp") && writesFirstOperand(instruction)) return { ...state, rspDepth: null };
  return state;
}

/**
 * RSP loaded from a struct: the scheduler switches to a task that left its RSP there by the very same code (macro `switch_to`
 * up to 4.8), so that it stands as deep as the one that was stored.
 */
function isKeptRsp(source: Operand | undefined): boolean {
  return (
    source?.kind === "memory" && source.base !== null && source.displacement !== 0n && !isFrameRegister(source.base)
  );
}

function isFrameRegister(register: string): boolean {
  return register === "rsp" || register === "rbp";
}

const READ_ONLY = new Set(["cmp", "test", "push", "bt", "call", "jmp", "nop", "prefetcht0", "prefetchw"]);

/** Does the instruction write its first operand? (Compares and the like only read it.) */
export function writesFirstOperand(instruction: Instruction): boolean {
  return !READ_ONLY.has(instruction.mnemonic) && instruction.flow === "next";
}

/** CFA minus the address that a mov/lea into RSP or RBP yields, where it is an address in this frame. */
function frameAddress(state: FrameState, mnemonic: string, source: Operand | undefined): number | null {
  if (mnemonic === "mov" && source?.kind === "register") {
    if (source.register === "rsp") return state.rspDepth;
    if (source.register === "rbp") return state.rbpDepth;
    return null;
  }
  if (mnemonic === "lea" && source?.kind === "memory" && source.index === null && source.segment === null) {
    const base = source.base === "rsp" ? state.rspDepth : source.base === "rbp" ? state.rbpDepth : null;
    return base === null ? null : base - Number(source.displacement);
  }
  return null;
}

function push(state: FrameState, source: Operand | undefined): FrameState {
  if (state.rspDepth === null) return state;
  const rspDepth = state.rspDepth + 8;
  if (source?.kind !== "register") return { ...state, rspDepth };
  return { ...state, rspDepth, saved: withSaved(state, source.register, rspDepth) };
}

function store(state: FrameState, target: Extract<Operand, { kind: "memory" }>, source: Operand | undefined) {
  if (source?.kind !== "register" || source.size !== 8 || target.index !== null || target.segment !== null)
    return state;
  const base = target.base === "rsp" ? state.rspDepth : target.base === "rbp" ? state.rbpDepth : null;
  if (base === null) return state;
  const depth = base - Number(target.displacement);
  // Only prologues save by mov, and only before the register is used; a later spill of an argument register is no save.
  return { ...state, saved: withSaved(state, source.register, depth) };
}

/** A callee-saved register is saved where it is stored for the first time; later stores are ordinary values. */
function withSaved(state: FrameState, register: string, depth: number): ReadonlyMap<string, number> {
  if (!CALLEE_SAVED.includes(register) || state.saved.has(register)) return state.saved;
  if (register === "rbp" && state.rbpDepth !== null) return state.saved;
  return new Map(state.saved).set(register, depth);
}

function withoutRegister(saved: ReadonlyMap<string, number>, register: string): ReadonlyMap<string, number> {
  if (!saved.has(register)) return saved;
  const fewer = new Map(saved);
  fewer.delete(register);
  return fewer;
}

function pop(state: FrameState, target: Operand | undefined): FrameState {
  if (isRegister(target, "rsp")) return { ...state, rspDepth: state.kept ?? null };
  const rspDepth = state.rspDepth === null ? null : state.rspDepth - 8;
  if (target?.kind !== "register") return { ...state, rspDepth };
  const rbpDepth = target.register === "rbp" ? null : state.rbpDepth;
  const slot = state.saved.get(target.register);
  const restores = slot !== undefined && slot === state.rspDepth;
  return {
    ...state,
    rspDepth,
    rbpDepth,
    saved: restores ? withoutRegister(state.saved, target.register) : state.saved,
  };
}
