/** Stack memory that one instruction touches through RSP. */
import type { Instruction } from "../code/instruction.ts";

export interface StackAccess {
  readonly address: bigint;
  /** "pushes a return address", "pushes a register", … for a sentence. */
  readonly how: string;
}

/**
 * Memory that `instruction` touches through RSP, as it stands before it. An access through any other register is none: a
 * wild pointer may lead to a guard page too, and a local variable never lies below RSP.
 */
export function stackAccesses(instruction: Instruction, rsp: bigint): StackAccess[] {
  const accesses: StackAccess[] = [];
  const pushed = BigInt.asUintN(64, rsp - 8n);
  if (instruction.flow === "call" || instruction.flow === "indirect-call") {
    accesses.push({ address: pushed, how: "pushes a return address" });
  } else if (instruction.mnemonic.startsWith("push")) {
    accesses.push({ address: pushed, how: "pushes a register" });
  }
  for (const operand of instruction.operands) {
    if (operand.kind !== "memory" || operand.base !== "rsp" || operand.index !== null) continue;
    if (instruction.mnemonic === "lea" || instruction.mnemonic === "nop") continue;
    accesses.push({ address: BigInt.asUintN(64, rsp + operand.displacement), how: "probes the stack" });
  }
  return accesses;
}
