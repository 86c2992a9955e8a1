/** Addresses that one instruction touches, from the registers it ran with. */
import type { Instruction } from "../code/instruction.ts";

export interface StackAccess {
  readonly address: bigint;
  /** "pushes a return address", "writes", "reads" … for a sentence. */
  readonly how: string;
}

const MASK = (1n << 64n) - 1n;

/** Memory that `instruction` touches, as far as `registers` tell; RSP must be among them. */
export function memoryAccesses(instruction: Instruction, registers: ReadonlyMap<string, bigint>): StackAccess[] {
  const accesses: StackAccess[] = [];
  const rsp = registers.get("rsp");
  if (rsp !== undefined) {
    if (instruction.flow === "call" || instruction.flow === "indirect-call") {
      accesses.push({ address: (rsp - 8n) & MASK, how: "pushes a return address" });
    } else if (instruction.mnemonic.startsWith("push")) {
      accesses.push({ address: (rsp - 8n) & MASK, how: "pushes a register" });
    } else if (instruction.mnemonic === "pop" || instruction.flow === "return") {
      accesses.push({ address: rsp, how: "pops" });
    }
  }
  for (const operand of instruction.operands) {
    if (operand.kind !== "memory" || operand.segment !== null || instruction.mnemonic === "lea") continue;
    if (instruction.mnemonic === "nop") continue;
    const base = operand.base === null ? 0n : registers.get(operand.base);
    const index = operand.index === null ? 0n : registers.get(operand.index);
    if (base === undefined || index === undefined) continue;
    accesses.push({
      address: (base + index * BigInt(operand.scale) + operand.displacement) & MASK,
      how: "accesses memory",
    });
  }
  // String instructions name their memory through RSI and RDI.
  if (/^(rep )?(movs|stos)[bwdq]$/.test(instruction.mnemonic)) {
    const rdi = registers.get("rdi");
    if (rdi !== undefined) accesses.push({ address: rdi, how: "writes" });
  }
  return accesses;
}
