/**
 * What each instruction does to the values in registers and stack slots. Memory on the stack is followed as long as RSP is;
 * other memory is not: what is loaded from it is what its type, or the flow graph, says.
 */
import {
  type CodeColumns,
  FLOW,
  generalRegisters,
  MAX_OPERANDS,
  OPERAND,
  registerWidths,
} from "../../code/code-columns.ts";
import type { Callee } from "./callees.ts";
import type { FlowListener, FlowQuestions } from "./flow-questions.ts";
import { OPERATION, operationTable } from "./operations.ts";
import { PlaceSet } from "./place-set.ts";
import { again, next, plusUnknown, pointerRank, shift, TYPED } from "./pointer-sums.ts";
import { ARGUMENT_REGISTERS, CALLER_SAVED, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP } from "./registers.ts";
import { type Atom, KIND, type Value, type Values } from "./values.ts";

/** Per-CPU sections begin with what is fixed (the stack protector's canary, the IRQ stack). */
const FIRST_PER_CPU = 64;

const REGISTERS = 16;
/** Their bits in a PlaceSet. */
export const ALL_REGISTERS = (1 << REGISTERS) - 1;

const WIDE_KINDS = 4;
const WIDE_IMMEDIATE = 1;
const WIDE_DISPLACEMENT = 3;

/** What is remembered of an instruction, by `at * REMEMBERED + …`: its operand's pointer and address, and what that led to. */
const REMEMBERED = 4;
const POINTER = 0;
const ADDRESS = 1;
const LOADED_FROM = 2;
const LOADED = 3;
/** Of a call of a known function: what it returns. */
const RESULT = LOADED;

/** Where RSP is aligned the distance from the entry is not known: another region begins. */
const REGION = 1 << 24;

type StackAtom = Extract<Atom, { kind: "stack" }>;

/** Registers, and behind them the slots of the stack that the function uses, as they are met; what was never written is absent. */
export type State = (Value | undefined)[];

export class InstructionFlow {
  readonly #values: Values;
  readonly #operations = operationTable();
  readonly #general = generalRegisters();
  readonly #widths = registerWidths();
  #code: CodeColumns = null as unknown as CodeColumns;
  #questions: FlowQuestions = null as unknown as FlowQuestions;
  /** Told what instructions do; null while values do not stand yet. */
  listener: FlowListener | null = null;
  /** The present state. */
  registers: Value[] = [];
  /** See `merge`. */
  readonly changed = new PlaceSet();
  /** See `watchSlots`. */
  readonly read = new PlaceSet();
  readonly written = new PlaceSet();
  /** And whether there was something on the stack that no slot of the state holds. */
  readsElsewhere = false;
  /** The slots of the stack that states have places for, in the order of these. */
  readonly #slots: StackAtom[] = [];
  /** Tells functions apart. */
  #function = 0;
  /**
   * An instruction is run anew whenever its block is, mostly with the values that it had before: what its operands led to is
   * asked once for each.
   */
  #memory: (Value | undefined)[] = [];
  #count = 0;

  constructor(values: Values) {
    this.#values = values;
  }

  /** Another function. */
  begin(code: CodeColumns, questions: FlowQuestions): void {
    this.#code = code;
    this.#questions = questions;
    this.#slots.length = 0;
    this.#function++;
    if (code.count * REMEMBERED > this.#memory.length) {
      this.#memory = new Array(2 * code.count * REMEMBERED).fill(undefined);
    } else {
      // Not by `fill`, which takes longer for arrays that are no typed ones.
      for (let at = 0; at < this.#count * REMEMBERED; at++) this.#memory[at] = undefined;
    }
    this.#count = code.count;
  }

  /** What the registers hold where the function begins. */
  entryState(): State {
    const registers = this.#unknownState();
    registers[RSP] = this.#values.stack(0);
    for (let argument = 0; argument < ARGUMENT_REGISTERS.length; argument++) {
      registers[ARGUMENT_REGISTERS[argument]!] = this.#questions.entry(argument);
    }
    return registers;
  }

  /** The state at code that nothing known leads to; `block` tells apart what RSP is there. */
  lostState(block: number): State {
    const registers = this.#unknownState();
    registers[RSP] = this.#values.stack(-REGION * (2 + (block % 64)));
    return registers;
  }

  #unknownState(): Value[] {
    const registers: Value[] = [];
    for (let register = 0; register < REGISTERS; register++) registers.push(this.#values.unknown);
    return registers;
  }

  /**
   * Adds the present state to another; false where that knew it all, else `changed` has the places that changed in it.
   * @param live registers, as bits, in which somebody wants to know what is
   */
  merge(known: State, live: number): boolean {
    const now = this.registers;
    this.changed.clear();
    for (let left = live; left !== 0; left &= left - 1) this.#mergeOne(now, known, lowestBit(left));
    for (let place = REGISTERS; place < now.length; place++) this.#mergeOne(now, known, place);
    return this.changed.low !== 0 || this.changed.high !== 0;
  }

  /** The same for some places of another state. @param low see PlaceSet; no others are in `high` */
  mergeSome(now: State, known: State, low: number, high: number): boolean {
    this.changed.clear();
    for (let left = low; left !== 0; left &= left - 1) this.#mergeOne(now, known, lowestBit(left));
    for (let left = high; left !== 0; left &= left - 1) this.#mergeOne(now, known, 32 + lowestBit(left));
    return this.changed.low !== 0 || this.changed.high !== 0;
  }

  #mergeOne(now: State, known: State, place: number): void {
    const value = now[place];
    const before = known[place];
    if (value === before || value === undefined) return;
    const joined = before === undefined ? value : this.#values.join(before, value);
    if (joined === before) return;
    known[place] = joined;
    this.changed.add(place);
  }

  /** From now on it is noted which slots are read before they are written, and which are written. */
  watchSlots(): void {
    this.read.clear();
    this.written.clear();
    this.readsElsewhere = false;
  }

  #setSlot(slot: StackAtom, value: Value | undefined): void {
    if (slot.placeIn !== this.#function) {
      slot.placeIn = this.#function;
      slot.place = REGISTERS + this.#slots.push(slot) - 1;
    }
    const { place } = slot;
    this.written.add(place);
    const now = this.registers as State;
    while (now.length < place) now.push(undefined);
    now[place] = value;
  }

  #inSlot(slot: StackAtom): Value | undefined {
    if (slot.placeIn !== this.#function) {
      this.readsElsewhere = true;
      return undefined;
    }
    const { place } = slot;
    if (!this.written.has(place)) this.read.add(place);
    return this.registers[place];
  }

  /** Runs one instruction. */
  step(at: number): void {
    const code = this.#code;
    switch (code.flow[at]) {
      case FLOW.call:
        this.#call(at, code.target[at]!);
        return;
      case FLOW["indirect-call"]:
        this.#indirect(at, this.#called(at), false);
        return;
      case FLOW.jump:
      case FLOW.conditional:
        this.#jump(at, code.target[at]!);
        return;
      case FLOW["indirect-jump"]:
        this.listener?.indirect(at, this.#called(at), this.registers, true);
        return;
      case FLOW.return:
        this.listener?.returns(at, this.registers[RAX]!);
        return;
      case FLOW.next:
        break;
      default:
        return;
    }
    this.#operate(at, this.#operations[code.mnemonic[at]!]!);
  }

  #jump(at: number, target: number): void {
    if (this.listener === null || this.#code.holds(target)) return;
    const callee = this.#questions.callee(target);
    if (callee.isReturnThunk) this.listener.returns(at, this.registers[RAX]!);
    else if (callee.register >= 0)
      this.listener.indirect(at, this.#pointerIn(at, callee.register), this.registers, true);
    else this.listener.direct(callee, this.registers, true);
  }

  #call(at: number, target: number): void {
    const callee = this.#questions.callee(target);
    if (callee.register >= 0) {
      this.#indirect(at, this.#pointerIn(at, callee.register), false);
      return;
    }
    if (callee.preserves) return;
    this.listener?.direct(callee, this.registers, false);
    this.#fillStack(at, callee, null);
    let result = this.#memory[at * REMEMBERED + RESULT];
    if (result === undefined) {
      result = this.#questions.result(at, callee, null);
      this.#memory[at * REMEMBERED + RESULT] = result;
    }
    this.#afterCall(result, this.#questions.clobbers(callee));
  }

  #indirect(at: number, pointer: Value, tail: boolean): void {
    this.listener?.indirect(at, pointer, this.registers, tail);
    this.#fillStack(at, null, pointer);
    // Paravirtual operations are called through a variable, from assembler that says itself what they change.
    const assembler = this.#isMemory(at, 0) && this.#code.base[at] === 0;
    this.#afterCall(this.#questions.result(at, null, pointer), !assembler && this.#questions.clobbers(null));
  }

  /** A callee that is given a struct on the stack may fill its members. */
  #fillStack(at: number, callee: Callee | null, pointer: Value | null): void {
    for (let argument = 0; argument < ARGUMENT_REGISTERS.length; argument++) {
      const given = this.registers[ARGUMENT_REGISTERS[argument]!]!;
      if ((given.kinds & KIND.stack) === 0) continue;
      for (const atom of given.atoms) {
        if (atom.kind !== "stack") continue;
        const type = this.#questions.pointee(argument, callee, pointer);
        if (type === null) continue;
        this.#questions.onStack(type, atom.offset);
        this.readsElsewhere = true;
        for (const slot of this.#slots) {
          const value = this.registers[slot.place];
          if (value === undefined || slot.offset < atom.offset || slot.offset >= atom.offset + type.size) continue;
          this.registers[slot.place] = this.#values.join(value, this.#questions.load(slot, at));
        }
      }
    }
  }

  #afterCall(result: Value, clobbered: boolean): void {
    const left = clobbered ? this.#values.dead : this.#values.unknown;
    for (const register of CALLER_SAVED) this.registers[register] = left;
    this.registers[RAX] = result;
  }

  /** What a register holds that is used as a pointer: where code does not tell its type, debug information may. */
  #pointerIn(at: number, register: number): Value {
    const value = this.registers[register]!;
    if ((value.kinds & ~(KIND.unknown | KIND.dead | KIND.made)) !== 0) return value;
    const declared = this.#questions.declared(at, register);
    // A function that came from somewhere is more than one of some prototype.
    if (declared === null || ((declared.kinds & KIND.code) !== 0 && (value.kinds & KIND.made) !== 0)) return value;
    this.registers[register] = declared;
    return declared;
  }

  #called(at: number): Value {
    const register = this.#register(at, 0);
    return register < 0 ? this.#read(at, 0) : this.#pointerIn(at, register);
  }

  #register(at: number, operand: number): number {
    const slot = at * MAX_OPERANDS + operand;
    return this.#code.operandKind[slot] === OPERAND.REGISTER ? this.#general[this.#code.operandRegister[slot]!]! : -1;
  }

  #width(at: number, operand: number): number {
    return this.#widths[this.#code.operandRegister[at * MAX_OPERANDS + operand]!]!;
  }

  #isMemory(at: number, operand: number): boolean {
    return this.#code.operandKind[at * MAX_OPERANDS + operand] === OPERAND.MEMORY;
  }

  #read(at: number, operand: number): Value {
    switch (this.#code.operandKind[at * MAX_OPERANDS + operand]) {
      case OPERAND.REGISTER: {
        const register = this.#register(at, operand);
        return register < 0 || this.#width(at, operand) < 8 ? this.#values.unknown : this.registers[register]!;
      }
      case OPERAND.IMMEDIATE:
        return this.#immediate(at);
      case OPERAND.MEMORY:
        return this.#load(at);
      default:
        return this.#values.unknown;
    }
  }

  #immediate(at: number): Value {
    const value = this.#code.immediate[at]!;
    if (this.#code.wide.size > 0 && this.#code.wide.has(at * WIDE_KINDS + WIDE_IMMEDIATE)) return this.#values.none;
    // Small numbers can be addresses of per-CPU variables; an addition of the CPU's base will tell.
    return this.#questions.isAddress(value) || (value >= FIRST_PER_CPU && (value & 7) === 0)
      ? this.#values.address(value)
      : this.#values.none;
  }

  #write(at: number, operand: number, value: Value): void {
    if (this.#isMemory(at, operand)) {
      this.#store(at, this.#address(at), value);
      return;
    }
    const register = this.#register(at, operand);
    if (register >= 0) this.registers[register] = this.#width(at, operand) < 8 ? this.#narrowed(at, value) : value;
  }

  /** A 32-bit move of zero is how zero is made; of anything else it makes no pointer. */
  #narrowed(at: number, value: Value): Value {
    return value.atoms.length === 0 || this.#code.operandKind[at * MAX_OPERANDS + 1] === OPERAND.IMMEDIATE
      ? this.#values.none
      : this.#values.unknown;
  }

  #operate(at: number, operation: number): void {
    const { unknown, none } = this.#values;
    switch (operation) {
      case OPERATION.NONE:
        return;
      case OPERATION.MOVE:
        this.#write(at, 0, this.#read(at, 1));
        return;
      case OPERATION.LEA:
        this.#write(at, 0, this.#address(at));
        return;
      case OPERATION.ADD:
        this.#add(at);
        return;
      case OPERATION.SUB: {
        const immediate = this.#code.operandKind[at * MAX_OPERANDS + 1] === OPERAND.IMMEDIATE;
        const register = this.#register(at, 0);
        if (register < 0) return;
        if (immediate) this.#write(at, 0, shift(this.#values, this.registers[register]!, -this.#code.immediate[at]!));
        else if (register !== RSP) this.#write(at, 0, unknown);
        return;
      }
      case OPERATION.AND:
      case OPERATION.OR:
        this.#mask(at, operation);
        return;
      case OPERATION.XOR: {
        const register = this.#register(at, 0);
        if (register >= 0) this.registers[register] = register === this.#register(at, 1) ? none : unknown;
        return;
      }
      case OPERATION.PUSH:
        this.#push(this.#read(at, 0), at);
        return;
      case OPERATION.POP:
        this.#pop(at);
        return;
      case OPERATION.LEAVE:
        this.registers[RSP] = shift(this.#values, this.registers[RBP]!, 8);
        this.registers[RBP] = unknown;
        return;
      case OPERATION.CONDITIONAL_MOVE: {
        const register = this.#register(at, 0);
        if (register < 0) return;
        this.#write(at, 0, this.#values.join(this.registers[register]!, this.#read(at, 1)));
        return;
      }
      case OPERATION.EXCHANGE:
      case OPERATION.EXCHANGE_ADD: {
        const first = this.#read(at, 0);
        const second = this.#read(at, 1);
        if (operation === OPERATION.EXCHANGE) this.#write(at, 0, second);
        this.#write(at, 1, first);
        return;
      }
      case OPERATION.COMPARE_EXCHANGE: {
        const before = this.#read(at, 0);
        this.#write(at, 0, this.#read(at, 1));
        this.registers[RAX] = before;
        return;
      }
      case OPERATION.CPUID:
        this.registers[RBX] = unknown;
        this.registers[RCX] = unknown;
        this.registers[RAX] = unknown;
        this.registers[RDX] = unknown;
        return;
      case OPERATION.RAX_RDX:
        this.registers[RAX] = unknown;
        this.registers[RDX] = unknown;
        return;
      case OPERATION.RAX:
        this.registers[RAX] = unknown;
        return;
      case OPERATION.STRING_MOVE:
        this.listener?.copy(at, this.registers[RDI]!, this.registers[RSI]!);
        this.registers[RSI] = unknown;
        this.registers[RDI] = unknown;
        this.registers[RCX] = unknown;
        return;
      case OPERATION.STRING_OTHER:
        this.registers[RSI] = unknown;
        this.registers[RDI] = unknown;
        this.registers[RCX] = unknown;
        this.registers[RAX] = unknown;
        return;
      default: {
        const register = this.#register(at, 0);
        if (register >= 0) this.registers[register] = unknown;
        else if (this.#isMemory(at, 0)) this.#forgetStack(this.#address(at));
        // One operand of imul means RDX:RAX.
        if (this.#code.operandCount[at] === 1) {
          this.registers[RAX] = unknown;
          this.registers[RDX] = unknown;
        }
      }
    }
  }

  #add(at: number): void {
    const register = this.#register(at, 0);
    if (register < 0) return;
    const held = this.registers[register]!;
    const kind = this.#code.operandKind[at * MAX_OPERANDS + 1];
    if (kind === OPERAND.IMMEDIATE) {
      const amount = this.#code.immediate[at]!;
      // add $table,%rax: the number in the register was an index.
      const sum = this.#questions.isAddress(amount)
        ? this.#values.address(amount, true)
        : next(this.#values, held, amount);
      this.#write(at, 0, sum);
      return;
    }
    // add %gs:this_cpu_off,%rax and add __per_cpu_offset(,%rcx,8),%rax: a CPU's copy of the variable at that address.
    // Where no variable's address is in the register, an index is, and the pointer in memory.
    const isCopy = kind === OPERAND.MEMORY && pointerRank(held) === TYPED;
    this.#write(at, 0, isCopy ? this.#perCpuCopy(held) : plusUnknown(this.#values, held, this.#read(at, 1)));
  }

  #perCpuCopy(value: Value): Value {
    return this.#values.map(value, (atom) => {
      if (atom.kind === "address") return this.#questions.perCpu(atom.address);
      return atom.kind === "object" || atom.kind === "cell" ? again(this.#values, atom) : this.#values.unknown;
    });
  }

  #mask(at: number, operation: number): void {
    const register = this.#register(at, 0);
    if (register < 0) return;
    const immediate = this.#code.operandKind[at * MAX_OPERANDS + 1] === OPERAND.IMMEDIATE;
    const amount = this.#code.immediate[at]!;
    if (register === RSP) {
      this.registers[RSP] = this.#values.stack(-REGION);
      return;
    }
    // Low bits of pointers carry flags; they are taken off and put on.
    const tag = operation === OPERATION.AND ? amount < 0 && amount >= -64 : amount >= 0 && amount < 8;
    if (!(immediate && tag)) this.#write(at, 0, this.#values.unknown);
  }

  #push(value: Value, at: number): void {
    const rsp = shift(this.#values, this.registers[RSP]!, -8);
    this.registers[RSP] = rsp;
    this.#store(at, rsp, value);
  }

  #pop(at: number): void {
    const rsp = this.registers[RSP]!;
    const atom = rsp.atoms.length === 1 ? rsp.atoms[0]! : null;
    const value = atom?.kind === "stack" ? (this.#inSlot(atom) ?? this.#values.unknown) : this.#values.unknown;
    this.registers[RSP] = shift(this.#values, rsp, 8);
    this.#write(at, 0, value);
  }

  /** What a memory operand points to. */
  #address(at: number): Value {
    const code = this.#code;
    const base = code.base[at] === 0 ? -1 : this.#general[code.base[at]!]!;
    const index = code.index[at] === 0 ? -1 : this.#general[code.index[at]!]!;
    const memory = at * REMEMBERED;
    const known = this.#memory[memory + ADDRESS];
    const before = this.#memory[memory + POINTER];
    // Nothing in registers matters to it.
    if (known !== undefined && before === undefined) return known;
    let address: Value;
    let pointer: Value | undefined;
    const isWide = code.wide.size > 0 && base < 0 && code.wide.has(at * WIDE_KINDS + WIDE_DISPLACEMENT);
    if ((base < 0 && index < 0) || isWide || this.#questions.isAddress(code.displacement[at]!)) {
      address = this.#fixedAddress(at, base >= 0 || index >= 0, isWide);
    } else {
      pointer = this.#pointerOf(at, base, index);
      if (pointer === before) return known!;
      address = this.#addressFrom(at, base, index, pointer);
    }
    this.#memory[memory + POINTER] = pointer;
    this.#memory[memory + ADDRESS] = address;
    return address;
  }

  /** The address of an operand that has no register, or whose displacement is an address. */
  #fixedAddress(at: number, hasRegister: boolean, isWide: boolean): Value {
    const displacement = this.#code.displacement[at]!;
    if (this.#code.segment[at] === 2 && !hasRegister) return this.#questions.perCpu(displacement);
    if (isWide) return this.#values.unknown;
    // disp(%rax) with a displacement that is an address: an element of a table there.
    return this.#values.address(displacement, hasRegister);
  }

  /** Which register of an operand has the pointer: what is in that. */
  #pointerOf(at: number, base: number, index: number): Value {
    if (index < 0) return this.#pointerIn(at, base);
    const indexed = this.registers[index]!;
    if (base < 0) return indexed;
    const based = this.#pointerIn(at, base);
    return this.#code.scale[at] === 1 && pointerRank(indexed) > pointerRank(based) ? indexed : based;
  }

  #addressFrom(at: number, base: number, index: number, pointer: Value): Value {
    const code = this.#code;
    const displacement = code.displacement[at]!;
    if (index < 0) return shift(this.#values, pointer, displacement);
    if (base < 0) return code.scale[at] === 1 ? shift(this.#values, pointer, displacement) : this.#values.unknown;
    return shift(this.#values, plusUnknown(this.#values, pointer, this.#values.none), displacement);
  }

  #load(at: number): Value {
    const address = this.#address(at);
    const memory = at * REMEMBERED;
    if (this.#memory[memory + LOADED_FROM] === address) return this.#memory[memory + LOADED]!;
    if (address.atoms.length === 1 && (address.kinds & KIND.stack) !== 0) {
      return this.#loadBehind(address.atoms[0]!, at);
    }
    const value =
      address.atoms.length === 1
        ? this.#questions.load(address.atoms[0]!, at)
        : this.#values.map(address, (atom) => this.#loadBehind(atom, at));
    // What is on the stack changes.
    if ((address.kinds & KIND.stack) === 0) {
      this.#memory[memory + LOADED_FROM] = address;
      this.#memory[memory + LOADED] = value;
    }
    return value;
  }

  #loadBehind(atom: Atom, at: number): Value {
    if (atom.kind !== "stack") return this.#questions.load(atom, at);
    const held = this.#inSlot(atom);
    if (held !== undefined) return held;
    this.readsElsewhere = true;
    return this.#questions.load(atom, at);
  }

  #store(at: number, address: Value, value: Value): void {
    if (address.atoms.length === 1 && address.atoms[0]!.kind === "stack") {
      this.#setSlot(address.atoms[0], value);
    } else if ((address.kinds & KIND.stack) !== 0) {
      for (const atom of address.atoms) {
        if (atom.kind !== "stack") continue;
        const before = this.#inSlot(atom);
        if (before !== undefined) this.#setSlot(atom, this.#values.join(before, value));
      }
    }
    this.listener?.store(at, address, value);
  }

  #forgetStack(address: Value): void {
    if ((address.kinds & KIND.stack) === 0) return;
    for (const atom of address.atoms) if (atom.kind === "stack") this.#setSlot(atom, undefined);
  }
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
