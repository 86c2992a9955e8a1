/**
 * `struct pt_regs` of x86_64: what an exception, interrupt or system call saves (arch/x86/include/asm/ptrace.h, the same
 * since 2.6.24).
 */
import type { AddressSpace } from "../memory/address-space.ts";

/** Field names, in the order they lie in memory. */
export const PT_REGS_FIELDS = [
  "r15",
  "r14",
  "r13",
  "r12",
  "rbp",
  "rbx",
  "r11",
  "r10",
  "r9",
  "r8",
  "rax",
  "rcx",
  "rdx",
  "rsi",
  "rdi",
  "orig_rax",
  "rip",
  "cs",
  "rflags",
  "rsp",
  "ss",
] as const;

/** Bytes. */
export const PT_REGS_SIZE = PT_REGS_FIELDS.length * 8;
/** Where the part begins that the CPU itself pushes (RIP, CS, RFLAGS, RSP, SS). */
export const IRET_FRAME_OFFSET = PT_REGS_FIELDS.indexOf("rip") * 8;

export type PtRegs = ReadonlyMap<string, bigint>;

/** Reads a whole pt_regs; null where any of it is missing. */
export function readPtRegs(memory: AddressSpace, address: bigint): PtRegs | null {
  const bytes = memory.read(address, PT_REGS_SIZE);
  if (bytes === null) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Map(PT_REGS_FIELDS.map((name, index) => [name, view.getBigUint64(index * 8, true)]));
}

/** Reads only the IRET frame, which lies at `address`. */
export function readIretFrame(memory: AddressSpace, address: bigint): PtRegs | null {
  const bytes = memory.read(address, 40);
  if (bytes === null) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Map(["rip", "cs", "rflags", "rsp", "ss"].map((name, index) => [name, view.getBigUint64(index * 8, true)]));
}

/** Saved in user mode: the low two bits of CS are the privilege level. */
export function isUserMode(regs: PtRegs): boolean {
  return ((regs.get("cs") ?? 0n) & 3n) === 3n;
}
