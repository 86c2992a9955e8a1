import type { DisassembledInstruction } from "@spillway/core";

/** A line of `dis` as crash prints it: `0xffffffffad147134 <hrtimer_nanosleep+20>:	push   %rbx`. */
export function formatInstruction(instruction: DisassembledInstruction, name: string | null): string {
  const where = name === null ? "" : ` <${name}>`;
  return `0x${instruction.address.toString(16)}${where}:\t${instruction.text}\n`;
}
