/**
 * A decoder for the instructions that compilers make of ordinary C: moves, arithmetic, branches, the stack, and what kernels
 * add to that (prefetches, locked operations, interrupt flag, model-specific registers). They are 99.9 % of a kernel's text.
 * What else there is comes back as null and is left to iced-x86, which takes 50 ms and 20 MB to load: with this decoder
 * most diagnoses never need it. The two must agree, which the tests check with random code.
 *
 * Source: Intel SDM volume 2, chapter 2 and appendix A (opcode maps); 64-bit mode.
 */
import type { Flow, Instruction, Operand } from "./instruction.ts";

type Memory = Extract<Operand, { kind: "memory" }>;

const NAMES = [
  "rax",
  "rcx",
  "rdx",
  "rbx",
  "rsp",
  "rbp",
  "rsi",
  "rdi",
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "r13",
  "r14",
  "r15",
];
const sized = (size: number): readonly Operand[] =>
  NAMES.map((register) => Object.freeze({ kind: "register", register, size }));
/** Register operands by size in bytes and number; shared by all instructions. */
const REGISTERS: Record<number, readonly Operand[]> = { 1: sized(1), 2: sized(2), 4: sized(4), 8: sized(8) };
const special = (names: readonly (string | null)[]): readonly (Operand | null)[] =>
  names.map((register) => (register === null ? null : Object.freeze({ kind: "register", register, size: 8 })));
/** By number; null for those that do not exist. */
const CONTROL = special(["cr0", null, "cr2", "cr3", "cr4"]);
const DEBUG = special(["dr0", "dr1", "dr2", "dr3", "dr4", "dr5", "dr6", "dr7"]);
const SEGMENTS = special(["es", "cs", "ss", "ds", "fs", "gs"]);
const OTHER: Operand = Object.freeze({ kind: "other" });
const NO_OPERANDS: readonly Operand[] = Object.freeze([]);

const ARITHMETIC = ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"];
const SHIFTS = ["rol", "ror", "rcl", "rcr", "shl", "shr", null, "sar"];
const UNARY = [null, null, "not", "neg", "mul", "imul", "div", "idiv"];
const BIT_TESTS = [null, null, null, null, "bt", "bts", "btr", "btc"];
const PREFETCHES = ["prefetchnta", "prefetcht0", "prefetcht1", "prefetcht2", null, null, null, null];
const CONDITIONS = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];
const JUMPS = CONDITIONS.map((condition) => `j${condition}`);
const MOVES = CONDITIONS.map((condition) => `cmov${condition}`);
const SETS = CONDITIONS.map((condition) => `set${condition}`);
/** Last letter of a string instruction by its operand size. */
const SUFFIX: Record<number, string> = { 1: "b", 2: "w", 4: "d", 8: "q" };

/** Without operands, whatever the operand size. */
const PLAIN: Record<number, string> = {
  244: "hlt",
  245: "cmc",
  248: "clc",
  249: "stc",
  250: "cli",
  251: "sti",
  252: "cld",
  253: "std",
};
const PLAIN_0F: Record<number, string> = {
  6: "clts",
  9: "wbinvd",
  48: "wrmsr",
  49: "rdtsc",
  50: "rdmsr",
  51: "rdpmc",
  162: "cpuid",
};
/** 0F 01 and one more byte. */
const PLAIN_0F01: Record<number, string> = {
  202: "clac",
  203: "stac",
  232: "serialize",
  238: "rdpkru",
  239: "wrpkru",
  248: "swapgs",
  249: "rdtscp",
};
// Groups, by ModRM's register field.
/** 0F 00. */
const LOCAL_TABLES = ["sldt", "str", "lldt", "ltr"];
/** 0F 01 with a memory operand. */
const TABLES = ["sgdt", "sidt", "lgdt", "lidt"];
/** 0F AE with a memory operand and REX.W. */
const SAVE_AREAS = ["fxsave64", "fxrstor64", null, null, "xsave64", "xrstor64", "xsaveopt64", null];
/** F3 0F AE with a register. */
const BASES = ["rdfsbase", "rdgsbase", "wrfsbase", "wrgsbase"];

const LONGEST = 15;
const REX_W = 8;
const REX_R = 4;
const REX_X = 2;
const REX_B = 1;

export class CommonDecoder {
  readonly #bytes: Uint8Array;
  readonly #address: bigint;
  /** Where the next byte of the instruction is read. */
  #at = 0;
  #start = 0;
  #rex = 0;
  #segment: "fs" | "gs" | null = null;
  /** Operand size in bytes that prefixes give: 2, 4 or 8. */
  #size = 4;
  /** Parts of the ModRM byte: its register field without REX.R, and the operand that the rest of it means. */
  #field = 0;
  #isMemory = false;
  #number = 0;
  #memory: Memory | null = null;

  /** @param address where `bytes` lie */
  constructor(bytes: Uint8Array, address: bigint) {
    this.#bytes = bytes;
    this.#address = address;
  }

  /** The instruction that begins at `offset`; null where it is none of those known here, or cut off. */
  decode(offset: number): Instruction | null {
    const bytes = this.#bytes;
    let at = offset;
    let data16 = false;
    let lock = false;
    let repeat = 0;
    this.#segment = null;
    prefixes: for (; at < bytes.length; at++) {
      switch (bytes[at]) {
        case 0x66:
          data16 = true;
          break;
        // In 64-bit mode these segments mean nothing.
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
          break;
        case 0x64:
          this.#segment = "fs";
          break;
        case 0x65:
          this.#segment = "gs";
          break;
        case 0xf0:
          lock = true;
          break;
        case 0xf2:
        case 0xf3:
          if (repeat !== 0) return null;
          repeat = bytes[at]!;
          break;
        default:
          break prefixes;
      }
    }
    let opcode = bytes[at++] ?? 0;
    this.#rex = 0;
    if ((opcode & 0xf0) === 0x40) {
      this.#rex = opcode;
      opcode = bytes[at++] ?? 0;
    }
    this.#size = (this.#rex & REX_W) !== 0 ? 8 : data16 ? 2 : 4;
    this.#start = offset;
    this.#at = at;
    let instruction: Instruction | null;
    if (repeat !== 0) instruction = data16 || lock ? null : this.#repeated(opcode, repeat);
    else if (opcode === 0x0f) instruction = this.#twoBytes(data16, lock);
    else instruction = this.#oneByte(opcode, data16, lock);
    return this.#at > bytes.length || this.#at - offset > LONGEST ? null : instruction;
  }

  #oneByte(opcode: number, data16: boolean, lock: boolean): Instruction | null {
    const size = this.#size;
    if (opcode < 0x40) {
      const name = ARITHMETIC[opcode >> 3]!;
      switch (opcode & 7) {
        case 0:
        case 1: {
          const width = (opcode & 1) === 0 ? 1 : size;
          this.#modrm(0);
          if (lock && (name === "cmp" || !this.#isMemory)) return null;
          return this.#two(name, this.#rm(width), this.#register(width));
        }
        case 2:
        case 3: {
          if (lock) return null;
          const width = (opcode & 1) === 0 ? 1 : size;
          this.#modrm(0);
          return this.#two(name, this.#register(width), this.#rm(width));
        }
        case 4:
          return lock ? null : this.#two(name, REGISTERS[1]![0]!, this.#immediate8());
        case 5:
          return lock ? null : this.#two(name, REGISTERS[size]![0]!, this.#immediate(size));
        default:
          return null;
      }
    }
    if (opcode >= 0x50 && opcode < 0x60) {
      if (data16 || lock) return null;
      return this.#one(opcode < 0x58 ? "push" : "pop", this.#numbered(opcode, 8));
    }
    if (opcode >= 0x70 && opcode < 0x80) {
      if (data16 || lock) return null;
      return this.#branch(JUMPS[opcode & 15]!, "conditional", (this.#byte() << 24) >> 24);
    }
    if (opcode >= 0xb0 && opcode < 0xc0) {
      if (lock) return null;
      if (opcode < 0xb8) return this.#two("mov", this.#numbered(opcode, 1), this.#immediate8());
      return this.#two("mov", this.#numbered(opcode, size), size === 8 ? this.#immediate64() : this.#immediate(size));
    }
    switch (opcode) {
      case 0x80:
      case 0x81:
      case 0x83: {
        const width = opcode === 0x80 ? 1 : size;
        this.#modrm(opcode === 0x81 ? Math.min(size, 4) : 1);
        const name = ARITHMETIC[this.#field]!;
        if (lock && (name === "cmp" || !this.#isMemory)) return null;
        const target = this.#rm(width);
        const value = opcode === 0x80 ? this.#immediate8() : opcode === 0x81 ? this.#immediate(size) : this.#signed8();
        return this.#two(name, target, value);
      }
      case 0x86:
      case 0x87: {
        const width = opcode === 0x86 ? 1 : size;
        this.#modrm(0);
        if (lock && !this.#isMemory) return null;
        return this.#two("xchg", this.#rm(width), this.#register(width));
      }
      case 0xf6:
      case 0xf7: {
        const width = opcode === 0xf6 ? 1 : size;
        const field = ((this.#bytes[this.#at] ?? 0) >> 3) & 7;
        this.#modrm(field === 0 ? Math.min(width, 4) : 0);
        if (lock && !(this.#isMemory && (field === 2 || field === 3))) return null;
        const target = this.#rm(width);
        if (field === 0) return this.#two("test", target, width === 1 ? this.#immediate8() : this.#immediate(width));
        const name = UNARY[field]!;
        return name === null ? null : this.#one(name, target);
      }
      case 0xfe:
      case 0xff:
        return this.#group5(opcode === 0xfe ? 1 : size, data16, lock);
    }
    return lock ? null : this.#unlocked(opcode, data16);
  }

  #unlocked(opcode: number, data16: boolean): Instruction | null {
    const size = this.#size;
    switch (opcode) {
      case 0x63:
        if (data16) return null;
        this.#modrm(0);
        return this.#two("movsxd", this.#register(size), this.#rm(4));
      case 0x68:
        return data16 ? null : this.#one("push", this.#immediate(8));
      case 0x6a:
        return data16 ? null : this.#one("push", this.#signed8());
      case 0x69:
      case 0x6b: {
        this.#modrm(opcode === 0x69 ? Math.min(size, 4) : 1);
        const source = this.#rm(size);
        const value = opcode === 0x69 ? this.#immediate(size) : this.#signed8();
        return this.#make("imul", "next", [this.#register(size), source, value]);
      }
      case 0x84:
      case 0x85:
      case 0x88:
      case 0x89: {
        const width = (opcode & 1) === 0 ? 1 : size;
        this.#modrm(0);
        return this.#two(opcode < 0x86 ? "test" : "mov", this.#rm(width), this.#register(width));
      }
      case 0x8a:
      case 0x8b: {
        const width = opcode === 0x8a ? 1 : size;
        this.#modrm(0);
        return this.#two("mov", this.#register(width), this.#rm(width));
      }
      case 0x8d:
        this.#modrm(0);
        return this.#isMemory ? this.#two("lea", this.#register(size), this.#rm(size)) : null;
      case 0x8c:
      case 0x8e: {
        this.#modrm(0);
        const segment = SEGMENTS[this.#field] ?? null;
        if (segment === null) return null;
        if (opcode === 0x8c) return this.#two("mov", this.#rm(size), segment);
        return this.#field === 1 ? null : this.#two("mov", segment, this.#rm(size));
      }
      case 0x8f:
        this.#modrm(0);
        return this.#field === 0 && !data16 ? this.#one("pop", this.#rm(8)) : null;
      case 0x90:
        return this.#rex === 0 ? this.#make("nop", "next", NO_OPERANDS) : null;
      case 0x98:
        return this.#make(size === 8 ? "cdqe" : size === 4 ? "cwde" : "cbw", "next", NO_OPERANDS);
      case 0x99:
        return this.#make(size === 8 ? "cqo" : size === 4 ? "cdq" : "cwd", "next", NO_OPERANDS);
      case 0x9c:
        return data16 ? null : this.#make("pushfq", "next", NO_OPERANDS);
      case 0x9d:
        return data16 ? null : this.#make("popfq", "next", NO_OPERANDS);
      case 0xa4:
      case 0xa5:
      case 0xaa:
      case 0xab:
        return this.#string(opcode);
      case 0xa8:
        return this.#two("test", REGISTERS[1]![0]!, this.#immediate8());
      case 0xa9:
        return this.#two("test", REGISTERS[size]![0]!, this.#immediate(size));
      case 0xc0:
      case 0xc1:
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3: {
        const width = (opcode & 1) === 0 ? 1 : size;
        this.#modrm(opcode < 0xd0 ? 1 : 0);
        const name = SHIFTS[this.#field]!;
        if (name === null) return null;
        const target = this.#rm(width);
        const by = opcode < 0xd0 ? this.#immediate8() : opcode < 0xd2 ? ONE : REGISTERS[1]![1]!;
        return this.#two(name, target, by);
      }
      case 0xc3:
        return data16 ? null : this.#make("ret", "return", NO_OPERANDS);
      case 0xc6:
      case 0xc7: {
        const width = opcode === 0xc6 ? 1 : size;
        this.#modrm(Math.min(width, 4));
        if (this.#field !== 0) return null;
        const target = this.#rm(width);
        return this.#two("mov", target, width === 1 ? this.#immediate8() : this.#immediate(width));
      }
      case 0xc9:
        return data16 ? null : this.#make("leave", "next", NO_OPERANDS);
      case 0xcc:
        return this.#make("int3", "interrupt", NO_OPERANDS);
      case 0xec:
      case 0xed:
      case 0xee:
      case 0xef: {
        if (this.#rex !== 0) return null;
        const value = REGISTERS[(opcode & 1) === 0 ? 1 : size]![0]!;
        const port = REGISTERS[2]![2]!;
        return opcode < 0xee ? this.#two("in", value, port) : this.#two("out", port, value);
      }
      case 0xcf:
        return size === 8 ? this.#make("iretq", "return", NO_OPERANDS) : null;
      case 0xe8:
        return data16 ? null : this.#branch("call", "call", this.#word());
      case 0xe9:
        return data16 ? null : this.#branch("jmp", "jump", this.#word());
      case 0xeb:
        return data16 ? null : this.#branch("jmp", "jump", (this.#byte() << 24) >> 24);
    }
    const plain = PLAIN[opcode];
    return plain === undefined ? null : this.#make(plain, "next", NO_OPERANDS);
  }

  /** FE and FF: inc, dec, and indirect calls, jumps and pushes, which are 64 bits wide whatever REX says. */
  #group5(width: number, data16: boolean, lock: boolean): Instruction | null {
    this.#modrm(0);
    const field = this.#field;
    if (field < 2) {
      if (lock && !this.#isMemory) return null;
      return this.#one(field === 0 ? "inc" : "dec", this.#rm(width));
    }
    if (lock || data16 || width === 1) return null;
    if (field === 2) return this.#make("call", "indirect-call", [this.#rm(8)]);
    if (field === 4) return this.#make("jmp", "indirect-jump", [this.#rm(8)]);
    return field === 6 ? this.#one("push", this.#rm(8)) : null;
  }

  #twoBytes(data16: boolean, lock: boolean): Instruction | null {
    const size = this.#size;
    const opcode = this.#byte();
    switch (opcode) {
      case 0xab:
      case 0xb3:
      case 0xbb:
        this.#modrm(0);
        if (lock && !this.#isMemory) return null;
        return this.#two(BIT_TESTS[(opcode >> 3) & 7]!, this.#rm(size), this.#register(size));
      case 0xb0:
      case 0xb1:
      case 0xc0:
      case 0xc1: {
        const width = (opcode & 1) === 0 ? 1 : size;
        this.#modrm(0);
        if (lock && !this.#isMemory) return null;
        return this.#two(opcode < 0xc0 ? "cmpxchg" : "xadd", this.#rm(width), this.#register(width));
      }
      case 0xba: {
        this.#modrm(1);
        const name = BIT_TESTS[this.#field]!;
        if (name === null || (lock && (name === "bt" || !this.#isMemory))) return null;
        return this.#two(name, this.#rm(size), this.#immediate8());
      }
      case 0xc7:
        this.#modrm(0);
        if (this.#field !== 1 || !this.#isMemory) return null;
        return this.#one(size === 8 ? "cmpxchg16b" : "cmpxchg8b", this.#rm(size));
    }
    return lock ? null : this.#unlockedTwoBytes(opcode, data16);
  }

  #unlockedTwoBytes(opcode: number, data16: boolean): Instruction | null {
    const size = this.#size;
    const group = opcode & 0xf0;
    if (group === 0x80) return data16 ? null : this.#branch(JUMPS[opcode & 15]!, "conditional", this.#word());
    if (group === 0x40) {
      this.#modrm(0);
      return this.#two(MOVES[opcode & 15]!, this.#register(size), this.#rm(size));
    }
    if (group === 0x90) {
      this.#modrm(0);
      return this.#one(SETS[opcode & 15]!, this.#rm(1));
    }
    switch (opcode) {
      case 0x00: {
        this.#modrm(0);
        const name = LOCAL_TABLES[this.#field];
        return name === undefined || data16 ? null : this.#one(name, this.#rm(size));
      }
      case 0x01: {
        if ((this.#bytes[this.#at] ?? 0) < 0xc0) {
          this.#modrm(0);
          const table = TABLES[this.#field];
          return table === undefined || data16 ? null : this.#one(table, this.#rm(size));
        }
        const name = data16 || this.#rex !== 0 ? undefined : PLAIN_0F01[this.#byte()];
        return name === undefined ? null : this.#make(name, "next", NO_OPERANDS);
      }
      case 0x0b:
        return this.#make("ud2", "trap", NO_OPERANDS);
      case 0x0d:
      case 0x18: {
        this.#modrm(0);
        const name = opcode === 0x18 ? PREFETCHES[this.#field]! : this.#field === 1 ? "prefetchw" : null;
        return name === null || !this.#isMemory ? null : this.#one(name, this.#rm(1));
      }
      case 0x1f:
        this.#modrm(0);
        return this.#field === 0 ? this.#one("nop", this.#rm(size)) : null;
      case 0xa3:
        this.#modrm(0);
        return this.#two("bt", this.#rm(size), this.#register(size));
      case 0xa4:
      case 0xa5:
      case 0xac:
      case 0xad: {
        const immediate = (opcode & 1) === 0;
        this.#modrm(immediate ? 1 : 0);
        const operands = [this.#rm(size), this.#register(size), immediate ? this.#immediate8() : REGISTERS[1]![1]!];
        return this.#make(opcode < 0xa8 ? "shld" : "shrd", "next", operands);
      }
      case 0xae: {
        if ((this.#bytes[this.#at] ?? 0) < 0xc0) {
          this.#modrm(0);
          const save = SAVE_AREAS[this.#field]!;
          return save === null || size !== 8 || data16 ? null : this.#one(save, this.#rm(size));
        }
        const fence = data16 ? 0 : this.#byte();
        const name = fence === 0xe8 ? "lfence" : fence === 0xf0 ? "mfence" : fence === 0xf8 ? "sfence" : null;
        return name === null ? null : this.#make(name, "next", NO_OPERANDS);
      }
      case 0x20:
      case 0x21:
      case 0x22:
      case 0x23: {
        this.#modrm(0);
        const special = ((opcode & 1) === 0 ? CONTROL : DEBUG)[this.#field] ?? null;
        if (this.#isMemory || data16 || (this.#rex & REX_R) !== 0 || special === null) return null;
        return opcode < 0x22 ? this.#two("mov", this.#rm(8), special) : this.#two("mov", special, this.#rm(8));
      }
      case 0xb9:
        this.#modrm(0);
        return this.#make("ud1", "trap", [this.#register(size), this.#rm(size)]);
      case 0xaf:
        this.#modrm(0);
        return this.#two("imul", this.#register(size), this.#rm(size));
      case 0xb6:
      case 0xb7:
      case 0xbe:
      case 0xbf:
        this.#modrm(0);
        return this.#two(opcode < 0xb8 ? "movzx" : "movsx", this.#register(size), this.#rm((opcode & 1) + 1));
      case 0xbc:
      case 0xbd:
        this.#modrm(0);
        return this.#two(opcode === 0xbc ? "bsf" : "bsr", this.#register(size), this.#rm(size));
      case 0xc8:
      case 0xc9:
      case 0xca:
      case 0xcb:
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return data16 ? null : this.#one("bswap", this.#numbered(opcode, size));
    }
    const plain = data16 ? undefined : PLAIN_0F[opcode];
    return plain === undefined ? null : this.#make(plain, "next", NO_OPERANDS);
  }

  /** What F2 and F3 are usual with. */
  #repeated(opcode: number, prefix: number): Instruction | null {
    if (opcode === 0xa4 || opcode === 0xa5 || opcode === 0xaa || opcode === 0xab) return this.#string(opcode);
    if (prefix !== 0xf3) return null;
    if (opcode === 0xc3) return this.#make("ret", "return", NO_OPERANDS);
    if (opcode === 0x90) return this.#rex === 0 ? this.#make("pause", "next", NO_OPERANDS) : null;
    if (opcode !== 0x0f) return null;
    const second = this.#byte();
    if (second === 0x1e) return this.#byte() === 0xfa ? this.#make("endbr64", "next", NO_OPERANDS) : null;
    if (second === 0xae) {
      this.#modrm(0);
      const name = BASES[this.#field];
      return this.#isMemory || name === undefined ? null : this.#one(name, this.#rm(this.#size));
    }
    if (second !== 0xb8 && second !== 0xbc && second !== 0xbd) return null;
    this.#modrm(0);
    const name = second === 0xb8 ? "popcnt" : second === 0xbc ? "tzcnt" : "lzcnt";
    return this.#two(name, this.#register(this.#size), this.#rm(this.#size));
  }

  /** movs and stos; what they address is implied. */
  #string(opcode: number): Instruction {
    const width = (opcode & 1) === 0 ? 1 : this.#size;
    if (opcode < 0xa8) return this.#two(`movs${SUFFIX[width]}`, OTHER, OTHER);
    return this.#two(`stos${SUFFIX[width]}`, OTHER, REGISTERS[width]![0]!);
  }

  #byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** Four bytes, signed. */
  #word(): number {
    const at = this.#at;
    this.#at += 4;
    const bytes = this.#bytes;
    return at + 4 > bytes.length
      ? 0
      : bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }

  #immediate8(): Operand {
    return immediate(this.#byte());
  }

  #signed8(): Operand {
    return immediate((this.#byte() << 24) >> 24);
  }

  /** Two bytes or four for operands of `size`; sign-extended only to eight. */
  #immediate(size: number): Operand {
    if (size === 2) return immediate(this.#byte() | (this.#byte() << 8));
    const value = this.#word();
    return immediate(size === 8 ? value : value >>> 0);
  }

  #immediate64(): Operand {
    const low = this.#word() >>> 0;
    const high = this.#word();
    return { kind: "immediate", value: (BigInt(high) << 32n) | BigInt(low) };
  }

  /** Reads ModRM, SIB and displacement. @param behind bytes of the instruction that follow: RIP means its end */
  #modrm(behind: number): void {
    const modrm = this.#byte();
    const mode = modrm >> 6;
    const low = modrm & 7;
    this.#field = (modrm >> 3) & 7;
    this.#isMemory = mode !== 3;
    if (mode === 3) {
      this.#number = low | ((this.#rex & REX_B) << 3);
      return;
    }
    let base: string | null = null;
    let index: string | null = null;
    let scale = 1;
    let displacement = 0;
    if (low === 4) {
      const sib = this.#byte();
      const indexNumber = ((sib >> 3) & 7) | ((this.#rex & REX_X) << 2);
      if (indexNumber !== 4) index = NAMES[indexNumber]!;
      scale = 1 << (sib >> 6);
      if ((sib & 7) === 5 && mode === 0) displacement = this.#word();
      else base = NAMES[(sib & 7) | ((this.#rex & REX_B) << 3)]!;
    } else if (low === 5 && mode === 0) {
      displacement = this.#word();
      const target = this.#address + BigInt(this.#at + behind + displacement);
      this.#memory = this.#memoryOperand(null, null, 1, BigInt.asUintN(64, target), true);
      return;
    } else {
      base = NAMES[low | ((this.#rex & REX_B) << 3)]!;
    }
    if (mode === 1) displacement = (this.#byte() << 24) >> 24;
    else if (mode === 2) displacement = this.#word();
    const signed = displacement === 0 ? 0n : BigInt(displacement);
    const isAddress = base === null && index === null;
    this.#memory = this.#memoryOperand(base, index, scale, isAddress ? BigInt.asUintN(64, signed) : signed, false);
  }

  #memoryOperand(base: string | null, index: string | null, scale: number, displacement: bigint, rip: boolean): Memory {
    return { kind: "memory", base, index, scale, displacement, segment: this.#segment, ripRelative: rip };
  }

  /** The operand that ModRM's mode and low bits mean. */
  #rm(size: number): Operand {
    return this.#isMemory ? this.#memory! : this.#general(this.#number, size);
  }

  /** The operand of ModRM's register field. */
  #register(size: number): Operand {
    return this.#general(this.#field | ((this.#rex & REX_R) << 1), size);
  }

  /** The register in the low bits of an opcode. */
  #numbered(opcode: number, size: number): Operand {
    return this.#general((opcode & 7) | ((this.#rex & REX_B) << 3), size);
  }

  /** Without REX, byte registers 4 to 7 are ah, ch, dh and bh. */
  #general(number: number, size: number): Operand {
    return REGISTERS[size]![size === 1 && this.#rex === 0 && number > 3 ? number - 4 : number]!;
  }

  #one(mnemonic: string, operand: Operand): Instruction {
    return this.#make(mnemonic, "next", [operand]);
  }

  #two(mnemonic: string, first: Operand, second: Operand): Instruction {
    return this.#make(mnemonic, "next", [first, second]);
  }

  #branch(mnemonic: string, flow: Flow, distance: number): Instruction {
    const target = BigInt.asUintN(64, this.#address + BigInt(this.#at + distance));
    return this.#make(mnemonic, flow, [{ kind: "branch", target }], target);
  }

  #make(mnemonic: string, flow: Flow, operands: readonly Operand[], target: bigint | null = null): Instruction {
    const length = this.#at - this.#start;
    return { address: this.#address + BigInt(this.#start), length, mnemonic, flow, target, operands };
  }
}

const ONE = immediate(1);

function immediate(value: number): Operand {
  return { kind: "immediate", value: BigInt(value) };
}
