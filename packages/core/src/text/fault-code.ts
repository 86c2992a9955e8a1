/** What the `Code:` bytes tell: the instruction that faulted, and the frame that the function has made by then. x86_64 only. */
import { disassemble } from "../code/disassemble.ts";
import { decodeInstructions, type Instruction } from "../code/instruction.ts";
import type { CodeBytes } from "./console/report.ts";

export interface FaultCode {
  readonly instruction: Instruction;
  /** The instruction as objdump writes it. */
  readonly text: string;
  /**
   * Bytes from RSP to the canonical frame address; null where the function's beginning is not among the bytes and no
   * subtraction from RSP is seen.
   */
  readonly frameBytes: number | null;
  /** The function's first instructions are among the bytes, so that `frameBytes` is exact. */
  readonly fromStart: boolean;
  /** The marked byte is within an instruction: decoding from the function's start passes over it. */
  readonly midInstruction: boolean;
}

/** Frames larger than this are no frames. */
const MAX_FRAME = 1 << 20;

/**
 * Decodes the code bytes of a crash.
 * @param offset how far into its function the CPU stood, in bytes; null where not known
 */
export function readFaultCode(code: CodeBytes, offset: number | null): FaultCode | null {
  if (code.at === null || code.at >= code.bytes.length) return null;
  const [instruction] = decodeInstructions(code.bytes.subarray(code.at), BigInt(offset ?? 0), 1);
  if (instruction === undefined) return null;
  const [printed] = disassemble(code.bytes.subarray(code.at), BigInt(offset ?? 0), () => null, 1);
  const text = (printed?.text ?? instruction.mnemonic).replace(/\s+/g, " ");
  const start = offset === null ? -1 : code.at - offset;
  if (start < 0) {
    return { instruction, text, frameBytes: subtracted(code, code.at), fromStart: false, midInstruction: false };
  }
  const before = decodeInstructions(code.bytes.subarray(start, code.at + instruction.length), 0n);
  const aligned = before.some((one) => Number(one.address) === offset);
  const depth = aligned ? depthAt(before, BigInt(offset!)) : null;
  return {
    instruction,
    text,
    frameBytes: depth ?? subtracted(code, code.at),
    fromStart: depth !== null,
    midInstruction: !aligned && before.every((one) => one.flow !== "invalid"),
  };
}

/** Bytes that straight-line code has put on the stack before `address`, the return address included; null where it branches back. */
function depthAt(instructions: readonly Instruction[], address: bigint): number | null {
  let depth = 8;
  for (const one of instructions) {
    if (one.address >= address) break;
    const [first, second] = one.operands;
    if (one.mnemonic === "push") depth += 8;
    else if (one.mnemonic === "pop") depth -= 8;
    else if (first?.kind === "register" && first.register === "rsp") {
      if ((one.mnemonic === "sub" || one.mnemonic === "add") && second?.kind === "immediate") {
        depth += Number(second.value) * (one.mnemonic === "sub" ? 1 : -1);
      } else if (one.mnemonic !== "cmp" && one.mnemonic !== "test") return null;
    } else if (one.flow === "return" || one.flow === "jump" || one.flow === "indirect-jump") return null;
  }
  return depth >= 8 && depth < MAX_FRAME ? depth : null;
}

/** `sub $imm32,%rsp` (48 81 ec) among the bytes before the fault: at least so large is the frame. */
function subtracted(code: CodeBytes, end: number): number | null {
  const { bytes } = code;
  for (let at = end - 7; at >= 0; at--) {
    if (bytes[at] !== 0x48 || bytes[at + 1] !== 0x81 || bytes[at + 2] !== 0xec) continue;
    const size = new DataView(bytes.buffer, bytes.byteOffset).getInt32(at + 3, true);
    if (size >= 0x80 && size < MAX_FRAME && size % 8 === 0) return size + 8;
  }
  return null;
}
