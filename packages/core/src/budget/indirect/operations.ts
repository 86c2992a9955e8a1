/** Instructions by what they do to values, by iced's mnemonic number: what a pass over a whole kernel looks up. */
import { mnemonicName } from "../../code/code-columns.ts";

export const OPERATION = {
  /** Writes its first operand with something of no interest. */
  OTHER: 0,
  MOVE: 1,
  LEA: 2,
  ADD: 3,
  SUB: 4,
  AND: 5,
  XOR: 6,
  PUSH: 7,
  POP: 8,
  LEAVE: 9,
  CONDITIONAL_MOVE: 10,
  EXCHANGE: 11,
  EXCHANGE_ADD: 12,
  COMPARE_EXCHANGE: 13,
  /** Writes no register. */
  NONE: 14,
  /** Writes RAX and RDX (multiplications by one operand, divisions, counters and model-specific registers). */
  RAX_RDX: 15,
  RAX: 16,
  CPUID: 17,
  /** String moves: RSI to RDI. */
  STRING_MOVE: 18,
  STRING_OTHER: 19,
  OR: 20,
} as const;

const BY_NAME: Readonly<Record<string, number>> = {
  mov: OPERATION.MOVE,
  lea: OPERATION.LEA,
  add: OPERATION.ADD,
  sub: OPERATION.SUB,
  and: OPERATION.AND,
  or: OPERATION.OR,
  xor: OPERATION.XOR,
  push: OPERATION.PUSH,
  pop: OPERATION.POP,
  leave: OPERATION.LEAVE,
  xchg: OPERATION.EXCHANGE,
  xadd: OPERATION.EXCHANGE_ADD,
  cmpxchg: OPERATION.COMPARE_EXCHANGE,
  cmpxchg8b: OPERATION.RAX_RDX,
  cmpxchg16b: OPERATION.RAX_RDX,
  mul: OPERATION.RAX_RDX,
  div: OPERATION.RAX_RDX,
  idiv: OPERATION.RAX_RDX,
  cqo: OPERATION.RAX_RDX,
  cdq: OPERATION.RAX_RDX,
  cwd: OPERATION.RAX_RDX,
  rdtsc: OPERATION.RAX_RDX,
  rdtscp: OPERATION.CPUID,
  rdmsr: OPERATION.RAX_RDX,
  rdpmc: OPERATION.RAX_RDX,
  xgetbv: OPERATION.RAX_RDX,
  cpuid: OPERATION.CPUID,
  cdqe: OPERATION.RAX,
  cwde: OPERATION.RAX,
  cbw: OPERATION.RAX,
  in: OPERATION.RAX,
  lahf: OPERATION.RAX,
};
const NO_REGISTER =
  /^(cmp|test|bt|call|jmp|j[a-z]+|ret|nop|endbr64|prefetch\w*|verw|clflush\w*|clwb|invlpg|lgdt|lidt|lldt|ltr|ldmxcsr|wrmsr|cli|sti|cld|std|hlt|pause|[lms]fence|out|ud[012]|int3?|swapgs|clac|stac|wbinvd|wrpkru|xsave\w*|xrstor\w*|fx\w+|monitor|mwait|pushfq|popfq|lock|clts|invpcid|invept|invvpid|vm[a-z]+)$/;

let table: Uint8Array | null = null;

/** One of OPERATION, by iced's number of the mnemonic. */
export function operationTable(): Uint8Array {
  if (table !== null) return table;
  const made = new Uint8Array(8192);
  for (let mnemonic = 0; mnemonic < made.length; mnemonic++) {
    const name = mnemonicName(mnemonic);
    let operation = BY_NAME[name];
    if (operation === undefined && name.startsWith("cmov")) operation = OPERATION.CONDITIONAL_MOVE;
    if (operation === undefined && /^movs[bwdq]$/.test(name)) operation = OPERATION.STRING_MOVE;
    if (operation === undefined && /^(stos|lods|scas|cmps|ins|outs)[bwdq]$/.test(name))
      operation = OPERATION.STRING_OTHER;
    if (operation === undefined && NO_REGISTER.test(name)) operation = OPERATION.NONE;
    made[mnemonic] = operation ?? OPERATION.OTHER;
  }
  table = made;
  return made;
}
