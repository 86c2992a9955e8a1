import { hex16 } from "../text/hex.ts";

/** crash's order of registers below an exception or at the end of a backtrace; kernel names on the right. */
const ROWS: readonly (readonly (readonly [string, string])[])[] = [
  [
    ["RIP", "rip"],
    ["RSP", "rsp"],
    ["RFLAGS", "rflags"],
  ],
  [
    ["RAX", "rax"],
    ["RBX", "rbx"],
    ["RCX", "rcx"],
  ],
  [
    ["RDX", "rdx"],
    ["RSI", "rsi"],
    ["RDI", "rdi"],
  ],
  [
    ["RBP", "rbp"],
    [" R8", "r8"],
    [" R9", "r9"],
  ],
  [
    ["R10", "r10"],
    ["R11", "r11"],
    ["R12", "r12"],
  ],
  [
    ["R13", "r13"],
    ["R14", "r14"],
    ["R15", "r15"],
  ],
  [
    ["ORIG_RAX", "orig_rax"],
    ["CS", "cs"],
    ["SS", "ss"],
  ],
];

/** Digits crash gives registers that are never wide. */
const DIGITS: Readonly<Record<string, number>> = { rflags: 8, cs: 4, ss: 4 };

/** The block of registers that crash prints, indented by four; registers that are not known are left out. */
export function formatRegisters(registers: ReadonlyMap<string, bigint>): string {
  let text = "";
  for (const row of ROWS) {
    const known = row.filter(([, name]) => registers.has(name));
    if (known.length === 0) continue;
    const cells = known.map(([label, name]) => {
      const value = registers.get(name)!;
      const digits = DIGITS[name];
      return `${label}: ${digits === undefined ? hex16(value) : value.toString(16).padStart(digits, "0")}`;
    });
    text += `    ${cells.join("  ")}\n`;
  }
  return text;
}
