/**
 * Decodes the instructions that make up nearly all of a kernel's code straight into columns. iced-x86 knows every instruction
 * there is, but keeps what it decodes in WebAssembly memory, and a pass over a whole kernel spends most of its decoding on asking
 * for it one field after the other. What is not in the tables here, or stands in a way that is not plain (rare prefixes, cut off
 * at the end), is left to iced; where both decode, they must agree on every column (common-decoder.test.ts).
 *
 * Opcodes and operands: Intel SDM volume 2, appendix A (opcode maps) and chapter 2 (prefixes, ModRM, SIB).
 */
import type { CodeColumns } from "./code-columns.ts";
import { FLOW, MAX_OPERANDS, OPERAND, WIDE_IMMEDIATE, WIDE_KINDS } from "./code-format.ts";
import { Register } from "./iced.ts";
import { mnemonicNumber } from "./instruction-names.ts";

/** How an opcode's operands are encoded; `Z` is an immediate of the operand size (at most 32 bits), `B` a byte, `S` a byte that is sign-extended. */
const FORM = {
  /** Not decoded here. */
  LEFT: 0,
  NOTHING: 1,
  RM_REG: 2,
  REG_RM: 3,
  RM: 4,
  RM_Z: 5,
  RM_B: 6,
  RM_S: 7,
  /** Shifts by one, and by CL. */
  RM_ONE: 8,
  RM_CL: 9,
  REG_RM_Z: 10,
  REG_RM_S: 11,
  RM_REG_B: 12,
  RM_REG_CL: 13,
  /** AL, AX, EAX or RAX. */
  ACCUMULATOR_Z: 14,
  /** The register is in the opcode. */
  REGISTER: 15,
  REGISTER_MOVE: 16,
  PUSH_Z: 17,
  PUSH_S: 18,
  BRANCH_8: 19,
  BRANCH_32: 20,
  /** ModRM's reg says which instruction it is: see `groups`. */
  GROUP: 21,
  /** String instructions: from memory to memory, and from the accumulator to memory, both by the registers made for it. */
  STRING_MOVE: 22,
  STRING_STORE: 23,
} as const;

/** The r/m operand is a byte whatever the operand size. */
const BYTE = 1;
/** r/m is one or two bytes, or four, and the register larger: movzx, movsx, movsxd. */
const SOURCE_8 = 2;
const SOURCE_16 = 4;
const SOURCE_32 = 8;
/** 64 bits without a prefix for it, and not decoded here with one for 16. */
const STACK = 16;
/** Not decoded here with an operand-size prefix. */
const NO_16 = 32;
/** lea, whose r/m is memory. */
const MEMORY_ONLY = 64;
/** Another instruction without REX.W, not decoded here. */
const WIDE_ONLY = 128;
/** May have a lock prefix where r/m is memory. */
const LOCKABLE = 256;

const CONDITIONS = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];
/** Opcodes behind 0f have this added. */
const SECOND_MAP = 256;
/** Ends of a group's members in the columns of opcodes: eight for each. */
const FIRST_MEMBER = 512;
const MOST_GROUPS = 20;

const OPCODES = FIRST_MEMBER + 8 * MOST_GROUPS;
/** Of an instruction, in bytes. */
const LONGEST = 15;
/** With more of them, it could be too long to be one. */
const MOST_PREFIXES = 3;

interface Tables {
  readonly form: Uint8Array;
  readonly flags: Uint16Array;
  readonly mnemonic: Uint16Array;
  readonly flow: Uint8Array;
  /** Of a group: its first member in these tables. */
  readonly group: Uint16Array;
  readonly endbr64: number;
  /** Registers by number, for each operand size: iced's numbers. */
  readonly bytes: Uint8Array;
  readonly bytesWithRex: Uint8Array;
  readonly words: Uint8Array;
  readonly doubles: Uint8Array;
  readonly quads: Uint8Array;
}

let tables: Tables | null = null;

function makeTables(): Tables {
  const form = new Uint8Array(OPCODES);
  const flags = new Uint16Array(OPCODES);
  const mnemonic = new Uint16Array(OPCODES);
  const flow = new Uint8Array(OPCODES).fill(FLOW.next);
  const group = new Uint16Array(OPCODES);
  let groups = 0;
  const set = (opcode: number, name: string, how: number, flag = 0, flows = FLOW.next): void => {
    form[opcode] = how;
    flags[opcode] = flag;
    mnemonic[opcode] = mnemonicNumber(name);
    flow[opcode] = flows;
  };
  /** Names of the members by ModRM's reg; what has none is left. */
  const setGroup = (opcode: number, names: readonly string[], how: number, flag = 0): number => {
    const first = FIRST_MEMBER + 8 * groups++;
    form[opcode] = FORM.GROUP;
    group[opcode] = first;
    for (const [member, name] of names.entries()) if (name !== "") set(first + member, name, how, flag);
    return first;
  };
  const arithmetic = ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"];
  for (const [n, name] of arithmetic.entries()) {
    const lock = name === "cmp" ? 0 : LOCKABLE;
    set(8 * n, name, FORM.RM_REG, BYTE | lock);
    set(8 * n + 1, name, FORM.RM_REG, lock);
    set(8 * n + 2, name, FORM.REG_RM, BYTE);
    set(8 * n + 3, name, FORM.REG_RM);
    set(8 * n + 4, name, FORM.ACCUMULATOR_Z, BYTE);
    set(8 * n + 5, name, FORM.ACCUMULATOR_Z);
  }
  for (let register = 0; register < 8; register++) {
    set(0x50 + register, "push", FORM.REGISTER, STACK);
    set(0x58 + register, "pop", FORM.REGISTER, STACK);
    set(0xb0 + register, "mov", FORM.REGISTER_MOVE, BYTE);
    set(0xb8 + register, "mov", FORM.REGISTER_MOVE);
    set(SECOND_MAP + 0xc8 + register, "bswap", FORM.REGISTER, NO_16);
  }
  for (const [n, condition] of CONDITIONS.entries()) {
    set(0x70 + n, `j${condition}`, FORM.BRANCH_8, NO_16, FLOW.conditional);
    set(SECOND_MAP + 0x80 + n, `j${condition}`, FORM.BRANCH_32, NO_16, FLOW.conditional);
    set(SECOND_MAP + 0x40 + n, `cmov${condition}`, FORM.REG_RM);
    set(SECOND_MAP + 0x90 + n, `set${condition}`, FORM.RM, BYTE);
  }
  set(0x63, "movsxd", FORM.REG_RM, SOURCE_32 | NO_16);
  set(0x68, "push", FORM.PUSH_Z, STACK);
  set(0x69, "imul", FORM.REG_RM_Z);
  set(0x6a, "push", FORM.PUSH_S, STACK);
  set(0x6b, "imul", FORM.REG_RM_S);
  for (const [opcode, how, flag] of [
    [0x80, FORM.RM_B, BYTE],
    [0x81, FORM.RM_Z, 0],
    [0x83, FORM.RM_S, 0],
  ] as const) {
    const first = setGroup(opcode, arithmetic, how, flag | LOCKABLE);
    set(first + arithmetic.indexOf("cmp"), "cmp", how, flag);
  }
  set(0x84, "test", FORM.RM_REG, BYTE);
  set(0x85, "test", FORM.RM_REG);
  set(0x86, "xchg", FORM.RM_REG, BYTE | LOCKABLE);
  set(0x87, "xchg", FORM.RM_REG, LOCKABLE);
  set(0x88, "mov", FORM.RM_REG, BYTE);
  set(0x89, "mov", FORM.RM_REG);
  set(0x8a, "mov", FORM.REG_RM, BYTE);
  set(0x8b, "mov", FORM.REG_RM);
  set(0x8d, "lea", FORM.REG_RM, MEMORY_ONLY);
  set(0x90, "nop", FORM.NOTHING);
  set(0x98, "cdqe", FORM.NOTHING, WIDE_ONLY);
  set(0x9c, "pushfq", FORM.NOTHING, NO_16);
  set(0x9d, "popfq", FORM.NOTHING, NO_16);
  set(0xa4, "movsb", FORM.STRING_MOVE, BYTE);
  set(0xa5, "movsq", FORM.STRING_MOVE, WIDE_ONLY);
  set(0xa8, "test", FORM.ACCUMULATOR_Z, BYTE);
  set(0xa9, "test", FORM.ACCUMULATOR_Z);
  set(0xaa, "stosb", FORM.STRING_STORE, BYTE);
  set(0xab, "stosq", FORM.STRING_STORE, WIDE_ONLY);
  const shifts = ["rol", "ror", "rcl", "rcr", "shl", "shr", "", "sar"];
  setGroup(0xc0, shifts, FORM.RM_B, BYTE);
  setGroup(0xc1, shifts, FORM.RM_B);
  setGroup(0xd0, shifts, FORM.RM_ONE, BYTE);
  setGroup(0xd1, shifts, FORM.RM_ONE);
  setGroup(0xd2, shifts, FORM.RM_CL, BYTE);
  setGroup(0xd3, shifts, FORM.RM_CL);
  set(0xc3, "ret", FORM.NOTHING, NO_16, FLOW.return);
  setGroup(0xc6, ["mov"], FORM.RM_B, BYTE);
  setGroup(0xc7, ["mov"], FORM.RM_Z);
  set(0xc9, "leave", FORM.NOTHING, NO_16);
  set(0xcc, "int3", FORM.NOTHING, NO_16, FLOW.interrupt);
  set(0xe8, "call", FORM.BRANCH_32, NO_16, FLOW.call);
  set(0xe9, "jmp", FORM.BRANCH_32, NO_16, FLOW.jump);
  set(0xeb, "jmp", FORM.BRANCH_8, NO_16, FLOW.jump);
  const unary = ["", "", "not", "neg", "mul", "imul", "div", "idiv"];
  set(setGroup(0xf6, unary, FORM.RM, BYTE), "test", FORM.RM_B, BYTE);
  set(setGroup(0xf7, unary, FORM.RM), "test", FORM.RM_Z);
  setGroup(0xfe, ["inc", "dec"], FORM.RM, BYTE | LOCKABLE);
  const last = setGroup(0xff, ["inc", "dec"], FORM.RM, LOCKABLE);
  set(last + 2, "call", FORM.RM, STACK, FLOW["indirect-call"]);
  set(last + 4, "jmp", FORM.RM, STACK, FLOW["indirect-jump"]);
  set(last + 6, "push", FORM.RM, STACK);
  set(SECOND_MAP + 0x0b, "ud2", FORM.NOTHING, NO_16, FLOW.trap);
  setGroup(SECOND_MAP + 0x1f, ["nop"], FORM.RM);
  set(SECOND_MAP + 0xa3, "bt", FORM.RM_REG);
  set(SECOND_MAP + 0xa4, "shld", FORM.RM_REG_B);
  set(SECOND_MAP + 0xa5, "shld", FORM.RM_REG_CL);
  set(SECOND_MAP + 0xab, "bts", FORM.RM_REG, LOCKABLE);
  set(SECOND_MAP + 0xac, "shrd", FORM.RM_REG_B);
  set(SECOND_MAP + 0xad, "shrd", FORM.RM_REG_CL);
  set(SECOND_MAP + 0xaf, "imul", FORM.REG_RM);
  set(SECOND_MAP + 0xb0, "cmpxchg", FORM.RM_REG, BYTE | LOCKABLE);
  set(SECOND_MAP + 0xb1, "cmpxchg", FORM.RM_REG, LOCKABLE);
  set(SECOND_MAP + 0xb3, "btr", FORM.RM_REG, LOCKABLE);
  set(SECOND_MAP + 0xb6, "movzx", FORM.REG_RM, SOURCE_8);
  set(SECOND_MAP + 0xb7, "movzx", FORM.REG_RM, SOURCE_16);
  const bits = setGroup(SECOND_MAP + 0xba, ["", "", "", "", "bt", "bts", "btr", "btc"], FORM.RM_B, LOCKABLE);
  set(bits + 4, "bt", FORM.RM_B);
  set(SECOND_MAP + 0xb9, "ud1", FORM.REG_RM, 0, FLOW.trap);
  set(SECOND_MAP + 0xbb, "btc", FORM.RM_REG, LOCKABLE);
  set(SECOND_MAP + 0xbc, "bsf", FORM.REG_RM);
  set(SECOND_MAP + 0xbd, "bsr", FORM.REG_RM);
  set(SECOND_MAP + 0xbe, "movsx", FORM.REG_RM, SOURCE_8);
  set(SECOND_MAP + 0xbf, "movsx", FORM.REG_RM, SOURCE_16);
  set(SECOND_MAP + 0xc0, "xadd", FORM.RM_REG, BYTE | LOCKABLE);
  set(SECOND_MAP + 0xc1, "xadd", FORM.RM_REG, LOCKABLE);
  const names = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
  const old = names.map((name) => name.toUpperCase());
  const numbered = (suffix: string) => Array.from({ length: 8 }, (_, n) => `R${n + 8}${suffix}`);
  const numbers = (list: readonly string[]) =>
    Uint8Array.from(list, (name) => (Register as unknown as Record<string, number>)[name]!);
  return {
    form,
    flags,
    mnemonic,
    flow,
    group,
    endbr64: mnemonicNumber("endbr64"),
    bytes: numbers(["AL", "CL", "DL", "BL", "AH", "CH", "DH", "BH", ...numbered("L")]),
    bytesWithRex: numbers(["AL", "CL", "DL", "BL", "SPL", "BPL", "SIL", "DIL", ...numbered("L")]),
    words: numbers([...old, ...numbered("W")]),
    doubles: numbers([...old.map((name) => `E${name}`), ...numbered("D")]),
    quads: numbers([...old.map((name) => `R${name}`), ...numbered("")]),
  };
}

export class CommonDecoder {
  readonly #tables: Tables;
  readonly #columns: CodeColumns;
  #bytes: Uint8Array = new Uint8Array();
  #base = 0;
  /** Bytes there are, and those before the first of them. */
  #end = 0;
  #skipped = 0;
  readonly #tail = new Uint8Array(2 * LONGEST);
  /** Prefixes of the instruction at hand. */
  #rex = 0;
  #is16 = false;
  #segment = 0;
  #position = 0;

  /** @param columns that it fills */
  constructor(columns: CodeColumns) {
    tables ??= makeTables();
    this.#tables = tables;
    this.#columns = columns;
  }

  /** What is decoded from now on: bytes that lie at `base`, an address in the top 2 GiB as its low 32 bits, signed. */
  begin(bytes: Uint8Array, base: number): void {
    this.#bytes = bytes;
    this.#base = base;
    this.#skipped = 0;
    this.#end = bytes.length;
  }

  /** Near the end goes on in a copy of the rest, behind which there is room to read. */
  #beginTail(position: number): void {
    this.#tail.fill(0);
    this.#tail.set(this.#bytes.subarray(position));
    this.#end -= position;
    this.#base += position;
    this.#skipped = position;
    this.#bytes = this.#tail;
  }

  /** Fills row `at` with the instruction at offset `wanted`, behind those before. Returns its length; 0: left to others, and the row is undefined. */
  decode(at: number, wanted: number): number {
    if (wanted + LONGEST > this.#end && this.#bytes !== this.#tail) this.#beginTail(wanted);
    const bytes = this.#bytes;
    const position = wanted - this.#skipped;
    let here = position;
    let rex = 0;
    let is16 = false;
    let segment = 0;
    let lock = false;
    let opcode = bytes[here++]!;
    const repeated = opcode === 0xf3;
    if (repeated) {
      if (bytes[here] === 0x0f) return this.#marker(at, position);
      opcode = bytes[here++]!;
    }
    for (;;) {
      if (opcode === 0x66) is16 = true;
      else if (segment === 0 && opcode === 0x65) segment = 2;
      else if (segment === 0 && opcode === 0x64) segment = 1;
      else if (!lock && opcode === 0xf0) lock = true;
      // Overrides of the other segments say nothing in 64-bit code.
      else if (segment !== 0 || (opcode !== 0x2e && opcode !== 0x3e)) break;
      if (here - position > MOST_PREFIXES) return 0;
      opcode = bytes[here++]!;
    }
    if ((opcode & 0xf0) === 0x40) {
      rex = opcode;
      opcode = bytes[here++]!;
    }
    if (opcode === 0x0f) opcode = SECOND_MAP + bytes[here++]!;
    const { form, flags } = this.#tables;
    let how = form[opcode]!;
    if (how === FORM.GROUP) {
      opcode = this.#tables.group[opcode]! + ((bytes[here]! >> 3) & 7);
      how = form[opcode]!;
    }
    const flag = flags[opcode]!;
    if (how === FORM.LEFT || (is16 && (flag & (STACK | NO_16)) !== 0)) return 0;
    if ((flag & WIDE_ONLY) !== 0 && (rex & 8) === 0) return 0;
    if (repeated && how !== FORM.STRING_MOVE && how !== FORM.STRING_STORE) return 0;
    if (lock && ((flag & LOCKABLE) === 0 || bytes[here]! >= 0xc0)) return 0;
    // nop with REX.B exchanges r8 and rax.
    if (opcode === 0x90 && rex !== 0) return 0;
    this.#rex = rex;
    this.#is16 = is16 && (rex & 8) === 0;
    this.#segment = segment;
    this.#position = here;
    const columns = this.#columns;
    columns.address[at] = this.#base + position;
    columns.mnemonic[at] = this.#tables.mnemonic[opcode]!;
    columns.flow[at] = this.#tables.flow[opcode]!;
    columns.target[at] = 0;
    if (!this.#operands(at, how, flag, opcode)) return 0;
    if (this.#position > this.#end) {
      // Cut off.
      columns.wide.delete(at * WIDE_KINDS + WIDE_IMMEDIATE);
      return 0;
    }
    const length = this.#position - position;
    columns.length[at] = length;
    return length;
  }

  /** `endbr64`, which every function begins with that may be called indirectly (CONFIG_X86_KERNEL_IBT); nothing else is decoded here that begins so. */
  #marker(at: number, position: number): number {
    const bytes = this.#bytes;
    const is = bytes[position + 1] === 0x0f && bytes[position + 2] === 0x1e && bytes[position + 3] === 0xfa;
    if (!is || position + 4 > this.#end) return 0;
    const columns = this.#columns;
    columns.address[at] = this.#base + position;
    columns.mnemonic[at] = this.#tables.endbr64;
    columns.flow[at] = FLOW.next;
    columns.target[at] = 0;
    columns.operandCount[at] = 0;
    columns.length[at] = 4;
    return 4;
  }

  #operands(at: number, how: number, flag: number, opcode: number): boolean {
    const columns = this.#columns;
    const slot = at * MAX_OPERANDS;
    switch (how) {
      case FORM.NOTHING:
        columns.operandCount[at] = 0;
        return true;
      case FORM.STRING_MOVE:
        columns.operandCount[at] = 2;
        columns.operandKind[slot] = OPERAND.OTHER;
        columns.operandKind[slot + 1] = OPERAND.OTHER;
        return true;
      case FORM.STRING_STORE:
        columns.operandCount[at] = 2;
        columns.operandKind[slot] = OPERAND.OTHER;
        this.#register(slot + 1, 0, flag & BYTE);
        return true;
      case FORM.RM_REG:
        columns.operandCount[at] = 2;
        this.#register(slot + 1, this.#regField(), flag & BYTE);
        return this.#rm(at, slot, flag, 0);
      case FORM.REG_RM:
        columns.operandCount[at] = 2;
        if ((flag & MEMORY_ONLY) !== 0 && this.#bytes[this.#position]! >= 0xc0) return false;
        this.#register(slot, this.#regField(), flag & BYTE);
        return this.#rm(at, slot + 1, flag, 0);
      case FORM.RM:
        columns.operandCount[at] = 1;
        return this.#rm(at, slot, flag, 0);
      case FORM.RM_Z:
        columns.operandCount[at] = 2;
        return this.#rm(at, slot, flag, this.#is16 ? 2 : 4) && this.#immediateZ(at, slot + 1);
      case FORM.RM_B:
        columns.operandCount[at] = 2;
        return this.#rm(at, slot, flag, 1) && this.#immediate(at, slot + 1, this.#bytes[this.#position++]!);
      case FORM.RM_S:
        columns.operandCount[at] = 2;
        return this.#rm(at, slot, flag, 1) && this.#immediate(at, slot + 1, this.#signedByte());
      case FORM.RM_ONE:
        columns.operandCount[at] = 2;
        return this.#rm(at, slot, flag, 0) && this.#immediate(at, slot + 1, 1);
      case FORM.RM_CL:
        columns.operandCount[at] = 2;
        this.#cl(slot + 1);
        return this.#rm(at, slot, flag, 0);
      case FORM.REG_RM_Z:
        columns.operandCount[at] = 3;
        this.#register(slot, this.#regField(), 0);
        return this.#rm(at, slot + 1, flag, this.#is16 ? 2 : 4) && this.#immediateZ(at, slot + 2);
      case FORM.REG_RM_S:
        columns.operandCount[at] = 3;
        this.#register(slot, this.#regField(), 0);
        return this.#rm(at, slot + 1, flag, 1) && this.#immediate(at, slot + 2, this.#signedByte());
      case FORM.RM_REG_B:
        columns.operandCount[at] = 3;
        this.#register(slot + 1, this.#regField(), 0);
        return this.#rm(at, slot, flag, 1) && this.#immediate(at, slot + 2, this.#bytes[this.#position++]!);
      case FORM.RM_REG_CL:
        columns.operandCount[at] = 3;
        this.#register(slot + 1, this.#regField(), 0);
        this.#cl(slot + 2);
        return this.#rm(at, slot, flag, 0);
      case FORM.ACCUMULATOR_Z:
        columns.operandCount[at] = 2;
        this.#register(slot, 0, flag & BYTE);
        return (flag & BYTE) !== 0
          ? this.#immediate(at, slot + 1, this.#bytes[this.#position++]!)
          : this.#immediateZ(at, slot + 1);
      case FORM.REGISTER:
        columns.operandCount[at] = 1;
        this.#inOpcode(slot, opcode, flag);
        return true;
      case FORM.REGISTER_MOVE:
        columns.operandCount[at] = 2;
        this.#inOpcode(slot, opcode, flag);
        if ((flag & BYTE) !== 0) return this.#immediate(at, slot + 1, this.#bytes[this.#position++]!);
        return (this.#rex & 8) !== 0 ? this.#immediate64(at, slot + 1) : this.#immediateZ(at, slot + 1);
      case FORM.PUSH_Z:
        columns.operandCount[at] = 1;
        return this.#immediate(at, slot, this.#int32());
      case FORM.PUSH_S:
        columns.operandCount[at] = 1;
        return this.#immediate(at, slot, this.#signedByte());
      case FORM.BRANCH_8:
        return this.#branch(at, slot, this.#signedByte());
      default:
        return this.#branch(at, slot, this.#int32());
    }
  }

  #regField(): number {
    return ((this.#bytes[this.#position]! >> 3) & 7) | ((this.#rex & 4) << 1);
  }

  #inOpcode(slot: number, opcode: number, flag: number): void {
    const register = (opcode & 7) | ((this.#rex & 1) << 3);
    this.#columns.operandKind[slot] = OPERAND.REGISTER;
    if ((flag & STACK) !== 0) this.#columns.operandRegister[slot] = this.#tables.quads[register]!;
    else this.#register(slot, register, flag & BYTE);
  }

  #register(slot: number, register: number, isByte: number): void {
    this.#columns.operandKind[slot] = OPERAND.REGISTER;
    this.#columns.operandRegister[slot] = this.#numbered(register, isByte);
  }

  #numbered(register: number, isByte: number): number {
    const { bytes, bytesWithRex, words, doubles, quads } = this.#tables;
    if (isByte !== 0) return (this.#rex === 0 ? bytes : bytesWithRex)[register]!;
    if ((this.#rex & 8) !== 0) return quads[register]!;
    return (this.#is16 ? words : doubles)[register]!;
  }

  #cl(slot: number): void {
    this.#columns.operandKind[slot] = OPERAND.REGISTER;
    this.#columns.operandRegister[slot] = this.#tables.bytes[1]!;
  }

  /** The operand in ModRM's r/m. `behind`: bytes of immediate that follow it. */
  #rm(at: number, slot: number, flag: number, behind: number): boolean {
    const bytes = this.#bytes;
    const modrm = bytes[this.#position++]!;
    const columns = this.#columns;
    if (modrm >= 0xc0) {
      const register = (modrm & 7) | ((this.#rex & 1) << 3);
      columns.operandKind[slot] = OPERAND.REGISTER;
      columns.operandRegister[slot] = this.#rmRegister(register, flag);
      return true;
    }
    columns.operandKind[slot] = OPERAND.MEMORY;
    columns.segment[at] = this.#segment;
    columns.ripRelative[at] = 0;
    columns.index[at] = 0;
    columns.scale[at] = 1;
    const mod = modrm >> 6;
    let low = modrm & 7;
    if (low === 5 && mod === 0) {
      columns.base[at] = 0;
      columns.ripRelative[at] = 1;
      const target = this.#int32() + this.#base + this.#position + behind;
      columns.displacement[at] = target;
      return target === (target | 0);
    }
    const { quads } = this.#tables;
    if (low === 4) {
      const sib = bytes[this.#position++]!;
      const index = ((sib >> 3) & 7) | ((this.#rex & 2) << 2);
      if (index !== 4) columns.index[at] = quads[index]!;
      columns.scale[at] = 1 << (sib >> 6);
      low = sib & 7;
      if (low === 5 && mod === 0) {
        columns.base[at] = 0;
        columns.displacement[at] = this.#int32();
        return true;
      }
    }
    columns.base[at] = quads[low | ((this.#rex & 1) << 3)]!;
    columns.displacement[at] = mod === 0 ? 0 : mod === 1 ? this.#signedByte() : this.#int32();
    return true;
  }

  #rmRegister(register: number, flag: number): number {
    const { words, doubles, quads } = this.#tables;
    if ((flag & (BYTE | SOURCE_8)) !== 0) return this.#numbered(register, BYTE);
    if ((flag & SOURCE_16) !== 0) return words[register]!;
    if ((flag & SOURCE_32) !== 0) return doubles[register]!;
    return (flag & STACK) !== 0 ? quads[register]! : this.#numbered(register, 0);
  }

  #signedByte(): number {
    return (this.#bytes[this.#position++]! << 24) >> 24;
  }

  #int32(): number {
    const bytes = this.#bytes;
    const at = this.#position;
    this.#position = at + 4;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }

  #immediate(at: number, slot: number, value: number): boolean {
    this.#columns.operandKind[slot] = OPERAND.IMMEDIATE;
    this.#columns.immediate[at] = value;
    return true;
  }

  #immediateZ(at: number, slot: number): boolean {
    if (this.#is16) {
      const value = this.#bytes[this.#position]! | (this.#bytes[this.#position + 1]! << 8);
      this.#position += 2;
      return this.#immediate(at, slot, value);
    }
    const value = this.#int32();
    // Of 32-bit operands it is zero-extended.
    if (value < 0 && (this.#rex & 8) === 0)
      this.#columns.wide.set(at * WIDE_KINDS + WIDE_IMMEDIATE, BigInt(value >>> 0));
    return this.#immediate(at, slot, value);
  }

  #immediate64(at: number, slot: number): boolean {
    const low = this.#int32();
    const high = this.#int32();
    if (high !== low >> 31) {
      const value = (BigInt(high) << 32n) | BigInt(low >>> 0);
      this.#columns.wide.set(at * WIDE_KINDS + WIDE_IMMEDIATE, value);
    }
    return this.#immediate(at, slot, low);
  }

  #branch(at: number, slot: number, distance: number): boolean {
    const target = this.#base + this.#position + distance;
    this.#columns.operandCount[at] = 1;
    this.#columns.operandKind[slot] = OPERAND.BRANCH;
    this.#columns.target[at] = target;
    return target === (target | 0);
  }
}
