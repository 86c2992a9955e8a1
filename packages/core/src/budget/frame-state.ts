/**
 * What is known of a function's frame at one place of its code: which registers and which words of the frame hold addresses of the
 * frame, as depths; and what each instruction makes of that.
 */
import {
  type CodeColumns,
  FLOW,
  generalRegisters,
  MAX_OPERANDS,
  OPERAND,
  registerWidths,
} from "../code/code-columns.ts";
import {
  AT_LEAST,
  AT_MOST,
  depthBytes,
  depthNumber,
  depthSureness,
  EXACT,
  MOST_FRAME_BYTES,
  plausibleDepth,
  UNKNOWN,
} from "./depth-number.ts";
import { stackMnemonics } from "./stack-change.ts";

export const RSP = 4;
export const RBP = 5;
/** Registers, which stack RSP is on, and RSP as it was last stored through a pointer, and that pointer. */
export const ON_OTHER = 16;
const KEPT = 17;
export const KEPT_BY = 18;
export const STATE = 19;

/** Which stack RSP is on: the function's own, or another one. */
const OWN = 0;
const OTHER = 1;
/**
 * None that anything tells: RSP was zeroed, or used for what is no stack (`xor %rsp,%rsp`, `mov %cr3,%rsp`). objtool does not
 * follow such instructions (tools/objtool/arch/x86/decode.c), so that ORC goes on as if the frame were there.
 */
export const LOST = 2;

/** Registers that a call leaves unknown (psABI 3.2.1). */
const CALLER_SAVED = [0, 1, 2, 6, 7, 8, 9, 10, 11];
/** Instructions before an `alloca` that may bound its size. */
const MOST_WINDOW = 16;

/** Serves any number of functions, one after the other. */
export class FrameState {
  /** Depths by register number, then by the names above. */
  readonly values = new Int32Array(STATE);
  /** Words of the frame that hold addresses of the frame: depth of the word to the address's number. */
  slots = new Map<number, number>();
  #code!: CodeColumns;
  readonly #isEntered: (index: number) => boolean;
  readonly #general = generalRegisters();
  readonly #width = registerWidths();
  readonly #mnemonic = stackMnemonics();

  /** @param isEntered whether paths meet at an instruction */
  constructor(isEntered: (index: number) => boolean) {
    this.#isEntered = isEntered;
  }

  /** At a place of which nothing is known but how deep RSP and RBP stand. */
  reset(code: CodeColumns, rsp: number, rbp = UNKNOWN): void {
    this.#code = code;
    this.values.fill(UNKNOWN);
    this.values[RSP] = rsp;
    this.values[RBP] = rbp;
    this.values[ON_OTHER] = OWN;
    this.slots.clear();
  }

  /** What a call leaves. */
  clobber(): void {
    for (const register of CALLER_SAVED) this.values[register] = UNKNOWN;
  }

  /** The effect of one instruction on RSP and on whatever points into the frame. */
  step(index: number): void {
    const code = this.#code;
    const mnemonic = this.#mnemonic;
    const state = this.values;
    const first = index * MAX_OPERANDS;
    const kind = code.operandCount[index]! > 0 ? code.operandKind[first]! : OPERAND.NONE;
    const target = kind === OPERAND.REGISTER ? this.#general[code.operandRegister[first]!]! : -1;
    switch (code.mnemonic[index]) {
      case mnemonic.push:
        this.#push(target >= 0 ? state[target]! : kind === OPERAND.MEMORY ? this.#load(index, true) : UNKNOWN);
        return;
      case mnemonic.pushfq:
        this.#push(UNKNOWN);
        return;
      case mnemonic.pop:
        this.#pop(target);
        return;
      case mnemonic.popfq:
        this.#pop(-1);
        return;
      case mnemonic.leave:
        state[RSP] = state[RBP]!;
        state[ON_OTHER] = OWN;
        this.#pop(RBP);
        return;
      case mnemonic.cmp:
      case mnemonic.test:
      case mnemonic.nop:
        return;
      case mnemonic.add:
      case mnemonic.sub:
        if (target >= 0) this.#move(index, target, code.mnemonic[index] === mnemonic.sub ? 1 : -1);
        else this.#stored(index, kind);
        return;
      case mnemonic.and:
        if (target >= 0) this.#align(index, target);
        else this.#stored(index, kind);
        return;
      case mnemonic.lea:
        if (target >= 0) this.#assign(index, target, this.#address(index));
        return;
      case mnemonic.mov:
        this.#mov(index, kind, target);
        return;
      case mnemonic.xchg:
        if (this.#exchange(index, target)) return;
        break;
    }
    if (target >= 0) this.#set(target, UNKNOWN);
    else this.#stored(index, kind);
  }

  /** The second register of an exchange; true if that was all, and false where the first operand is left. */
  #exchange(index: number, target: number): boolean {
    const second = index * MAX_OPERANDS + 1;
    const isRegister = this.#code.operandKind[second] === OPERAND.REGISTER;
    const source = isRegister ? this.#general[this.#code.operandRegister[second]!]! : -1;
    if (source < 0) return false;
    const isWhole = target >= 0 && this.#width[this.#code.operandRegister[second]!] === 8;
    const old = this.#inFrame(source);
    this.#set(source, isWhole ? this.#inFrame(target) : UNKNOWN);
    if (isWhole) this.#set(target, old);
    return isWhole;
  }

  /** A register gets a value in a way that no compiler sets up a frame. */
  #set(target: number, value: number): void {
    if (target !== RSP) this.values[target] = value;
    else if (value === UNKNOWN) this.#switchTo(0, LOST);
    else this.#assignStack(value);
  }

  #push(value: number): void {
    const rsp = this.values[RSP]!;
    if (rsp === UNKNOWN) return;
    const deeper = plausibleDepth(rsp + depthNumber(8, EXACT));
    this.values[RSP] = deeper;
    if (deeper !== UNKNOWN && this.values[ON_OTHER] === OWN) this.#setSlot(depthBytes(deeper), value);
  }

  #pop(target: number): void {
    const state = this.values;
    const rsp = state[RSP]!;
    const value = rsp === UNKNOWN || state[ON_OTHER] !== OWN ? UNKNOWN : (this.slots.get(depthBytes(rsp)) ?? UNKNOWN);
    if (target === RSP) {
      state[RSP] = value !== UNKNOWN ? value : state[KEPT]!;
      state[ON_OTHER] = OWN;
      return;
    }
    if (rsp !== UNKNOWN) state[RSP] = plausibleDepth(rsp - depthNumber(8, EXACT));
    if (target >= 0) state[target] = value;
  }

  #setSlot(depth: number, value: number): void {
    if (value === UNKNOWN) this.slots.delete(depth);
    else this.slots.set(depth, value);
  }

  /** `sub`/`add` of a constant, or of what only a running kernel knows. */
  #move(index: number, target: number, sign: number): void {
    const state = this.values;
    const old = state[target]!;
    if (old === UNKNOWN) return;
    if (this.#code.operandKind[index * MAX_OPERANDS + 1] === OPERAND.IMMEDIATE) {
      state[target] = plausibleDepth(old + sign * depthNumber(this.#code.immediate[index]!, EXACT));
    } else if (target === RSP && sign > 0) {
      const most = this.#mostOf(index);
      const isBounded = most !== null && most <= MOST_FRAME_BYTES;
      state[target] = isBounded
        ? plausibleDepth(old + depthNumber(most, AT_MOST))
        : depthNumber(depthBytes(old), AT_LEAST);
    } else state[target] = UNKNOWN;
  }

  /**
   * Most that the register which is subtracted from RSP can hold, by the masks and sums that led to it: the stack offset of
   * each system call (`add_random_kstack_offset`, 39218ff4c625, 5.13) is a masked random number. Null where nothing tells.
   */
  #mostOf(index: number): number | null {
    const code = this.#code;
    const register = this.#general[code.operandRegister[index * MAX_OPERANDS + 1]!]!;
    if (register < 0 || code.operandKind[index * MAX_OPERANDS + 1] !== OPERAND.REGISTER) return null;
    const steps: number[] = [];
    for (let at = index - 1; at >= 0 && at >= index - MOST_WINDOW && code.followed(at); at--) {
      if (code.flow[at] !== FLOW.next || this.#isEntered(at + 1)) break;
      if (this.#general[code.operandRegister[at * MAX_OPERANDS]!] !== register) continue;
      if (code.operandKind[at * MAX_OPERANDS] !== OPERAND.REGISTER) continue;
      if (code.mnemonic[at] === this.#mnemonic.cmp || code.mnemonic[at] === this.#mnemonic.test) continue;
      const immediate = code.immediate[at]!;
      const isConstant = code.operandKind[at * MAX_OPERANDS + 1] === OPERAND.IMMEDIATE && immediate >= 0;
      if (!isConstant || (code.mnemonic[at] !== this.#mnemonic.and && code.mnemonic[at] !== this.#mnemonic.add)) break;
      steps.push(at);
    }
    let most: number | null = null;
    for (const at of steps.reverse()) {
      const immediate = code.immediate[at]!;
      if (code.mnemonic[at] === this.#mnemonic.and) {
        const below: number = most === null ? immediate : Math.min(most, immediate);
        most = below - (below % (immediate & -immediate || 1));
      } else if (most !== null) most += immediate;
    }
    return most;
  }

  /** `and $-64, %rsp`: the address is a multiple of 8 as it is, and at most 56 bytes are lost. */
  #align(index: number, target: number): void {
    const state = this.values;
    const old = state[target]!;
    if (old === UNKNOWN) return;
    const alignment = -this.#code.immediate[index]!;
    const isPower = alignment > 0 && (alignment & (alignment - 1)) === 0;
    if (this.#code.operandKind[index * MAX_OPERANDS + 1] !== OPERAND.IMMEDIATE || !isPower) state[target] = UNKNOWN;
    else if (alignment > 8) {
      const sureness = Math.max(depthSureness(old), AT_MOST);
      state[target] = plausibleDepth(depthNumber(depthBytes(old) + alignment - 8, sureness));
    }
  }

  /** A register gets a new value; RSP with one that is no address of this frame is on another stack. */
  #assign(index: number, target: number, value: number): void {
    const state = this.values;
    if (target !== RSP) {
      state[target] = this.#width[this.#code.operandRegister[index * MAX_OPERANDS]!] === 8 ? value : UNKNOWN;
      return;
    }
    if (value !== UNKNOWN) {
      this.#assignStack(value);
      return;
    }
    // `lea -168(%rax),%rsp` with a stack's top in rax.
    const isLea = this.#code.mnemonic[index] === this.#mnemonic.lea;
    const isOffset = isLea && this.#code.base[index] !== 0 && this.#code.index[index] === 0;
    if (isOffset && this.#frameBase(index) !== UNKNOWN) {
      state[RSP] = UNKNOWN;
      return;
    }
    const below = isOffset ? -this.#code.displacement[index]! : 0;
    this.#switchTo(below > 0 && below <= MOST_FRAME_BYTES ? below : 0);
  }

  #mov(index: number, kind: number, target: number): void {
    const code = this.#code;
    const state = this.values;
    const second = index * MAX_OPERANDS + 1;
    const fromRegister = code.operandKind[second] === OPERAND.REGISTER;
    const source = fromRegister ? this.#general[code.operandRegister[second]!]! : -1;
    if (kind === OPERAND.MEMORY) {
      if (source === RSP) this.#keep(index);
      this.#stored(index, kind, source >= 0 ? state[source]! : UNKNOWN);
      return;
    }
    if (target < 0) return;
    if (code.operandKind[second] === OPERAND.MEMORY) {
      const loaded = this.#load(index, false);
      if (target === RSP && loaded === UNKNOWN) this.#switchByLoad(index);
      else this.#assign(index, target, loaded);
    } else if (target === RSP && source < 0) {
      this.#set(RSP, UNKNOWN);
    } else if (target === RSP && state[source] === UNKNOWN) {
      // Where the stack that is left was noted at the other one's top, that word is there.
      this.#switchTo(state[KEPT_BY] === source ? 8 : 0);
    } else this.#assign(index, target, source >= 0 ? state[source]! : UNKNOWN);
  }

  /** RSP is stored through a pointer: `mov %rsp, (%rbx)`. */
  #keep(index: number): void {
    const state = this.values;
    if (this.#frameBase(index) !== UNKNOWN) return;
    state[KEPT] = state[RSP]!;
    const base = this.#general[this.#code.base[index]!]!;
    state[KEPT_BY] = base >= 0 && this.#code.displacement[index] === 0 ? base : UNKNOWN;
  }

  /**
   * RSP out of memory. From a struct that it was stored in before, it is another task's, which stood as deep (macro
   * `switch_to`, `__switch_to_asm`); from elsewhere it is the top of a stack.
   */
  #switchByLoad(index: number): void {
    const state = this.values;
    const base = this.#general[this.#code.base[index]!]!;
    if (base >= 0 && this.#code.displacement[index] !== 0 && state[KEPT] !== UNKNOWN) state[RSP] = state[KEPT]!;
    else this.#switchTo(0);
  }

  #assignStack(depth: number): void {
    this.values[RSP] = depth;
    this.values[ON_OTHER] = OWN;
  }

  #switchTo(bytes: number, stack = OTHER): void {
    this.values[RSP] = depthNumber(bytes, EXACT);
    this.values[ON_OTHER] = stack;
  }

  /** Something is written to memory: a word of the frame may hold an address of the frame now, or no longer. */
  #stored(index: number, kind: number, value = UNKNOWN): void {
    if (kind !== OPERAND.MEMORY) return;
    const at = this.#address(index);
    if (at !== UNKNOWN) this.#setSlot(depthBytes(at), value);
  }

  /** The frame address in the word that a memory operand names, where there is one. */
  #load(index: number, onlyMemory: boolean): number {
    if (!onlyMemory && this.#width[this.#code.operandRegister[index * MAX_OPERANDS]!] !== 8) return UNKNOWN;
    const at = this.#address(index);
    return at === UNKNOWN ? UNKNOWN : (this.slots.get(depthBytes(at)) ?? UNKNOWN);
  }

  /** Depth of the address that a memory operand names, where it lies in the frame. */
  #address(index: number): number {
    const base = this.#frameBase(index);
    if (base === UNKNOWN || this.#code.index[index] !== 0) return UNKNOWN;
    return plausibleDepth(base - depthNumber(this.#code.displacement[index]!, EXACT));
  }

  #frameBase(index: number): number {
    const base = this.#general[this.#code.base[index]!]!;
    return base < 0 || this.#code.segment[index] !== 0 ? UNKNOWN : this.#inFrame(base);
  }

  /** What a register holds, if it is an address of this frame. */
  #inFrame(register: number): number {
    return register === RSP && this.values[ON_OTHER] !== OWN ? UNKNOWN : this.values[register]!;
  }
}
