/**
 * Machine instructions as plain objects: what call-site checks, prologue reading and stack tracking ask of them.
 */
import {
  CodeColumns,
  FLOWS,
  type Flow,
  MAX_OPERANDS,
  mnemonicName,
  OPERAND,
  registerInfo,
  WIDE_DISPLACEMENT,
  WIDE_IMMEDIATE,
  WIDE_IMMEDIATE_2,
  WIDE_KINDS,
  WIDE_TARGET,
} from "./code-columns.ts";

export { type Flow, GENERAL_REGISTERS } from "./code-columns.ts";

/** `register` names are those of the full 64-bit register ("rax" for al, ax, eax and rax); `size` is in bytes. */
export type Operand =
  | { readonly kind: "register"; readonly register: string; readonly size: number }
  | { readonly kind: "immediate"; readonly value: bigint }
  | {
      readonly kind: "memory";
      /** "rip" never appears: such an operand has base null and its absolute address as the displacement. */
      readonly base: string | null;
      readonly index: string | null;
      readonly scale: number;
      /** Signed for based operands; an absolute address without a base. */
      readonly displacement: bigint;
      readonly segment: "fs" | "gs" | null;
      readonly ripRelative: boolean;
    }
  | { readonly kind: "branch"; readonly target: bigint }
  | { readonly kind: "other" };

export interface Instruction {
  readonly address: bigint;
  /** Length in bytes. */
  readonly length: number;
  /** Lower-case Intel mnemonic ("push", "mov", "sub"). */
  readonly mnemonic: string;
  readonly flow: Flow;
  /** Target of a direct branch or call, else null. */
  readonly target: bigint | null;
  readonly operands: readonly Operand[];
}

function readOperand(code: CodeColumns, at: number, operand: number, immediates: number): Operand {
  const slot = at * MAX_OPERANDS + operand;
  switch (code.operandKind[slot]) {
    case OPERAND.REGISTER: {
      const info = registerInfo(code.operandRegister[slot]!);
      return info ? { kind: "register", register: info.name, size: info.size } : { kind: "other" };
    }
    case OPERAND.BRANCH:
      return { kind: "branch", target: BigInt.asUintN(64, wide(code, at, WIDE_TARGET, code.target)) };
    case OPERAND.MEMORY:
      return readMemory(code, at);
    case OPERAND.IMMEDIATE: {
      const kind = immediates === 0 ? WIDE_IMMEDIATE : WIDE_IMMEDIATE_2;
      return { kind: "immediate", value: wide(code, at, kind, code.immediate) };
    }
    default:
      return { kind: "other" };
  }
}

function readMemory(code: CodeColumns, at: number): Operand {
  const base = registerInfo(code.base[at]!)?.name ?? null;
  const index = registerInfo(code.index[at]!)?.name ?? null;
  const displacement = wide(code, at, WIDE_DISPLACEMENT, code.displacement);
  return {
    kind: "memory",
    base,
    index,
    scale: code.scale[at]!,
    displacement: base === null && index === null ? BigInt.asUintN(64, displacement) : displacement,
    segment: ([null, "fs", "gs"] as const)[code.segment[at]!] ?? null,
    ripRelative: code.ripRelative[at] === 1,
  };
}

function wide(code: CodeColumns, at: number, kind: number, column: Int32Array): bigint {
  // A second immediate is in no column.
  return code.wide.get(at * WIDE_KINDS + kind) ?? BigInt(column[at]!);
}

/**
 * Decodes instructions one after the other (linear sweep) from `bytes`, which lie at `address`. Bytes that are no
 * instruction give one of flow `invalid` and length 1, and decoding goes on behind it.
 * @param limit at most so many instructions
 */
export function decodeInstructions(
  bytes: Uint8Array,
  address: bigint,
  limit = Number.POSITIVE_INFINITY,
): Instruction[] {
  const code = new CodeColumns();
  code.decode(bytes, address, limit);
  const result: Instruction[] = [];
  let at = address;
  for (let index = 0; index < code.count; index++) {
    const operands: Operand[] = [];
    let immediates = 0;
    for (let operand = 0; operand < code.operandCount[index]!; operand++) {
      const read = readOperand(code, index, operand, immediates);
      if (read.kind === "immediate") immediates++;
      operands.push(read);
    }
    const first = operands[0];
    const flow = FLOWS[code.flow[index]!]!;
    const length = code.length[index]!;
    result.push({
      address: at,
      length,
      mnemonic: flow === "invalid" ? "invalid" : mnemonicName(code.mnemonic[index]!),
      flow,
      target: first?.kind === "branch" ? first.target : null,
      operands,
    });
    at += BigInt(length);
  }
  return result;
}
