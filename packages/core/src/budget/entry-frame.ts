/**
 * What unwind data say of the stack at a function's first instruction. Functions that are called begin 8 deep, the return
 * address. The CPU itself enters interrupt and exception stubs, with an IRET frame pushed; other assembler goes on where a
 * stub has stored all registers.
 */
import type { OrcEntry } from "../unwind/orc.ts";

/** `struct pt_regs` of x86_64: 21 words (arch/x86/include/asm/ptrace.h). Bytes. */
export const PT_REGS_BYTES = 168;
/** The part of it that the CPU pushes: IP, CS, FLAGS, SP, SS. Bytes. */
export const IRET_FRAME_BYTES = 40;
export const RETURN_ADDRESS_BYTES = 8;

/** Unwind data in numbers; see unwind/orc-run.ts. */
export interface OrcDepth {
  /** Bytes from RSP to the end of what lies above the frame: the CFA, or the end of the saved registers. */
  readonly bytes: number;
  /** Are there saved registers at the frame's end? Then depths count from above them. */
  readonly registers: boolean;
}

/** Depth by unwind data that go by RSP; null for all other. */
export function orcDepth(
  spRegister: OrcEntry["spRegister"],
  spOffset: number,
  type: OrcEntry["type"],
): OrcDepth | null {
  if (spRegister !== "sp") return null;
  if (type === "call") return { bytes: spOffset, registers: false };
  if (type === "regs") return { bytes: spOffset + PT_REGS_BYTES, registers: true };
  return type === "regs-partial" ? { bytes: spOffset + IRET_FRAME_BYTES, registers: true } : null;
}

/** How a function is entered. */
export interface EntryFrame {
  /** Bytes on the stack at its first instruction that count as its own. */
  readonly depth: number;
  /** What unwind data count more than that, all through the function. */
  readonly bias: number;
  /** Which kind of unwind data in it can be compared with the depth at entry; null: either. */
  readonly registers: boolean | null;
}

const CALLED: EntryFrame = { depth: RETURN_ADDRESS_BYTES, bias: 0, registers: false };
const UNTOLD: EntryFrame = { depth: RETURN_ADDRESS_BYTES, bias: 0, registers: null };

/** The frame at entry by the unwind data there; null: there are none. */
export function entryFrame(entry: Pick<OrcEntry, "spRegister" | "spOffset" | "type"> | null): EntryFrame {
  if (entry === null) return CALLED;
  const depth = orcDepth(entry.spRegister, entry.spOffset, entry.type);
  if (depth === null) return UNTOLD;
  if (entry.type === "regs-partial") return { depth: depth.bytes, bias: 0, registers: true };
  return { ...CALLED, bias: depth.bytes - CALLED.depth, registers: depth.registers };
}
