/**
 * How deep a function's RSP stands before each of its instructions, by following its code: nothing else is asked. One number
 * an instruction, for all code of a kernel; code/frame-layout.ts tells more of one function at a time.
 *
 * A depth is counted from the canonical frame address (CFA): RSP before the call that entered the function, so that a
 * function begins 8 deep. Depths carry how sure they are; both in one number, so that registers and stack slots can hold
 * addresses in the frame as well (GCC aligns a frame through r10 or r13, assembler through any register).
 */
import {
  type CodeColumns,
  FLOW,
  generalRegisters,
  MAX_OPERANDS,
  mnemonicNumber,
  OPERAND,
  registerWidths,
} from "../code/code-columns.ts";

/** A depth of which nothing is known; no other value is negative enough. */
export const UNKNOWN = -0x80000000;
/** How sure a depth is, in the low bits of its number. */
export const EXACT = 0;
/** RSP was aligned: the most it can be. */
export const AT_MOST = 1;
/** RSP was moved by an amount that the code computes: without it. */
export const AT_LEAST = 2;

/** The number of a depth in bytes. */
export function depthNumber(bytes: number, sureness: number): number {
  return bytes * 4 + sureness;
}

/** Bytes of a known depth. */
export function depthBytes(depth: number): number {
  return depth >> 2;
}

/** EXACT, AT_MOST or AT_LEAST. */
export function depthSureness(depth: number): number {
  return depth & 3;
}

const RSP = 4;
const RBP = 5;
/** Registers, whether RSP is on another stack, and RSP as it was last stored through a pointer, and that pointer. */
const ON_OTHER = 16;
const KEPT = 17;
const KEPT_BY = 18;
const STATE = 19;

/** Registers that a call leaves unknown (psABI 3.2.1). */
const CALLER_SAVED = [0, 1, 2, 6, 7, 8, 9, 10, 11];
/** Times that a place is entered with another state before the function is given up. */
const MAX_VISITS = 8;

/** Instructions that are looked at to infer a depth from what comes later. */
const MOST_INFERRED = 256;
/** Instructions before an `alloca` that may bound its size. */
const MOST_WINDOW = 16;

/** What is known where paths meet. */
interface Meeting {
  readonly state: Int32Array;
  /** Words of the frame that hold addresses of the frame: depth of the word to the address's number. */
  slots: ReadonlyMap<number, number>;
  /** Only a call or trap falls through to here so far: one that does not return, if another path says otherwise. */
  weak: boolean;
  visits: number;
  queued: boolean;
}

/** Indirect jumps that stay in the function: index of the jump to the indexes it can lead to. */
export type InnerJumps = ReadonlyMap<number, readonly number[]>;

const NO_JUMPS: InnerJumps = new Map();
const NO_SLOTS: ReadonlyMap<number, number> = new Map();

/** One tracker serves any number of functions, one after the other. */
export class StackDepth {
  /** Before each instruction of the function tracked last: depth of RSP, and of RBP while it points into the frame. */
  rsp = new Int32Array(1024);
  rbp = new Int32Array(1024);
  /** 1 where RSP is on another stack; its depth is counted from that stack's top then. */
  other = new Uint8Array(1024);

  readonly #state = new Int32Array(STATE);
  #slots = new Map<number, number>();
  #meetings = new Map<number, Meeting>();
  #work: number[] = [];
  #code!: CodeColumns;
  #continuing = false;
  #stops: (target: number) => boolean = never;
  readonly #general = generalRegisters();
  readonly #width = registerWidths();
  readonly #mnemonic = mnemonics();

  /**
   * Follows the function's code from its first instruction.
   * @param entryDepth bytes that are on the stack there: 8, the return address, but for code that the CPU enters itself
   * @param stops whether a call of this address never returns; where that is not known, other paths tell
   */
  track(
    code: CodeColumns,
    entryDepth = 8,
    innerJumps: InnerJumps = NO_JUMPS,
    stops: (target: number) => boolean = never,
  ): void {
    this.#code = code;
    this.#stops = stops;
    const { count } = code;
    if (this.rsp.length < count) {
      this.rsp = new Int32Array(count * 2);
      this.rbp = new Int32Array(count * 2);
      this.other = new Uint8Array(count * 2);
    }
    this.rsp.fill(UNKNOWN, 0, count);
    this.rbp.fill(UNKNOWN, 0, count);
    this.other.fill(0, 0, count);
    this.#meetings.clear();
    this.#work.length = 0;
    if (count === 0) return;
    this.#markMeetings(innerJumps);
    this.#state.fill(UNKNOWN);
    this.#state[RSP] = depthNumber(entryDepth, EXACT);
    this.#state[ON_OTHER] = 0;
    this.#slots = new Map();
    this.#meet(0, false);
    for (let index = this.#work.pop(); index !== undefined; index = this.#work.pop()) this.#follow(index, innerJumps);
  }

  /**
   * Follows what is not reached yet from an instruction at which RSP (and RBP) stand that deep: unwind data say so, or what
   * comes later. What is known already stays as it is.
   */
  continueAt(index: number, rsp: number, rbp = UNKNOWN, innerJumps: InnerJumps = NO_JUMPS): void {
    if (this.rsp[index] !== UNKNOWN || this.#code.mnemonic[index] === this.#mnemonic.int3) return;
    this.#state.fill(UNKNOWN);
    this.#state[RSP] = rsp;
    this.#state[RBP] = rbp;
    this.#state[ON_OTHER] = 0;
    this.#slots = new Map();
    if (!this.#meetings.has(index)) this.#meetings.set(index, newMeeting());
    this.#continuing = true;
    this.#meet(index, false);
    for (let next = this.#work.pop(); next !== undefined; next = this.#work.pop()) this.#follow(next, innerJumps);
    this.#continuing = false;
  }

  /**
   * Depth of RSP at an instruction that no path known to the code reaches (a static branch does, or an exception table), by
   * what it goes on to: where it joins code whose depth is known, or leaves the function with its frame undone.
   * @param leavesAt depth of RSP where the function ends
   */
  inferAt(start: number, leavesAt: number): number {
    const code = this.#code;
    const mnemonic = this.#mnemonic;
    let moved = 0;
    let index = start;
    for (let step = 0; step < MOST_INFERRED; step++) {
      const known = this.rsp[index]!;
      if (known !== UNKNOWN) return this.other[index] === 1 ? UNKNOWN : known - moved;
      switch (code.flow[index]) {
        case FLOW.return:
          return leavesAt - moved;
        case FLOW.jump: {
          const target = this.#innerTarget(index);
          if (target < 0) return leavesAt - moved;
          index = target;
          continue;
        }
        case FLOW.conditional: {
          const target = this.#innerTarget(index);
          const there = target < 0 ? UNKNOWN : this.rsp[target]!;
          if (there !== UNKNOWN) return this.other[target] === 1 ? UNKNOWN : there - moved;
          break;
        }
        case FLOW.next: {
          const change = this.#change(index, mnemonic);
          if (change === null) return UNKNOWN;
          moved += change;
          break;
        }
        case FLOW.call:
        case FLOW["indirect-call"]:
        case FLOW.trap:
          break;
        default:
          return UNKNOWN;
      }
      if (!code.followed(index)) return UNKNOWN;
      index++;
    }
    return UNKNOWN;
  }

  /** Bytes by which an instruction deepens the stack; null where that depends on more than itself. */
  movedBy(index: number): number | null {
    const change = this.#change(index, this.#mnemonic);
    return change === null ? null : depthBytes(change);
  }

  /** By how much an instruction moves RSP; null where that depends on more than itself. */
  #change(index: number, mnemonic: ReturnType<typeof mnemonics>): number | null {
    const code = this.#code;
    const first = index * MAX_OPERANDS;
    const isRegister = code.operandCount[index]! > 0 && code.operandKind[first] === OPERAND.REGISTER;
    const target = isRegister ? this.#general[code.operandRegister[first]!]! : -1;
    switch (code.mnemonic[index]) {
      case mnemonic.push:
      case mnemonic.pushfq:
        return depthNumber(8, EXACT);
      case mnemonic.pop:
      case mnemonic.popfq:
        return target === RSP ? null : -depthNumber(8, EXACT);
      case mnemonic.leave:
        return null;
      case mnemonic.add:
      case mnemonic.sub: {
        if (target !== RSP) return 0;
        if (code.operandKind[first + 1] !== OPERAND.IMMEDIATE) return null;
        const sign = code.mnemonic[index] === mnemonic.sub ? 1 : -1;
        return sign * depthNumber(code.immediate[index]!, EXACT);
      }
      case mnemonic.cmp:
      case mnemonic.test:
        return 0;
      default:
        return target === RSP ? null : 0;
    }
  }

  #markMeetings(innerJumps: InnerJumps): void {
    const code = this.#code;
    this.#meetings.set(0, newMeeting());
    for (let index = 0; index < code.count; index++) {
      const flow = code.flow[index]!;
      if (flow !== FLOW.jump && flow !== FLOW.conditional && flow !== FLOW.call) continue;
      const target = this.#innerTarget(index);
      if (target >= 0 && !this.#meetings.has(target)) this.#meetings.set(target, newMeeting());
    }
    for (const targets of innerJumps.values()) {
      for (const target of targets) if (!this.#meetings.has(target)) this.#meetings.set(target, newMeeting());
    }
  }

  /** Instruction that a direct branch within the function leads to, or -1. A jump past a lock prefix counts as the whole. */
  #innerTarget(index: number): number {
    const target = this.#code.target[index]!;
    return target === 0 ? -1 : this.#code.indexHolding(target);
  }

  #follow(start: number, innerJumps: InnerJumps): void {
    const code = this.#code;
    const meeting = this.#meetings.get(start)!;
    meeting.queued = false;
    this.#state.set(meeting.state);
    this.#slots = new Map(meeting.slots);
    // BUG's ud2 does not go on behind it, nor do calls that never return: another path to there knows better.
    let mayStop = false;
    for (let index = start; ; index++) {
      this.rsp[index] = this.#state[RSP]!;
      this.rbp[index] = this.#state[RBP]!;
      this.other[index] = this.#state[ON_OTHER]!;
      const flow = code.flow[index]!;
      // Nothing but padding follows what never returns, up to where another path comes in.
      if (flow === FLOW.trap || flow === FLOW.interrupt) mayStop = true;
      else if (code.mnemonic[index] !== this.#mnemonic.nop) mayStop = false;
      switch (flow) {
        case FLOW.next:
          this.#step(index);
          break;
        case FLOW.interrupt:
          // Padding, and what stands behind a return against straight-line speculation.
          if (code.mnemonic[index] === this.#mnemonic.int3) return;
          break;
        case FLOW.trap:
          break;
        case FLOW.call: {
          const inner = this.#innerTarget(index);
          // A call into the function itself (return stack stuffing, retpolines in place) is a push and a jump.
          if (inner > 0) {
            const rsp = this.#state[RSP]!;
            if (rsp !== UNKNOWN) this.#state[RSP] = rsp + depthNumber(8, EXACT);
            this.#meet(inner, false);
            this.#state[RSP] = rsp;
          }
          if (inner < 0 && this.#stops(code.target[index]!)) return;
          this.#clobber();
          mayStop = true;
          break;
        }
        case FLOW["indirect-call"]:
          this.#clobber();
          mayStop = true;
          break;
        case FLOW.conditional:
        case FLOW.jump: {
          const inner = this.#innerTarget(index);
          if (inner >= 0) this.#meet(inner, false);
          if (flow === FLOW.jump) {
            for (const target of innerJumps.get(index) ?? []) this.#meet(target, false);
            return;
          }
          break;
        }
        case FLOW["indirect-jump"]:
          for (const target of innerJumps.get(index) ?? []) this.#meet(target, false);
          return;
        default:
          return;
      }
      if (!code.followed(index)) return;
      if (this.#meetings.has(index + 1)) {
        this.#meet(index + 1, mayStop);
        return;
      }
    }
  }

  /** Brings the present state to a place where paths meet. */
  #meet(index: number, weak: boolean): void {
    const meeting = this.#meetings.get(index)!;
    if (this.#continuing && this.rsp[index] !== UNKNOWN) return;
    let changed = false;
    if (meeting.visits === 0) {
      meeting.state.set(this.#state);
      meeting.slots = this.#slots.size === 0 ? NO_SLOTS : new Map(this.#slots);
      meeting.weak = weak;
      changed = true;
    } else if (meeting.state[RSP] !== this.#state[RSP] && weak !== meeting.weak) {
      // Of two depths, the one behind a call is none: the call never returns.
      if (weak) return;
      meeting.state.set(this.#state);
      meeting.slots = new Map(this.#slots);
      meeting.weak = false;
      changed = true;
    } else {
      if (!weak) meeting.weak = false;
      for (let at = 0; at < STATE; at++) {
        const known = meeting.state[at]!;
        const incoming = this.#state[at]!;
        const merged = at === KEPT_BY && known !== incoming ? UNKNOWN : mergeDepth(known, incoming);
        if (merged === known) continue;
        meeting.state[at] = merged;
        changed = true;
      }
      if (this.#keepCommonSlots(meeting)) changed = true;
    }
    if (!changed || meeting.queued || meeting.visits >= MAX_VISITS) return;
    meeting.visits++;
    meeting.queued = true;
    this.#work.push(index);
  }

  #keepCommonSlots(meeting: Meeting): boolean {
    let kept: Map<number, number> | null = null;
    for (const [slot, value] of meeting.slots) {
      if (this.#slots.get(slot) === value) continue;
      kept ??= new Map(meeting.slots);
      kept.delete(slot);
    }
    if (kept === null) return false;
    meeting.slots = kept;
    return true;
  }

  #clobber(): void {
    for (const register of CALLER_SAVED) this.#state[register] = UNKNOWN;
  }

  /** The effect of one instruction on RSP and on whatever points into the frame. */
  #step(index: number): void {
    const code = this.#code;
    const mnemonic = this.#mnemonic;
    const state = this.#state;
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
        state[ON_OTHER] = 0;
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
      case mnemonic.xchg: {
        const second =
          code.operandKind[first + 1] === OPERAND.REGISTER ? this.#general[code.operandRegister[first + 1]!]! : -1;
        if (second >= 0 && (target < 0 || target !== second)) state[second] = UNKNOWN;
        break;
      }
    }
    if (target >= 0) state[target] = UNKNOWN;
    else this.#stored(index, kind);
  }

  #push(value: number): void {
    const rsp = this.#state[RSP]!;
    if (rsp === UNKNOWN) return;
    const deeper = rsp + depthNumber(8, EXACT);
    this.#state[RSP] = deeper;
    if (this.#state[ON_OTHER] === 0) this.#setSlot(depthBytes(deeper), value);
  }

  #pop(target: number): void {
    const state = this.#state;
    const rsp = state[RSP]!;
    const value = rsp === UNKNOWN || state[ON_OTHER] !== 0 ? UNKNOWN : (this.#slots.get(depthBytes(rsp)) ?? UNKNOWN);
    if (target === RSP) {
      state[RSP] = value !== UNKNOWN ? value : state[KEPT]!;
      state[ON_OTHER] = 0;
      return;
    }
    if (rsp !== UNKNOWN) state[RSP] = rsp - depthNumber(8, EXACT);
    if (target >= 0) state[target] = value;
  }

  #setSlot(depth: number, value: number): void {
    if (value === UNKNOWN) this.#slots.delete(depth);
    else this.#slots.set(depth, value);
  }

  /** `sub`/`add` of a constant, or of what only a running kernel knows. */
  #move(index: number, target: number, sign: number): void {
    const state = this.#state;
    const old = state[target]!;
    if (old === UNKNOWN) return;
    if (this.#code.operandKind[index * MAX_OPERANDS + 1] === OPERAND.IMMEDIATE) {
      state[target] = old + sign * depthNumber(this.#code.immediate[index]!, EXACT);
    } else if (target === RSP && sign > 0) {
      const most = this.#mostOf(index);
      state[target] = most === null ? depthNumber(depthBytes(old), AT_LEAST) : old + depthNumber(most, AT_MOST);
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
      if (code.flow[at] !== FLOW.next || this.#meetings.has(at + 1)) break;
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
    const state = this.#state;
    const old = state[target]!;
    if (old === UNKNOWN) return;
    const alignment = -this.#code.immediate[index]!;
    const isPower = alignment > 0 && (alignment & (alignment - 1)) === 0;
    if (this.#code.operandKind[index * MAX_OPERANDS + 1] !== OPERAND.IMMEDIATE || !isPower) state[target] = UNKNOWN;
    else if (alignment > 8) {
      const sureness = Math.max(depthSureness(old), AT_MOST);
      state[target] = depthNumber(depthBytes(old) + alignment - 8, sureness);
    }
  }

  /** A register gets a new value; RSP with one that is no address of this frame is on another stack. */
  #assign(index: number, target: number, value: number): void {
    const state = this.#state;
    if (target !== RSP) {
      state[target] = this.#width[this.#code.operandRegister[index * MAX_OPERANDS]!] === 8 ? value : UNKNOWN;
      return;
    }
    if (value !== UNKNOWN) {
      state[RSP] = value;
      state[ON_OTHER] = 0;
      return;
    }
    // `lea -168(%rax),%rsp` with a stack's top in rax.
    const isOffset = this.#code.mnemonic[index] === this.#mnemonic.lea && this.#code.base[index] !== 0;
    const below = isOffset && this.#code.index[index] === 0 ? -this.#code.displacement[index]! : 0;
    this.#switchTo(Math.max(0, below));
  }

  #mov(index: number, kind: number, target: number): void {
    const code = this.#code;
    const state = this.#state;
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
    } else if (target === RSP && source >= 0 && state[source] === UNKNOWN) {
      // Where the stack that is left was noted at the other one's top, that word is there.
      this.#switchTo(state[KEPT_BY] === source ? 8 : 0);
    } else this.#assign(index, target, source >= 0 ? state[source]! : UNKNOWN);
  }

  /** RSP is stored through a pointer: `mov %rsp, (%rbx)`. */
  #keep(index: number): void {
    const state = this.#state;
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
    const state = this.#state;
    const base = this.#general[this.#code.base[index]!]!;
    if (base >= 0 && this.#code.displacement[index] !== 0 && state[KEPT] !== UNKNOWN) state[RSP] = state[KEPT]!;
    else this.#switchTo(0);
  }

  #switchTo(bytes: number): void {
    this.#state[RSP] = depthNumber(bytes, EXACT);
    this.#state[ON_OTHER] = 1;
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
    return at === UNKNOWN ? UNKNOWN : (this.#slots.get(depthBytes(at)) ?? UNKNOWN);
  }

  /** Depth of the address that a memory operand names, where it lies in the frame. */
  #address(index: number): number {
    const base = this.#frameBase(index);
    if (base === UNKNOWN || this.#code.index[index] !== 0) return UNKNOWN;
    return base - depthNumber(this.#code.displacement[index]!, EXACT);
  }

  #frameBase(index: number): number {
    const base = this.#general[this.#code.base[index]!]!;
    if (base < 0 || this.#code.segment[index] !== 0) return UNKNOWN;
    if (base === RSP && this.#state[ON_OTHER] !== 0) return UNKNOWN;
    return this.#state[base]!;
  }
}

function never(): boolean {
  return false;
}

function newMeeting(): Meeting {
  return { state: new Int32Array(STATE), slots: NO_SLOTS, weak: false, visits: 0, queued: false };
}

/** Two paths' word for one register. */
function mergeDepth(known: number, incoming: number): number {
  if (known === incoming) return known;
  if (known === UNKNOWN || incoming === UNKNOWN) return UNKNOWN;
  return depthBytes(known) === depthBytes(incoming) ? Math.max(known, incoming) : UNKNOWN;
}

function mnemonics() {
  const numbers = (...names: string[]) => names.map((name) => mnemonicNumber(name));
  const [push, pushfq, pop, popfq, leave, cmp, test, nop, add, sub, and, lea, mov, xchg, int3] = numbers(
    ...[
      "push",
      "pushfq",
      "pop",
      "popfq",
      "leave",
      "cmp",
      "test",
      "nop",
      "add",
      "sub",
      "and",
      "lea",
      "mov",
      "xchg",
      "int3",
    ],
  );
  return { push, pushfq, pop, popfq, leave, cmp, test, nop, add, sub, and, lea, mov, xchg, int3 };
}
