/**
 * Fills columns with whatever iced-x86 decodes: all instructions there are, one field after the other out of its memory.
 */
import type { CodeColumns } from "./code-columns.ts";
import {
  FLOW,
  type Flow,
  MAX_OPERANDS,
  OPERAND,
  WIDE_DISPLACEMENT,
  WIDE_IMMEDIATE,
  WIDE_IMMEDIATE_2,
  WIDE_KINDS,
  WIDE_TARGET,
} from "./code-format.ts";
import { Decoder, DecoderOptions, FlowControl, IcedInstruction, loadIced, Mnemonic, OpKind, Register } from "./iced.ts";

export class IcedReader {
  readonly #columns: CodeColumns;
  readonly #bytes: Uint8Array;
  readonly #address: bigint;
  #decoder: InstanceType<typeof Decoder> | null = null;
  #scratch: IcedInstruction | null = null;

  /** @param bytes what lies at `address` */
  constructor(columns: CodeColumns, bytes: Uint8Array, address: bigint) {
    this.#columns = columns;
    this.#bytes = bytes;
    this.#address = address;
  }

  /** Gives back what the library keeps; to be called whatever happens. */
  free(): void {
    this.#scratch?.free();
    this.#decoder?.free();
  }

  /** Fills row `at` with the instruction at `position`. Returns its length: 1 where there is none. */
  decode(at: number, position: number): number {
    const columns = this.#columns;
    const scratch = this.#read(position);
    columns.address[at] = Number(BigInt.asIntN(32, this.#address)) + position;
    const mnemonic = scratch.mnemonic;
    columns.mnemonic[at] = mnemonic;
    if (mnemonic === Mnemonic.INVALID) {
      columns.length[at] = 1;
      columns.flow[at] = FLOW.invalid;
      columns.target[at] = 0;
      columns.operandCount[at] = 0;
      return 1;
    }
    columns.length[at] = scratch.length;
    columns.flow[at] = flowOfControl![scratch.flowControl] ?? FLOW.next;
    this.#readOperands(at, scratch);
    // System calls and hypercalls count as calls there; nothing of the kernel's is called.
    if (columns.flow[at] === FLOW.call && columns.target[at] === 0 && columns.operandCount[at] === 0)
      columns.flow[at] = FLOW.next;
    return scratch.length;
  }

  #read(position: number): IcedInstruction {
    if (this.#decoder === null) {
      loadIced();
      flowOfControl ??= flowTable();
      this.#decoder = new Decoder(64, this.#bytes, DecoderOptions.None);
      this.#scratch = new IcedInstruction();
    }
    this.#decoder.position = position;
    this.#decoder.ip = this.#address + BigInt(position);
    this.#decoder.decodeOut(this.#scratch!);
    return this.#scratch!;
  }

  #readOperands(at: number, instruction: IcedInstruction): void {
    const columns = this.#columns;
    const count = instruction.opCount;
    columns.operandCount[at] = count;
    columns.target[at] = 0;
    let immediates = 0;
    for (let operand = 0; operand < count; operand++) {
      const slot = at * MAX_OPERANDS + operand;
      // Their own getters are plain calls; `opKind(n)` has to be ready to throw.
      const kind =
        operand === 0 ? instruction.op0Kind : operand === 1 ? instruction.op1Kind : instruction.opKind(operand);
      switch (kind) {
        case OpKind.Register:
          columns.operandKind[slot] = OPERAND.REGISTER;
          columns.operandRegister[slot] =
            operand === 0
              ? instruction.op0Register
              : operand === 1
                ? instruction.op1Register
                : instruction.opRegister(operand);
          break;
        case OpKind.NearBranch16:
        case OpKind.NearBranch32:
        case OpKind.NearBranch64:
          columns.operandKind[slot] = OPERAND.BRANCH;
          columns.target[at] = this.#narrow(at, WIDE_TARGET, instruction.nearBranchTarget);
          break;
        case OpKind.Memory:
          columns.operandKind[slot] = OPERAND.MEMORY;
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
          columns.operandKind[slot] = OPERAND.IMMEDIATE;
          const value = instruction.immediate(operand);
          if (immediates++ === 0) columns.immediate[at] = this.#narrow(at, WIDE_IMMEDIATE, value);
          else columns.wide.set(at * WIDE_KINDS + WIDE_IMMEDIATE_2, BigInt.asIntN(64, value));
          break;
        }
        default:
          columns.operandKind[slot] = OPERAND.OTHER;
      }
    }
  }

  #readMemory(at: number, instruction: IcedInstruction): void {
    const columns = this.#columns;
    const base = instruction.memoryBase;
    const relative = base === Register.RIP || base === Register.EIP;
    const segment = instruction.memorySegment;
    columns.base[at] = relative ? 0 : base;
    columns.ripRelative[at] = relative ? 1 : 0;
    columns.index[at] = instruction.memoryIndex;
    columns.scale[at] = instruction.memoryIndexScale;
    columns.segment[at] = segment === Register.GS ? 2 : segment === Register.FS ? 1 : 0;
    const displacement = relative ? instruction.ipRelMemoryAddress : instruction.memoryDisplacement;
    columns.displacement[at] = this.#narrow(at, WIDE_DISPLACEMENT, displacement);
  }

  #narrow(at: number, kind: number, value: bigint): number {
    const narrow = Number(BigInt.asIntN(32, value));
    if (BigInt(narrow) !== BigInt.asIntN(64, value))
      this.#columns.wide.set(at * WIDE_KINDS + kind, BigInt.asIntN(64, value));
    return narrow;
  }
}

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
