/** General registers by their numbers in instructions, and what the System V ABI for x86-64 makes of them. */
export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
/** rdi, rsi, rdx, rcx, r8, r9. */
export const ARGUMENT_REGISTERS: readonly number[] = [RDI, RSI, RDX, RCX, 8, 9];
/** Registers that a call may change, RAX beside them. */
export const CALLER_SAVED = [RCX, RDX, RSI, RDI, 8, 9, 10, 11];

/** Registers as bits of one number. */
export function bits(registers: readonly number[]): number {
  return registers.reduce((mask, register) => mask | (1 << register), 0);
}

/** The argument registers as bits. */
export const ARGUMENTS = bits(ARGUMENT_REGISTERS);
