/**
 * Decoded instructions as columns of small numbers: what a pass over a whole kernel (some 2.5 million instructions) can
 * afford. One object is filled for one function after the other; `decodeInstructions` makes plain objects of the same.
 *
 * Addresses, branch targets and displacements are the low 32 bits, signed. For code in the top 2 GiB, where x86_64 links the
 * kernel and its modules, their sign extension is the 64-bit address; `wide` holds what it is not.
 */
import { Decoder, DecoderOptions, FlowControl, IcedInstruction, loadIced, Mnemonic, OpKind, Register } from "./iced.ts";

export const FLOWS = [
  "next",
  "call",
  "indirect-call",
  "jump",
  "indirect-jump",
  "conditional",
  "return",
  "interrupt",
  /** ud2 and the like: WARN goes on behind it, BUG does not. */
  "trap",
  "invalid",
] as const;
export type Flow = (typeof FLOWS)[number];

/** The flows by number, for comparisons in hot loops. */
export const FLOW = Object.fromEntries(FLOWS.map((name, index) => [name, index])) as Readonly<Record<Flow, number>>;

/** What an operand is. `wordOperand` of another kind (string instructions' implied memory) is OTHER. */
export const OPERAND = { NONE: 0, REGISTER: 1, IMMEDIATE: 2, MEMORY: 3, BRANCH: 4, OTHER: 5 } as const;

/** Operands an instruction can have. */
export const MAX_OPERANDS = 5;

const FIRST_CAPACITY = 1024;

export class CodeColumns {
  /** Instructions; the columns are longer. */
  count = 0;
  address = new Int32Array(FIRST_CAPACITY);
  /** Bytes. */
  length = new Uint8Array(FIRST_CAPACITY);
  /** iced's number of the mnemonic; see `mnemonicName`. */
  mnemonic = new Uint16Array(FIRST_CAPACITY);
  /** Index into FLOWS. */
  flow = new Uint8Array(FIRST_CAPACITY);
  /** Target of a direct branch or call; 0 where there is none. */
  target = new Int32Array(FIRST_CAPACITY);
  operandCount = new Uint8Array(FIRST_CAPACITY);
  /** One of OPERAND, at `index * MAX_OPERANDS + operand`; stale behind `operandCount`. */
  operandKind = new Uint8Array(FIRST_CAPACITY * MAX_OPERANDS);
  /** iced's number of the register of a register operand, laid out alike; see `generalRegister` and `registerBytes`. */
  operandRegister = new Uint8Array(FIRST_CAPACITY * MAX_OPERANDS);
  /** The first immediate operand, signed. */
  immediate = new Int32Array(FIRST_CAPACITY);
  /** Of the memory operand: iced's register numbers, 0 for none. A RIP-relative one has no base, but an absolute address. */
  base = new Uint8Array(FIRST_CAPACITY);
  index = new Uint8Array(FIRST_CAPACITY);
  scale = new Uint8Array(FIRST_CAPACITY);
  /** 1: fs, 2: gs, 0 for all others. */
  segment = new Uint8Array(FIRST_CAPACITY);
  ripRelative = new Uint8Array(FIRST_CAPACITY);
  displacement = new Int32Array(FIRST_CAPACITY);
  /** Values that are not the sign extension of 32 bits, by `WIDE_… + instruction * WIDE_KINDS`. */
  readonly wide = new Map<number, bigint>();
  /** Where each run of contiguous instructions begins: a function's body, then its cold parts. */
  readonly #runs: { first: number; start: number; end: number }[] = [];

  clear(): void {
    this.count = 0;
    this.wide.clear();
    this.#runs.length = 0;
  }

  /** Index of the instruction that starts at the address (low 32 bits, signed), or -1. */
  indexAt(address: number): number {
    const index = this.indexHolding(address);
    return index >= 0 && this.address[index] === address ? index : -1;
  }

  /** Index of the instruction that has this byte, or -1. */
  indexHolding(address: number): number {
    for (let run = 0; run < this.#runs.length; run++) {
      const { first, start, end } = this.#runs[run]!;
      if (address < start || address >= end) continue;
      let low = first;
      let high = (this.#runs[run + 1]?.first ?? this.count) - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (this.address[middle]! <= address) low = middle;
        else high = middle - 1;
      }
      return low < this.count ? low : -1;
    }
    return -1;
  }

  /** Does the address lie in the code that was decoded? */
  holds(address: number): boolean {
    return this.#runs.some(({ start, end }) => address >= start && address < end);
  }

  /** Is instruction `index + 1` what follows `index` in memory? */
  followed(index: number): boolean {
    return index + 1 < this.count && this.address[index + 1] === this.address[index]! + this.length[index]!;
  }

  /**
   * Decodes one instruction after the other (linear sweep) from `bytes`, which lie at `address`, behind what is here. Bytes
   * that are no instruction give one of flow `invalid` and length 1, and decoding goes on behind it.
   * @param limit at most so many instructions
   */
  decode(bytes: Uint8Array, address: bigint, limit = Number.POSITIVE_INFINITY): void {
    loadIced();
    flowOfControl ??= flowTable();
    const base = Number(BigInt.asIntN(32, address));
    this.#runs.push({ first: this.count, start: base, end: base + bytes.length });
    const decoder = new Decoder(64, bytes, DecoderOptions.None);
    const scratch = new IcedInstruction();
    const last = this.count + limit;
    try {
      decoder.ip = address;
      let position = 0;
      while (position < bytes.length && this.count < last) {
        if (this.count === this.address.length) this.#grow();
        const at = this.count++;
        decoder.decodeOut(scratch);
        this.address[at] = base + position;
        const mnemonic = scratch.mnemonic;
        this.mnemonic[at] = mnemonic;
        if (mnemonic === Mnemonic.INVALID) {
          this.length[at] = 1;
          this.flow[at] = FLOW.invalid;
          this.target[at] = 0;
          this.operandCount[at] = 0;
          position++;
          decoder.position = position;
          decoder.ip = address + BigInt(position);
          continue;
        }
        const length = scratch.length;
        this.length[at] = length;
        this.flow[at] = flowOfControl[scratch.flowControl] ?? FLOW.next;
        this.#readOperands(at, scratch);
        // System calls and hypercalls count as calls there; nothing of the kernel's is called.
        if (this.flow[at] === FLOW.call && this.target[at] === 0 && this.operandCount[at] === 0)
          this.flow[at] = FLOW.next;
        position += length;
      }
    } finally {
      scratch.free();
      decoder.free();
    }
  }

  #readOperands(at: number, instruction: IcedInstruction): void {
    const count = instruction.opCount;
    this.operandCount[at] = count;
    this.target[at] = 0;
    let immediates = 0;
    for (let operand = 0; operand < count; operand++) {
      const slot = at * MAX_OPERANDS + operand;
      // Their own getters are plain calls; `opKind(n)` has to be ready to throw.
      const kind =
        operand === 0 ? instruction.op0Kind : operand === 1 ? instruction.op1Kind : instruction.opKind(operand);
      switch (kind) {
        case OpKind.Register:
          this.operandKind[slot] = OPERAND.REGISTER;
          this.operandRegister[slot] =
            operand === 0
              ? instruction.op0Register
              : operand === 1
                ? instruction.op1Register
                : instruction.opRegister(operand);
          break;
        case OpKind.NearBranch16:
        case OpKind.NearBranch32:
        case OpKind.NearBranch64:
          this.operandKind[slot] = OPERAND.BRANCH;
          this.target[at] = this.#narrow(at, WIDE_TARGET, instruction.nearBranchTarget);
          break;
        case OpKind.Memory:
          this.operandKind[slot] = OPERAND.MEMORY;
          this.#readMemory(at, instruction);
          break;
        case OpKind.Immediate8:
        case OpKind.Immediate8_2nd:
        case OpKind.Immediate16:
        case OpKind.Immediate32:
        case OpKind.Immediate64:
        case OpKind.Immediate8to16:
        case OpKind.Immediate8to32:
        case OpKind.Immediate8to64:
        case OpKind.Immediate32to64: {
          this.operandKind[slot] = OPERAND.IMMEDIATE;
          const value = instruction.immediate(operand);
          if (immediates++ === 0) this.immediate[at] = this.#narrow(at, WIDE_IMMEDIATE, value);
          else this.wide.set(at * WIDE_KINDS + WIDE_IMMEDIATE_2, BigInt.asIntN(64, value));
          break;
        }
        default:
          this.operandKind[slot] = OPERAND.OTHER;
      }
    }
  }

  #readMemory(at: number, instruction: IcedInstruction): void {
    const base = instruction.memoryBase;
    const relative = base === Register.RIP || base === Register.EIP;
    const segment = instruction.memorySegment;
    this.base[at] = relative ? 0 : base;
    this.ripRelative[at] = relative ? 1 : 0;
    this.index[at] = instruction.memoryIndex;
    this.scale[at] = instruction.memoryIndexScale;
    this.segment[at] = segment === Register.GS ? 2 : segment === Register.FS ? 1 : 0;
    const displacement = relative ? instruction.ipRelMemoryAddress : instruction.memoryDisplacement;
    this.displacement[at] = this.#narrow(at, WIDE_DISPLACEMENT, displacement);
  }

  #narrow(at: number, kind: number, value: bigint): number {
    const narrow = Number(BigInt.asIntN(32, value));
    if (BigInt(narrow) !== BigInt.asIntN(64, value)) this.wide.set(at * WIDE_KINDS + kind, BigInt.asIntN(64, value));
    return narrow;
  }

  #grow(): void {
    const capacity = this.address.length * 2;
    const longer = <T extends Int32Array | Uint8Array | Uint16Array>(make: new (length: number) => T, column: T): T => {
      const result = new make((column.length / this.address.length) * capacity);
      result.set(column);
      return result;
    };
    const { operandKind, operandRegister } = this;
    this.operandKind = longer(Uint8Array, operandKind);
    this.operandRegister = longer(Uint8Array, operandRegister);
    for (const name of [
      "length",
      "flow",
      "operandCount",
      "base",
      "index",
      "scale",
      "segment",
      "ripRelative",
    ] as const) {
      this[name] = longer(Uint8Array, this[name]);
    }
    this.mnemonic = longer(Uint16Array, this.mnemonic);
    this.target = longer(Int32Array, this.target);
    this.immediate = longer(Int32Array, this.immediate);
    this.displacement = longer(Int32Array, this.displacement);
    this.address = longer(Int32Array, this.address);
  }
}

export const WIDE_KINDS = 4;
export const WIDE_TARGET = 0;
export const WIDE_IMMEDIATE = 1;
/** The second immediate of an instruction that has two (enter). */
export const WIDE_IMMEDIATE_2 = 2;
export const WIDE_DISPLACEMENT = 3;

/** Made with the library at hand, so not before the first instruction is decoded. */
let flowOfControl: Uint8Array | null = null;

function flowTable(): Uint8Array {
  const table = new Uint8Array(16);
  const flows: readonly (readonly [number, Flow])[] = [
    [FlowControl.UnconditionalBranch, "jump"],
    [FlowControl.IndirectBranch, "indirect-jump"],
    [FlowControl.ConditionalBranch, "conditional"],
    [FlowControl.Return, "return"],
    [FlowControl.Call, "call"],
    [FlowControl.IndirectCall, "indirect-call"],
    [FlowControl.Interrupt, "interrupt"],
    [FlowControl.Exception, "trap"],
  ];
  for (const [control, flow] of flows) table[control] = FLOW[flow];
  return table;
}

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
