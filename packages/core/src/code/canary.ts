/**
 * The stack protector by data flow: where a function keeps its canary and where it checks it.
 *
 * GCC and Clang load the reference (`%gs:0x28` up to Linux 6.14; `%gs:__stack_chk_guard`, RIP-relative or absolute, from
 * 6.15, commits 80d47defddc0 and 9d7de2aa8b41), store it into the slot in the prologue, and before returning compare the
 * slot with the reference; on a difference they call `__stack_chk_fail`, which does not return.
 */
import { callSiteOf } from "./call-site.ts";
import type { CodeReader, FunctionCode } from "./code-reader.ts";
import { frameLayout, writesFirstOperand } from "./frame-layout.ts";
import type { Instruction, Operand } from "./instruction.ts";

type Memory = Extract<Operand, { kind: "memory" }>;

/** A place in the frame. */
export interface FrameSlot {
  /** Register that the code addresses it by. */
  readonly base: "rsp" | "rbp";
  /** Signed displacement in bytes from that register. */
  readonly displacement: number;
  /** Address of the instruction that gave it: RSP means RSP there. */
  readonly at: bigint;
  /** CFA minus the slot's address in bytes, where the frame layout tells it. */
  readonly depth: number | null;
}

export interface CanaryUse {
  /** Where the prologue stores the canary, or null where no store was seen. */
  readonly stored: FrameSlot | null;
  /** Each check: the slot read and the address of the `__stack_chk_fail` call it leads to (null if not followed). */
  readonly checks: readonly { readonly slot: FrameSlot; readonly compare: bigint }[];
  /** Return addresses of the function's calls to `__stack_chk_fail`. */
  readonly failReturns: readonly bigint[];
}

/** How many instructions apart a load and its use may lie; compilers schedule unrelated ones between. */
const WINDOW = 12;

/**
 * Is this memory operand the reference canary?
 * @param guard address of the per-CPU `__stack_chk_guard` symbol where the kernel has one
 */
export function isReferenceCanary(operand: Operand | undefined, guard: bigint | null): operand is Memory {
  if (operand?.kind !== "memory" || operand.segment !== "gs" || operand.index !== null || operand.base !== null) {
    return false;
  }
  if (operand.displacement === 0x28n) return true;
  return guard !== null && operand.displacement === guard;
}

/** What `code` does with its canary; null where it never touches the reference. */
export function canaryUse(reader: CodeReader, code: FunctionCode): CanaryUse | null {
  const guard = reader.symbols.byName("__stack_chk_guard")?.address ?? null;
  const { instructions } = code;
  let stored: FrameSlot | null = null;
  const checks: { slot: FrameSlot; compare: bigint }[] = [];
  const failReturns: bigint[] = [];
  let touches = false;
  for (let index = 0; index < instructions.length; index++) {
    const instruction = instructions[index]!;
    const site = callSiteOf(reader, code, instruction);
    if (site?.target != null && isStackChkFail(reader, site.target)) failReturns.push(site.returnAddress);
    const reference = instruction.operands.findIndex((operand) => isReferenceCanary(operand, guard));
    if (reference < 0) continue;
    touches = true;
    if (instruction.mnemonic === "mov" && reference === 1 && instruction.operands[0]?.kind === "register") {
      const register = instruction.operands[0].register;
      const use = followLoad(code, index, register);
      if (use?.kind === "store") stored ??= use.slot;
      else if (use?.kind === "compare") checks.push({ slot: use.slot, compare: use.at });
    } else if (/^(sub|xor|cmp)$/.test(instruction.mnemonic)) {
      const other = instruction.operands[1 - reference];
      if (other?.kind === "register") {
        const slot = loadBefore(code, index, other.register);
        if (slot !== null) checks.push({ slot, compare: instruction.address });
      }
    }
  }
  return touches || failReturns.length > 0 ? { stored, checks, failReturns } : null;
}

export function isStackChkFail(reader: CodeReader, target: bigint): boolean {
  return reader.symbols.functionAt(target)?.name === "__stack_chk_fail";
}

function slotOf(code: FunctionCode, index: number, operand: Operand | undefined): FrameSlot | null {
  if (operand?.kind !== "memory" || operand.index !== null || operand.segment !== null) return null;
  if (operand.base !== "rsp" && operand.base !== "rbp") return null;
  const state = frameLayout(code)[index];
  const base = operand.base === "rsp" ? state?.rspDepth : state?.rbpDepth;
  const displacement = Number(operand.displacement);
  return {
    base: operand.base,
    displacement,
    at: code.instructions[index]!.address,
    depth: base == null ? null : base - displacement,
  };
}

/** What becomes of the reference after it was loaded into `register`: stored (prologue) or compared (check). */
function followLoad(
  code: FunctionCode,
  index: number,
  register: string,
): { kind: "store" | "compare"; slot: FrameSlot; at: bigint } | null {
  for (let next = index + 1; next < code.instructions.length && next <= index + WINDOW; next++) {
    const instruction = code.instructions[next]!;
    const [first, second] = instruction.operands;
    const isUse = (operand: Operand | undefined) => operand?.kind === "register" && operand.register === register;
    if (instruction.mnemonic === "mov" && isUse(second)) {
      const slot = slotOf(code, next, first);
      if (slot !== null) return { kind: "store", slot, at: instruction.address };
    }
    if (/^(sub|xor|cmp)$/.test(instruction.mnemonic)) {
      const slot = isUse(first) ? slotOf(code, next, second) : isUse(second) ? slotOf(code, next, first) : null;
      if (slot !== null) return { kind: "compare", slot, at: instruction.address };
    }
    if (endsSearch(instruction) || (isUse(first) && writesFirstOperand(instruction))) return null;
  }
  return null;
}

/** The slot that `register` was loaded from before instruction `index`. */
function loadBefore(code: FunctionCode, index: number, register: string): FrameSlot | null {
  for (let previous = index - 1; previous >= 0 && previous >= index - WINDOW; previous--) {
    const instruction = code.instructions[previous]!;
    const [first, second] = instruction.operands;
    if (endsSearch(instruction)) return null;
    if (first?.kind !== "register" || first.register !== register || !writesFirstOperand(instruction)) continue;
    return instruction.mnemonic === "mov" ? slotOf(code, previous, second) : null;
  }
  return null;
}

function endsSearch(instruction: Instruction): boolean {
  return instruction.flow !== "next";
}
