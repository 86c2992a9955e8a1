/**
 * Follows values through the instructions of one function: what its registers and stack slots hold before each instruction,
 * until nothing changes any more. What follows from that (see function-facts.ts) is told once, in a last round.
 *
 * A register that a call may change is unknown behind it. Memory on the stack is followed as long as RSP is; other memory is
 * not: what is loaded from it is what its type, or the flow graph, says.
 */
import {
  type CodeColumns,
  FLOW,
  generalRegisters,
  MAX_OPERANDS,
  OPERAND,
  registerWidths,
} from "../../code/code-columns.ts";
import { OPERATION, operationTable } from "./operations.ts";
import type { Atom, Value, Values } from "./values.ts";

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
const CALLER_SAVED = [RCX, RDX, RSI, RDI, 8, 9, 10, 11];

/** Per-CPU sections begin with what is fixed (the stack protector's canary, the IRQ stack). */
const FIRST_PER_CPU = 64;

const REGISTERS = 16;

const WIDE_KINDS = 4;
const WIDE_IMMEDIATE = 1;
const WIDE_DISPLACEMENT = 3;

/** Runs of one block with different states; a value keeps a few atoms only, so that this is never met but by design. */
const MOST_RUNS = 12;
/** Where RSP is aligned the distance from the entry is not known: another region begins. */
const REGION = 1 << 24;

/** What the rest of the analysis knows, asked while values are followed. */
export interface FlowQuestions {
  /** What the first argument registers hold at the entry. */
  entry(argument: number): Value;
  /** What a load through an atom gives, at instruction `at`. */
  load(atom: Atom, at: number): Value;
  /** The per-CPU variable at an address of the per-CPU section. */
  perCpu(address: number): Value;
  /** Does a number look like an address of the kernel's or a module's? */
  isAddress(value: number): boolean;
  /** Register of a retpoline thunk, -1 for other code. */
  thunkRegister(target: number): number;
  isReturnThunk(target: number): boolean;
  /** Does a call there leave the registers as they are (ftrace's and the like)? */
  preserves(target: number): boolean;
  /** Does a call there, or through a pointer (null), leave nothing in the registers that a callee need not save? */
  clobbers(target: number | null): boolean;
  /** What a call returns. */
  result(at: number, target: number | null, pointer: Value | null): Value;
}

/** What is found; told when the values stand. */
export interface FlowListener {
  /** A call or a jump that leaves the function for a known one. */
  direct(at: number, target: number, registers: readonly Value[], tail: boolean): void;
  /** `pointer` is what is called. */
  indirect(at: number, pointer: Value, registers: readonly Value[], tail: boolean): void;
  store(at: number, address: Value, value: Value): void;
  /** Bytes are copied from one address to another. */
  copy(at: number, to: Value, from: Value): void;
  returns(at: number, value: Value): void;
}

/** Registers, and behind them the slots of the stack that the function uses, as they are met; what was never written is absent. */
type State = (Value | undefined)[];

export class FunctionFlow {
  readonly #values: Values;
  readonly #operations = operationTable();
  readonly #general = generalRegisters();
  readonly #widths = registerWidths();
  #code: CodeColumns = null as unknown as CodeColumns;
  #questions: FlowQuestions = null as unknown as FlowQuestions;
  #listener: FlowListener | null = null;
  /** The present state. */
  #registers: Value[] = [];
  /** Places of stack slots in a state, by offset. */
  readonly #slots = new Map<number, number>();
  #slotCount = REGISTERS;

  constructor(values: Values) {
    this.#values = values;
  }

  run(code: CodeColumns, questions: FlowQuestions, listener: FlowListener): void {
    if (code.count === 0) return;
    this.#code = code;
    this.#questions = questions;
    this.#slots.clear();
    this.#slotCount = REGISTERS;
    const blocks = blocksOf(code);
    const states: (State | null)[] = new Array(blocks.count).fill(null);
    states[0] = this.#entryState();
    // Blocks stand in the order of their addresses: each is final once those before it are, but in loops.
    for (let block = 0; block < blocks.count; ) {
      const last = blocks.loopEnd[block]!;
      if (last >= block) {
        this.#loop(blocks, block, last, states, listener);
        block = last + 1;
        continue;
      }
      // Code that only a table of jumps, an exception or an alternative leads to.
      states[block] ??= this.#lostState(block);
      this.#listener = listener;
      this.#propagate(blocks, block, states, null);
      states[block] = null;
      block++;
    }
  }

  /** Blocks `first` to `last`, which jump back among each other, until nothing changes. */
  #loop(blocks: Blocks, first: number, last: number, states: (State | null)[], listener: FlowListener): void {
    const dirty = new Uint8Array(last + 1 - first);
    const runs = new Uint8Array(last + 1 - first);
    for (let block = first; block <= last; block++) if (states[block] !== null) dirty[block - first] = 1;
    const front = { first, dirty, left: dirty.reduce((sum, one) => sum + one, 0) };
    this.#listener = null;
    for (let unreached = first; ; ) {
      while (front.left > 0) {
        for (let block = first; block <= last; block++) {
          if (dirty[block - first] === 0) continue;
          dirty[block - first] = 0;
          front.left--;
          if (runs[block - first]! >= MOST_RUNS) continue;
          runs[block - first]!++;
          this.#propagate(blocks, block, states, front);
        }
      }
      while (unreached <= last && states[unreached] !== null) unreached++;
      if (unreached > last) break;
      states[unreached] = this.#lostState(unreached);
      dirty[unreached - first] = 1;
      front.left = 1;
    }
    this.#listener = listener;
    for (let block = first; block <= last; block++) {
      this.#registers = states[block] as Value[];
      states[block] = null;
      this.#runBlock(blocks, block);
    }
  }

  #entryState(): State {
    const registers: Value[] = new Array(REGISTERS).fill(this.#values.unknown);
    registers[RSP] = this.#values.stack(0);
    for (const [argument, register] of ARGUMENT_REGISTERS.entries()) {
      registers[register] = this.#questions.entry(argument);
    }
    return registers;
  }

  #lostState(block: number): State {
    const registers: Value[] = new Array(REGISTERS).fill(this.#values.unknown);
    registers[RSP] = this.#values.stack(-REGION * (2 + (block % 64)));
    return registers;
  }

  /** Runs a block and hands its end state on. `front`: what became dirty is noted there. */
  #propagate(
    blocks: Blocks,
    block: number,
    states: (State | null)[],
    front: { readonly first: number; readonly dirty: Uint8Array; left: number } | null,
  ): void {
    this.#registers = (states[block] as Value[]).slice();
    this.#runBlock(blocks, block);
    const end = blocks.edgeStart[block + 1]!;
    for (let edge = blocks.edgeStart[block]!; edge < end; edge++) {
      const to = blocks.edges[edge]!;
      const known = states[to];
      let changed = true;
      // The last one to get it may keep it.
      if (known == null) states[to] = edge === end - 1 ? this.#registers : this.#registers.slice();
      else changed = this.#merge(known);
      if (!changed || front === null || to - front.first >= front.dirty.length) continue;
      if (front.dirty[to - front.first] === 0) {
        front.dirty[to - front.first] = 1;
        front.left++;
      }
    }
  }

  #merge(known: State): boolean {
    let changed = false;
    const now = this.#registers;
    for (let place = 0; place < now.length; place++) {
      const value = now[place];
      const before = known[place];
      if (value === before || value === undefined) continue;
      const joined = before === undefined ? value : this.#values.join(before, value);
      if (joined === before) continue;
      known[place] = joined;
      changed = true;
    }
    return changed;
  }

  /** Place of a stack slot in the state. */
  #slot(offset: number): number {
    let slot = this.#slots.get(offset);
    if (slot === undefined) {
      slot = this.#slotCount++;
      this.#slots.set(offset, slot);
    }
    return slot;
  }

  #setSlot(offset: number, value: Value | undefined): void {
    const slot = this.#slot(offset);
    const now = this.#registers as State;
    while (now.length < slot) now.push(undefined);
    now[slot] = value;
  }

  #inSlot(offset: number): Value | undefined {
    const slot = this.#slots.get(offset);
    return slot === undefined ? undefined : this.#registers[slot];
  }

  #runBlock(blocks: Blocks, block: number): void {
    for (let at = blocks.first[block]!; at < blocks.first[block + 1]!; at++) this.#step(at);
  }

  #step(at: number): void {
    const code = this.#code;
    switch (code.flow[at]) {
      case FLOW.call:
        this.#call(at, code.target[at]!);
        return;
      case FLOW["indirect-call"]:
        this.#indirect(at, this.#read(at, 0), false);
        return;
      case FLOW.jump:
      case FLOW.conditional:
        this.#jump(at, code.target[at]!);
        return;
      case FLOW["indirect-jump"]:
        this.#listener?.indirect(at, this.#read(at, 0), this.#registers, true);
        return;
      case FLOW.return:
        this.#listener?.returns(at, this.#registers[RAX]!);
        return;
      case FLOW.next:
        break;
      default:
        return;
    }
    this.#operate(at, this.#operations[code.mnemonic[at]!]!);
  }

  #jump(at: number, target: number): void {
    if (this.#listener === null || this.#code.holds(target)) return;
    if (this.#questions.isReturnThunk(target)) {
      this.#listener.returns(at, this.#registers[RAX]!);
      return;
    }
    const register = this.#questions.thunkRegister(target);
    if (register >= 0) this.#listener.indirect(at, this.#registers[register]!, this.#registers, true);
    else this.#listener.direct(at, target, this.#registers, true);
  }

  #call(at: number, target: number): void {
    const register = this.#questions.thunkRegister(target);
    if (register >= 0) {
      this.#indirect(at, this.#registers[register]!, false);
      return;
    }
    if (this.#questions.preserves(target)) return;
    this.#listener?.direct(at, target, this.#registers, false);
    this.#afterCall(this.#questions.result(at, target, null), this.#questions.clobbers(target));
  }

  #indirect(at: number, pointer: Value, tail: boolean): void {
    this.#listener?.indirect(at, pointer, this.#registers, tail);
    // Paravirtual operations are called through a variable, from assembler that says itself what they change.
    const assembler = this.#isMemory(at, 0) && this.#code.base[at] === 0;
    this.#afterCall(this.#questions.result(at, null, pointer), !assembler && this.#questions.clobbers(null));
  }

  #afterCall(result: Value, clobbered: boolean): void {
    const left = clobbered ? this.#values.dead : this.#values.unknown;
    for (const register of CALLER_SAVED) this.#registers[register] = left;
    this.#registers[RAX] = result;
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
        return register < 0 || this.#width(at, operand) < 8 ? this.#values.unknown : this.#registers[register]!;
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
    if (register >= 0) this.#registers[register] = this.#width(at, operand) < 8 ? this.#narrowed(at, value) : value;
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
        if (immediate) this.#write(at, 0, this.#shift(this.#registers[register]!, -this.#code.immediate[at]!));
        else if (register !== RSP) this.#write(at, 0, unknown);
        return;
      }
      case OPERATION.AND:
      case OPERATION.OR:
        this.#mask(at, operation);
        return;
      case OPERATION.XOR: {
        const register = this.#register(at, 0);
        if (register >= 0) this.#registers[register] = register === this.#register(at, 1) ? none : unknown;
        return;
      }
      case OPERATION.PUSH:
        this.#push(this.#read(at, 0), at);
        return;
      case OPERATION.POP:
        this.#pop(at);
        return;
      case OPERATION.LEAVE:
        this.#registers[RSP] = this.#shift(this.#registers[RBP]!, 8);
        this.#registers[RBP] = unknown;
        return;
      case OPERATION.CONDITIONAL_MOVE: {
        const register = this.#register(at, 0);
        if (register < 0) return;
        this.#write(at, 0, this.#values.join(this.#registers[register]!, this.#read(at, 1)));
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
        this.#registers[RAX] = before;
        return;
      }
      case OPERATION.CPUID:
        this.#registers[RBX] = unknown;
        this.#registers[RCX] = unknown;
        this.#registers[RAX] = unknown;
        this.#registers[RDX] = unknown;
        return;
      case OPERATION.RAX_RDX:
        this.#registers[RAX] = unknown;
        this.#registers[RDX] = unknown;
        return;
      case OPERATION.RAX:
        this.#registers[RAX] = unknown;
        return;
      case OPERATION.STRING_MOVE:
        this.#listener?.copy(at, this.#registers[RDI]!, this.#registers[RSI]!);
        this.#registers[RSI] = unknown;
        this.#registers[RDI] = unknown;
        this.#registers[RCX] = unknown;
        return;
      case OPERATION.STRING_OTHER:
        this.#registers[RSI] = unknown;
        this.#registers[RDI] = unknown;
        this.#registers[RCX] = unknown;
        this.#registers[RAX] = unknown;
        return;
      default: {
        const register = this.#register(at, 0);
        if (register >= 0) this.#registers[register] = unknown;
        else if (this.#isMemory(at, 0)) this.#forgetStack(this.#address(at));
        // One operand of imul means RDX:RAX.
        if (this.#code.operandCount[at] === 1) {
          this.#registers[RAX] = unknown;
          this.#registers[RDX] = unknown;
        }
      }
    }
  }

  #add(at: number): void {
    const register = this.#register(at, 0);
    if (register < 0) return;
    const held = this.#registers[register]!;
    const kind = this.#code.operandKind[at * MAX_OPERANDS + 1];
    if (kind === OPERAND.IMMEDIATE) {
      const amount = this.#code.immediate[at]!;
      // add $table,%rax: the number in the register was an index.
      const sum = this.#questions.isAddress(amount) ? this.#values.address(amount, true) : this.#next(held, amount);
      this.#write(at, 0, sum);
      return;
    }
    // add %gs:this_cpu_off,%rax and add __per_cpu_offset(,%rcx,8),%rax: a CPU's copy of the variable at that address.
    this.#write(at, 0, kind === OPERAND.MEMORY ? this.#perCpuCopy(held) : this.#sum(held, this.#read(at, 1)));
  }

  /** One pointer plus a number that is not known. */
  #sum(a: Value, b: Value): Value {
    const pointer = pointerRank(a) >= pointerRank(b) ? a : b;
    return this.#values.map(pointer, (atom) => {
      switch (atom.kind) {
        case "object":
        case "cell":
          return this.#again(atom);
        case "address":
          return this.#values.address(atom.address, true);
        default:
          return this.#values.unknown;
      }
    });
  }

  #perCpuCopy(value: Value): Value {
    return this.#values.map(value, (atom) => {
      if (atom.kind === "address") return this.#questions.perCpu(atom.address);
      return atom.kind === "object" || atom.kind === "cell" ? this.#again(atom) : this.#values.unknown;
    });
  }

  /** The value of one atom. */
  #again(atom: Atom): Value {
    switch (atom.kind) {
      case "object":
        return this.#values.object(atom.type, atom.offset);
      case "cell":
        return this.#values.cell(atom.type);
      case "address":
        return this.#values.address(atom.address, atom.anywhere);
      default:
        return this.#values.unknown;
    }
  }

  /** add $size,%reg: on to the next element of an array. */
  #next(value: Value, amount: number): Value {
    return this.#values.map(value, (atom) =>
      atom.kind === "object" && Math.abs(amount) === atom.type.size
        ? this.#values.object(atom.type, atom.offset)
        : this.#shiftAtom(atom, amount),
    );
  }

  #mask(at: number, operation: number): void {
    const register = this.#register(at, 0);
    if (register < 0) return;
    const immediate = this.#code.operandKind[at * MAX_OPERANDS + 1] === OPERAND.IMMEDIATE;
    const amount = this.#code.immediate[at]!;
    if (register === RSP) {
      this.#registers[RSP] = this.#values.stack(-REGION);
      return;
    }
    // Low bits of pointers carry flags; they are taken off and put on.
    const tag = operation === OPERATION.AND ? amount < 0 && amount >= -64 : amount >= 0 && amount < 8;
    if (!(immediate && tag)) this.#write(at, 0, this.#values.unknown);
  }

  #push(value: Value, at: number): void {
    const rsp = this.#shift(this.#registers[RSP]!, -8);
    this.#registers[RSP] = rsp;
    this.#store(at, rsp, value);
  }

  #pop(at: number): void {
    const rsp = this.#registers[RSP]!;
    const atom = rsp.atoms.length === 1 ? rsp.atoms[0]! : null;
    const value = atom?.kind === "stack" ? (this.#inSlot(atom.offset) ?? this.#values.unknown) : this.#values.unknown;
    this.#registers[RSP] = this.#shift(rsp, 8);
    this.#write(at, 0, value);
  }

  #shift(value: Value, amount: number): Value {
    return amount === 0 ? value : this.#values.map(value, (atom) => this.#shiftAtom(atom, amount));
  }

  #shiftAtom(atom: Atom, amount: number): Value {
    switch (atom.kind) {
      case "object": {
        const offset = atom.offset + amount;
        return Math.abs(offset) > 1 << 20 ? this.#values.unknown : this.#values.object(atom.type, offset);
      }
      case "cell":
        return amount % 8 === 0 ? this.#values.cell(atom.type) : this.#values.unknown;
      case "address":
        return this.#values.address((atom.address + amount) | 0, atom.anywhere);
      case "stack":
        return this.#values.stack(atom.offset + amount);
      case "made": {
        const offset = atom.offset + amount;
        return Math.abs(offset) >= 1 << 19 ? this.#values.unknown : this.#values.made(atom.source, offset);
      }
      default:
        return this.#values.unknown;
    }
  }

  /** What a memory operand points to. */
  #address(at: number): Value {
    const code = this.#code;
    const base = this.#general[code.base[at]!]!;
    const index = this.#general[code.index[at]!]!;
    const displacement = code.displacement[at]!;
    const hasBase = code.base[at] !== 0 && base >= 0;
    const hasIndex = code.index[at] !== 0 && index >= 0;
    if (code.segment[at] === 2 && !hasBase && !hasIndex) return this.#questions.perCpu(displacement);
    if (code.wide.size > 0 && code.wide.has(at * WIDE_KINDS + WIDE_DISPLACEMENT) && !hasBase)
      return this.#values.unknown;
    if (!hasBase && !hasIndex) return this.#values.address(displacement);
    const isTable = this.#questions.isAddress(displacement);
    if (isTable) {
      // disp(%rax) with a displacement that is an address: an element of a table there.
      return this.#values.address(displacement, true);
    }
    if (!hasIndex) return this.#shift(this.#registers[base]!, displacement);
    const indexed = this.#registers[index]!;
    if (!hasBase) return code.scale[at] === 1 ? this.#shift(indexed, displacement) : this.#values.unknown;
    const based = this.#registers[base]!;
    const pointer = code.scale[at] === 1 && pointerRank(indexed) > pointerRank(based) ? indexed : based;
    return this.#shift(this.#sum(pointer, this.#values.none), displacement);
  }

  #load(at: number): Value {
    return this.#values.map(this.#address(at), (atom) => {
      if (atom.kind !== "stack") return this.#questions.load(atom, at);
      return this.#inSlot(atom.offset) ?? this.#questions.load(atom, at);
    });
  }

  #store(at: number, address: Value, value: Value): void {
    if (address.atoms.length === 1 && address.atoms[0]!.kind === "stack") {
      this.#setSlot(address.atoms[0].offset, value);
    } else {
      for (const atom of address.atoms) {
        if (atom.kind !== "stack") continue;
        const before = this.#inSlot(atom.offset);
        if (before !== undefined) this.#setSlot(atom.offset, this.#values.join(before, value));
      }
    }
    this.#listener?.store(at, address, value);
  }

  #forgetStack(address: Value): void {
    for (const atom of address.atoms) if (atom.kind === "stack") this.#setSlot(atom.offset, undefined);
  }
}

/** Which of two added values is the pointer. */
function pointerRank(value: Value): number {
  let rank = 0;
  for (const { kind } of value.atoms) {
    const own =
      kind === "object" || kind === "cell" || kind === "address" ? 3 : kind === "stack" ? 2 : kind === "made" ? 1 : 0;
    if (own > rank) rank = own;
  }
  return rank;
}

interface Blocks {
  readonly count: number;
  /** First instruction of each; one more than there are blocks. */
  readonly first: Int32Array;
  readonly edgeStart: Int32Array;
  readonly edges: Int32Array;
  /** For the first block of a loop (of several that overlap): its last one; -1 for all others. */
  readonly loopEnd: Int32Array;
}

function blocksOf(code: CodeColumns): Blocks {
  const leads = new Uint8Array(code.count + 1);
  leads[0] = 1;
  for (let at = 0; at < code.count; at++) {
    const flow = code.flow[at]!;
    if (flow === FLOW.jump || flow === FLOW.conditional) {
      const target = code.indexAt(code.target[at]!);
      if (target >= 0) leads[target] = 1;
      leads[at + 1] = 1;
    } else if (flow === FLOW["indirect-jump"] || flow === FLOW.return || !code.followed(at)) leads[at + 1] = 1;
  }
  const blockOf = new Int32Array(code.count);
  const first: number[] = [];
  for (let at = 0; at < code.count; at++) {
    if (leads[at] === 1) first.push(at);
    blockOf[at] = first.length - 1;
  }
  const count = first.length;
  first.push(code.count);
  const edgeStart = new Int32Array(count + 1);
  const edges: number[] = [];
  for (let block = 0; block < count; block++) {
    edgeStart[block] = edges.length;
    const last = first[block + 1]! - 1;
    const flow = code.flow[last]!;
    const ends = flow === FLOW.jump || flow === FLOW["indirect-jump"] || flow === FLOW.return || flow === FLOW.invalid;
    if (!ends && code.followed(last)) edges.push(blockOf[last + 1]!);
    if (flow === FLOW.jump || flow === FLOW.conditional) {
      const target = code.indexAt(code.target[last]!);
      if (target >= 0) edges.push(blockOf[target]!);
    }
  }
  edgeStart[count] = edges.length;
  return {
    count,
    first: Int32Array.from(first),
    edgeStart,
    edges: Int32Array.from(edges),
    loopEnd: loops(count, edgeStart, edges),
  };
}

/** See `Blocks.loopEnd`. */
function loops(count: number, edgeStart: Int32Array, edges: readonly number[]): Int32Array {
  const end = new Int32Array(count).fill(-1);
  for (let block = 0; block < count; block++) {
    for (let edge = edgeStart[block]!; edge < edgeStart[block + 1]!; edge++) {
      const to = edges[edge]!;
      if (to <= block) end[to] = Math.max(end[to]!, block);
    }
  }
  for (let block = 0; block < count; ) {
    let last = end[block]!;
    for (let inner = block + 1; inner <= last; inner++) last = Math.max(last, end[inner]!);
    end[block] = last;
    block = Math.max(block, last) + 1;
  }
  return end;
}
