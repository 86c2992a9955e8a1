/**
 * How far RSP lies below the canonical frame address in a listing with gaps. What the prologue would tell may be left out
 * and the epilogue be there, or the other way round: depths are carried both ways, along the order of the code and along
 * its jumps, from where they are known (8 at the entry, 8 at every return).
 */
import type { Instruction, Operand } from "../../code/instruction.ts";
import type { SessionCode } from "./session.ts";

function isRegister(operand: Operand | undefined, name: string): boolean {
  return operand?.kind === "register" && operand.register === name;
}

/** What an instruction adds to the depth; null where that cannot be told. */
function effect(instruction: Instruction): number | null {
  const [first, second] = instruction.operands;
  switch (instruction.mnemonic) {
    case "push":
    case "pushfq":
      return 8;
    case "pop":
    case "popfq":
      return isRegister(first, "rsp") ? null : -8;
    case "leave":
      return null;
    case "sub":
    case "add":
      if (!isRegister(first, "rsp")) return 0;
      if (second?.kind !== "immediate") return null;
      return Number(instruction.mnemonic === "sub" ? second.value : -second.value);
    case "lea":
      if (!isRegister(first, "rsp")) return 0;
      return second?.kind === "memory" && second.base === "rsp" && second.index === null
        ? -Number(second.displacement)
        : null;
    default:
      return isRegister(first, "rsp") && instruction.mnemonic !== "cmp" && instruction.mnemonic !== "test" ? null : 0;
  }
}

/** CFA - RSP before each instruction, in bytes; null where nothing in the listing tells. */
export function frameDepths(code: SessionCode): readonly (number | null)[] {
  const { instructions } = code;
  const depths: (number | null)[] = instructions.map((one) =>
    one.address === code.start || one.flow === "return" ? 8 : null,
  );
  const indexOf = new Map(instructions.map((one, index) => [one.address, index]));
  const edges: [number, number][] = [];
  for (const [index, one] of instructions.entries()) {
    const follows = one.length > 0 ? indexOf.get(one.address + BigInt(one.length)) : undefined;
    const goesOn = one.flow !== "jump" && one.flow !== "indirect-jump" && one.flow !== "return";
    if (goesOn && follows !== undefined) edges.push([index, follows]);
    const target = one.flow === "call" || one.target === null ? undefined : indexOf.get(one.target);
    if (target !== undefined) edges.push([index, target]);
  }
  // Every round settles a depth or is the last.
  for (let changed = true; changed; ) {
    changed = false;
    for (const [from, to] of edges) {
      const adds = effect(instructions[from]!);
      if (adds === null) continue;
      const [before, after] = [depths[from]!, depths[to]!];
      if (before !== null && after === null) depths[to] = before + adds;
      else if (before === null && after !== null) depths[from] = after - adds;
      else continue;
      changed = true;
    }
  }
  return depths;
}
