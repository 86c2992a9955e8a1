/** Disassembly in AT&T syntax, as gdb and crash print it, read back into instructions. */
import type { Flow, Instruction, Operand } from "../../code/instruction.ts";

/** Mnemonics that AT&T syntax gives a size suffix, as far as they touch a frame or a canary. */
const SIZED = /^(push|pop|mov|lea|sub|add|xor|cmp|and|or|test|call|ret|leave|jmp|movabs)[bwlq]$/;
const CONDITIONAL = /^j(?!mp)[a-z]{1,4}$/;

/** `%rax`, `%eax`, `%al` … by the full register that they are part of. */
function fullRegister(name: string): { register: string; size: number } {
  const legacy = /^(?:r|e)?([abcd])([xlh])$/.exec(name);
  if (legacy) return { register: `r${legacy[1]}x`, size: sizeOf(name) };
  const pointer = /^(?:r|e)?(si|di|bp|sp)(l?)$/.exec(name);
  if (pointer) return { register: `r${pointer[1]}`, size: sizeOf(name) };
  const numbered = /^(r\d+)([dwb]?)$/.exec(name);
  if (numbered) return { register: numbered[1]!, size: { "": 8, d: 4, w: 2, b: 1 }[numbered[2]!] ?? 8 };
  return { register: name, size: 8 };
}

function sizeOf(name: string): number {
  if (name.startsWith("r")) return 8;
  if (name.startsWith("e")) return 4;
  return /[lh]$/.test(name) ? 1 : 2;
}

function number(text: string): bigint {
  const negative = text.startsWith("-");
  const value = BigInt(negative ? text.slice(1) : text);
  return negative ? -value : value;
}

const MEMORY = /^(?:%(fs|gs):)?(-?(?:0x[0-9a-f]+|\d+))?(?:\((?:%(\w+))?(?:,%(\w+)(?:,([1248]))?)?\))?/i;

/** One operand from the front of `text`; null where there is none. */
function operand(text: string): { readonly operand: Operand; readonly length: number } | null {
  const immediate = /^\$(-?(?:0x[0-9a-f]+|\d+))/i.exec(text);
  if (immediate) {
    return { operand: { kind: "immediate", value: number(immediate[1]!) }, length: immediate[0].length };
  }
  const register = /^%(?!fs:|gs:)(\w+)/.exec(text);
  if (register) return { operand: { kind: "register", ...fullRegister(register[1]!) }, length: register[0].length };
  const memory = MEMORY.exec(text);
  if (memory === null || memory[0] === "") return null;
  const [whole, segment, displacement, base, index, scale] = memory;
  if (base === undefined && index === undefined && segment === undefined) {
    // A bare number is where a branch goes; for anything else it is an absolute address.
    return { operand: { kind: "branch", target: BigInt.asUintN(64, number(displacement!)) }, length: whole.length };
  }
  return {
    operand: {
      kind: "memory",
      base: base === undefined || base === "rip" ? null : fullRegister(base).register,
      index: index === undefined ? null : fullRegister(index).register,
      scale: Number(scale ?? 1),
      displacement: displacement === undefined ? 0n : number(displacement),
      segment: segment === undefined ? null : (segment as "fs" | "gs"),
      ripRelative: base === "rip",
    },
    length: whole.length,
  };
}

function flowOf(mnemonic: string, indirect: boolean): Flow {
  if (mnemonic === "call") return indirect ? "indirect-call" : "call";
  if (mnemonic === "jmp") return indirect ? "indirect-jump" : "jump";
  if (mnemonic === "ret") return "return";
  if (mnemonic === "ud2") return "trap";
  return CONDITIONAL.test(mnemonic) ? "conditional" : "next";
}

/** At most three operands; x86 has instructions with four, none of which touches a frame. */
const MAX_OPERANDS = 3;

/**
 * Reads what stands behind an instruction's address. Whatever follows the operands (a symbol, a comment, a person's note) is
 * passed over.
 * @param length bytes to the next instruction, 0 where not known
 */
export function parseAttInstruction(address: bigint, text: string, length: number): Instruction | null {
  const [, prefixed, rest] = /^((?:rep\w*|lock|bnd|notrack|ds|cs) )?(.*)$/.exec(text.trim())!;
  const named = /^([a-z][a-z0-9]*)\s*(.*)$/.exec(rest ?? "");
  if (named === null) return null;
  const mnemonic = (SIZED.exec(named[1]!)?.[1] ?? named[1]!).replace("movabs", "mov");
  let remaining = named[2]!;
  const indirect = remaining.startsWith("*");
  if (indirect) remaining = remaining.slice(1);
  const operands: Operand[] = [];
  while (operands.length < MAX_OPERANDS) {
    const next = operand(remaining);
    if (next === null) break;
    operands.push(next.operand);
    remaining = remaining.slice(next.length);
    if (!remaining.startsWith(",")) break;
    remaining = remaining.slice(1).trimStart();
  }
  const flow = prefixed === undefined || mnemonic === "ret" ? flowOf(mnemonic, indirect) : "next";
  const branch = operands[0]?.kind === "branch" ? operands[0].target : null;
  const direct = flow === "call" || flow === "jump" || flow === "conditional";
  // AT&T syntax has the destination last, the model first.
  return {
    address,
    length,
    mnemonic,
    flow,
    target: direct ? branch : null,
    operands: operands.reverse(),
  };
}
