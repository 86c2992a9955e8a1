/** Mnemonics and registers, by the numbers that iced gives them. */
import { loadIced, Mnemonic, Register } from "./iced.ts";

const mnemonicNames = new Map<number, string>();

/** Lower-case Intel mnemonic ("push", "mov", "sub") of iced's number. */
export function mnemonicName(mnemonic: number): string {
  let name = mnemonicNames.get(mnemonic);
  if (name === undefined) {
    loadIced();
    name = (Mnemonic[mnemonic] ?? "invalid").toLowerCase();
    mnemonicNames.set(mnemonic, name);
  }
  return name;
}

/** iced's number of a mnemonic. */
export function mnemonicNumber(name: string): number {
  loadIced();
  const wanted = `${name[0]!.toUpperCase()}${name.slice(1)}`;
  const number = (Mnemonic as unknown as Record<string, number>)[wanted];
  if (number === undefined) throw new RangeError(`no instruction is called ${name}`);
  return number;
}

/** The sixteen general registers in encoding order; used where code numbers them. */
export const GENERAL_REGISTERS: readonly string[] = [
  ...["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"],
  ...Array.from({ length: 8 }, (_, index) => `r${index + 8}`),
];

export interface RegisterInfo {
  /** Of the full 64-bit register ("rax" for al, ax, eax and rax). */
  readonly name: string;
  /** Bytes that are accessed. */
  readonly size: number;
}
const registerInfos = new Map<number, RegisterInfo | null>();

/** Full-width name and access size of iced's register number; null for none. */
export function registerInfo(register: number): RegisterInfo | null {
  let info = registerInfos.get(register);
  if (info === undefined) {
    info = describeRegister(register);
    registerInfos.set(register, info);
  }
  return info;
}

function describeRegister(register: number): RegisterInfo | null {
  loadIced();
  if (register === Register.None) return null;
  const name = (Register[register] ?? "").toLowerCase();
  const numbered = /^r(\d+)(d|w|l)?$/.exec(name);
  if (numbered) {
    const size = { d: 4, w: 2, l: 1 }[numbered[2] as "d" | "w" | "l"] ?? 8;
    return { name: `r${numbered[1]}`, size };
  }
  if (/^r[a-z]{2}$/.test(name)) return { name, size: 8 };
  if (/^e[a-z]{2}$/.test(name)) return { name: `r${name.slice(1)}`, size: 4 };
  if (/^(ax|cx|dx|bx|sp|bp|si|di)$/.test(name)) return { name: `r${name}`, size: 2 };
  if (/^[abcd][lh]$/.test(name)) return { name: `r${name[0]}x`, size: 1 };
  if (/^(sp|bp|si|di)l$/.test(name)) return { name: `r${name.slice(0, 2)}`, size: 1 };
  return { name, size: 8 };
}

let generals: { readonly number: Int8Array; readonly bytes: Uint8Array } | null = null;

function generalTable(): { readonly number: Int8Array; readonly bytes: Uint8Array } {
  if (generals !== null) return generals;
  const number = new Int8Array(256).fill(-1);
  const bytes = new Uint8Array(256);
  for (let register = 0; register < 256; register++) {
    const info = registerInfo(register);
    if (info === null) continue;
    number[register] = GENERAL_REGISTERS.indexOf(info.name);
    bytes[register] = info.size;
  }
  generals = { number, bytes };
  return generals;
}

/** Number 0-15 in GENERAL_REGISTERS by iced's number of a register of any width; -1 for all others. */
export function generalRegisters(): Int8Array {
  return generalTable().number;
}

/** Bytes by which each of iced's registers is accessed. */
export function registerWidths(): Uint8Array {
  return generalTable().bytes;
}
