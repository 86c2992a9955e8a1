/**
 * Machine instructions as plain objects: what call-site checks, prologue reading and stack tracking ask of them.
 */
import { Decoder, DecoderOptions, FlowControl, IcedInstruction, loadIced, Mnemonic, OpKind, Register } from "./iced.ts";

export type Flow =
  | "next"
  | "call"
  | "indirect-call"
  | "jump"
  | "indirect-jump"
  | "conditional"
  | "return"
  | "interrupt"
  /** ud2 and the like: WARN goes on behind it, BUG does not. */
  | "trap"
  | "invalid";

/** `register` names are those of the full 64-bit register ("rax" for al, ax, eax and rax); `size` is in bytes. */
export type Operand =
  | { readonly kind: "register"; readonly register: string; readonly size: number }
  | { readonly kind: "immediate"; readonly value: bigint }
  | {
      readonly kind: "memory";
      /** "rip" never appears: such an operand has base null and its absolute address as the displacement. */
      readonly base: string | null;
      readonly index: string | null;
      readonly scale: number;
      /** Signed for based operands; an absolute address without a base. */
      readonly displacement: bigint;
      readonly segment: "fs" | "gs" | null;
      readonly ripRelative: boolean;
    }
  | { readonly kind: "branch"; readonly target: bigint }
  | { readonly kind: "other" };

export interface Instruction {
  readonly address: bigint;
  /** Length in bytes. */
  readonly length: number;
  /** Lower-case Intel mnemonic ("push", "mov", "sub"). */
  readonly mnemonic: string;
  readonly flow: Flow;
  /** Target of a direct branch or call, else null. */
  readonly target: bigint | null;
  readonly operands: readonly Operand[];
}

const mnemonicNames = new Map<number, string>();

function mnemonicName(mnemonic: number): string {
  let name = mnemonicNames.get(mnemonic);
  if (name === undefined) {
    name = (Mnemonic[mnemonic] ?? "invalid").toLowerCase();
    mnemonicNames.set(mnemonic, name);
  }
  return name;
}

interface RegisterInfo {
  readonly name: string;
  readonly size: number;
}
const registerInfos = new Map<number, RegisterInfo | null>();

const LEGACY = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];

/** Full-width name and access size of an iced register; null for none. */
function registerInfo(register: number): RegisterInfo | null {
  let info = registerInfos.get(register);
  if (info === undefined) {
    info = describeRegister(register);
    registerInfos.set(register, info);
  }
  return info;
}

function describeRegister(register: number): RegisterInfo | null {
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

/** The sixteen general registers in encoding order; used where code numbers them. */
export const GENERAL_REGISTERS: readonly string[] = [
  ...LEGACY,
  ...Array.from({ length: 8 }, (_, index) => `r${index + 8}`),
];

let flows: ReadonlyMap<number, Flow> | null = null;

/** Made with the library at hand, so not before the first instruction is decoded. */
function flowOf(control: number): Flow {
  flows ??= new Map<number, Flow>([
    [FlowControl.Next, "next"],
    [FlowControl.UnconditionalBranch, "jump"],
    [FlowControl.IndirectBranch, "indirect-jump"],
    [FlowControl.ConditionalBranch, "conditional"],
    [FlowControl.Return, "return"],
    [FlowControl.Call, "call"],
    [FlowControl.IndirectCall, "indirect-call"],
    [FlowControl.Interrupt, "interrupt"],
    [FlowControl.XbeginXabortXend, "next"],
    [FlowControl.Exception, "trap"],
  ]);
  return flows.get(control) ?? "next";
}

function readOperand(instruction: IcedInstruction, index: number): Operand {
  const kind = instruction.opKind(index);
  switch (kind) {
    case OpKind.Register: {
      const info = registerInfo(instruction.opRegister(index));
      return info ? { kind: "register", register: info.name, size: info.size } : { kind: "other" };
    }
    case OpKind.NearBranch16:
    case OpKind.NearBranch32:
    case OpKind.NearBranch64:
      return { kind: "branch", target: instruction.nearBranchTarget };
    case OpKind.Memory: {
      const segment = instruction.memorySegment;
      const ripRelative = instruction.isIpRelMemoryOperand;
      const base = ripRelative ? null : (registerInfo(instruction.memoryBase)?.name ?? null);
      const index = registerInfo(instruction.memoryIndex)?.name ?? null;
      return {
        kind: "memory",
        base,
        index,
        scale: instruction.memoryIndexScale,
        displacement: ripRelative
          ? instruction.ipRelMemoryAddress
          : base === null && index === null
            ? BigInt.asUintN(64, instruction.memoryDisplacement)
            : BigInt.asIntN(64, instruction.memoryDisplacement),
        segment: segment === Register.GS ? "gs" : segment === Register.FS ? "fs" : null,
        ripRelative,
      };
    }
    case OpKind.Immediate8:
    case OpKind.Immediate8_2nd:
    case OpKind.Immediate16:
    case OpKind.Immediate32:
    case OpKind.Immediate64:
    case OpKind.Immediate8to16:
    case OpKind.Immediate8to32:
    case OpKind.Immediate8to64:
    case OpKind.Immediate32to64:
      return { kind: "immediate", value: BigInt.asIntN(64, instruction.immediate(index)) };
    default:
      return { kind: "other" };
  }
}

/**
 * Decodes instructions one after the other (linear sweep) from `bytes`, which lie at `address`. Bytes that are no
 * instruction give one of flow `invalid` and length 1, and decoding goes on behind it.
 * @param limit at most so many instructions
 */
export function decodeInstructions(
  bytes: Uint8Array,
  address: bigint,
  limit = Number.POSITIVE_INFINITY,
): Instruction[] {
  loadIced();
  const decoder = new Decoder(64, bytes, DecoderOptions.None);
  const scratch = new IcedInstruction();
  const result: Instruction[] = [];
  try {
    decoder.ip = address;
    while (decoder.canDecode && result.length < limit) {
      const position = decoder.position;
      decoder.decodeOut(scratch);
      if (scratch.mnemonic === Mnemonic.INVALID) {
        const at = address + BigInt(position);
        result.push({ address: at, length: 1, mnemonic: "invalid", flow: "invalid", target: null, operands: [] });
        decoder.position = position + 1;
        decoder.ip = at + 1n;
        continue;
      }
      const operands: Operand[] = [];
      for (let index = 0; index < scratch.opCount; index++) operands.push(readOperand(scratch, index));
      const first = operands[0];
      result.push({
        address: address + BigInt(position),
        length: scratch.length,
        mnemonic: mnemonicName(scratch.mnemonic),
        flow: flowOf(scratch.flowControl),
        target: first?.kind === "branch" ? first.target : null,
        operands,
      });
    }
  } finally {
    scratch.free();
    decoder.free();
  }
  return result;
}
