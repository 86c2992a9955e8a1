/**
 * How deep a function's RSP stands before each of its instructions, by following its code: nothing else is asked. One number
 * an instruction, for all code of a kernel; code/frame-layout.ts tells more of one function at a time.
 *
 * A depth is counted from the canonical frame address (CFA): RSP before the call that entered the function, so that a
 * function begins 8 deep. Depths carry how sure they are; both in one number, so that registers and stack slots can hold
 * addresses in the frame as well (GCC aligns a frame through r10 or r13, assembler through any register).
 */
import { type CodeColumns, FLOW, mnemonicNumber } from "../code/code-columns.ts";
import { depthNumber, EXACT, mergeDepth, plausibleDepth, UNKNOWN } from "./depth-number.ts";
import { FrameState, KEPT_BY, ON_OTHER, RBP, RSP, STATE } from "./frame-state.ts";
import { stackChange } from "./stack-change.ts";

/** Times that a place is entered with another state before the function is given up. */
const MAX_VISITS = 8;

/** Instructions that are looked at to infer a depth from what comes later. */
const MOST_INFERRED = 256;

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
  /** 1 where RSP is on another stack, whose top its depth is counted from then; LOST where it is on none that anything tells. */
  other = new Uint8Array(1024);

  readonly #state = new FrameState((index) => this.#meetingAt[index] !== -1);
  /** By instruction: its meeting among those of the pool, or -1; and where a direct branch leads, as #innerTarget has it. */
  #meetingAt = new Int32Array(1024);
  #branchesTo = new Int32Array(1024);
  /** Meetings, of which the first so many are this function's: making them anew for each would be dearer than all else here. */
  readonly #pool: Meeting[] = [];
  #meetings = 0;
  #work: number[] = [];
  #code!: CodeColumns;
  #continuing = false;
  #stops: (target: number) => boolean = never;
  readonly #nop = mnemonicNumber("nop");
  readonly #int3 = mnemonicNumber("int3");

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
      this.#meetingAt = new Int32Array(count * 2);
      this.#branchesTo = new Int32Array(count * 2);
    }
    this.rsp.fill(UNKNOWN, 0, count);
    this.rbp.fill(UNKNOWN, 0, count);
    this.other.fill(0, 0, count);
    this.#meetingAt.fill(-1, 0, count);
    this.#meetings = 0;
    this.#work.length = 0;
    if (count === 0) return;
    this.#markMeetings(innerJumps);
    this.#state.reset(code, depthNumber(entryDepth, EXACT));
    this.#meet(0, false);
    for (let index = this.#work.pop(); index !== undefined; index = this.#work.pop()) this.#follow(index, innerJumps);
  }

  /**
   * Follows what is not reached yet from an instruction at which RSP (and RBP) stand that deep: unwind data say so, or what
   * comes later. What is known already stays as it is.
   */
  continueAt(index: number, rsp: number, rbp = UNKNOWN, innerJumps: InnerJumps = NO_JUMPS): void {
    if (this.rsp[index] !== UNKNOWN || this.#code.mnemonic[index] === this.#int3) return;
    this.#state.reset(this.#code, rsp, rbp);
    this.#addMeeting(index);
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
    let moved = 0;
    let index = start;
    for (let step = 0; step < MOST_INFERRED; step++) {
      const known = this.rsp[index]!;
      if (known !== UNKNOWN) return this.other[index] !== 0 ? UNKNOWN : plausibleDepth(known - moved);
      switch (code.flow[index]) {
        case FLOW.return:
          return plausibleDepth(leavesAt - moved);
        case FLOW.jump: {
          const target = this.#innerTarget(index);
          if (target < 0) return plausibleDepth(leavesAt - moved);
          index = target;
          continue;
        }
        case FLOW.conditional: {
          const target = this.#innerTarget(index);
          const there = target < 0 ? UNKNOWN : this.rsp[target]!;
          if (there !== UNKNOWN) return this.other[target] !== 0 ? UNKNOWN : plausibleDepth(there - moved);
          break;
        }
        case FLOW.next: {
          const change = stackChange(code, index);
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

  #markMeetings(innerJumps: InnerJumps): void {
    const code = this.#code;
    this.#addMeeting(0);
    for (let index = 0; index < code.count; index++) {
      const flow = code.flow[index]!;
      if (flow !== FLOW.jump && flow !== FLOW.conditional && flow !== FLOW.call) continue;
      const target = this.#innerTarget(index);
      this.#branchesTo[index] = target;
      if (target >= 0) this.#addMeeting(target);
    }
    for (const targets of innerJumps.values()) for (const target of targets) this.#addMeeting(target);
  }

  #addMeeting(index: number): void {
    if (this.#meetingAt[index] !== -1) return;
    const number = this.#meetings++;
    this.#meetingAt[index] = number;
    const pooled = this.#pool[number];
    if (pooled === undefined) this.#pool.push(newMeeting());
    else {
      pooled.slots = NO_SLOTS;
      pooled.visits = 0;
      pooled.queued = false;
    }
  }

  #meetingOf(index: number): Meeting {
    return this.#pool[this.#meetingAt[index]!]!;
  }

  /** Instruction that a direct branch within the function leads to, or -1. A jump past a lock prefix counts as the whole. */
  #innerTarget(index: number): number {
    const target = this.#code.target[index]!;
    if (target === 0) return -1;
    const start = this.#code.indexAt(target);
    return start >= 0 ? start : this.#code.indexHolding(target);
  }

  #follow(start: number, innerJumps: InnerJumps): void {
    const code = this.#code;
    const meeting = this.#meetingOf(start);
    meeting.queued = false;
    const { values } = this.#state;
    values.set(meeting.state);
    if (meeting.slots.size > 0) this.#state.slots = new Map(meeting.slots);
    else this.#state.slots.clear();
    // BUG's ud2 does not go on behind it, nor do calls that never return: another path to there knows better.
    let mayStop = false;
    for (let index = start; ; index++) {
      this.rsp[index] = values[RSP]!;
      this.rbp[index] = values[RBP]!;
      this.other[index] = values[ON_OTHER]!;
      const flow = code.flow[index]!;
      // Nothing but padding follows what never returns, up to where another path comes in.
      if (flow === FLOW.trap || flow === FLOW.interrupt) mayStop = true;
      else if (code.mnemonic[index] !== this.#nop) mayStop = false;
      switch (flow) {
        case FLOW.next:
          this.#state.step(index);
          break;
        case FLOW.interrupt:
          // Padding, and what stands behind a return against straight-line speculation.
          if (code.mnemonic[index] === this.#int3) return;
          break;
        case FLOW.trap:
          break;
        case FLOW.call: {
          const inner = this.#branchesTo[index]!;
          // A call into the function itself (return stack stuffing, retpolines in place) is a push and a jump.
          if (inner > 0) {
            const rsp = values[RSP]!;
            if (rsp !== UNKNOWN) values[RSP] = plausibleDepth(rsp + depthNumber(8, EXACT));
            this.#meet(inner, false);
            values[RSP] = rsp;
          }
          if (inner < 0 && this.#stops(code.target[index]!)) return;
          this.#state.clobber();
          mayStop = true;
          break;
        }
        case FLOW["indirect-call"]:
          this.#state.clobber();
          mayStop = true;
          break;
        case FLOW.conditional:
        case FLOW.jump: {
          const inner = this.#branchesTo[index]!;
          if (inner >= 0) this.#meet(inner, false);
          if (flow === FLOW.jump) {
            this.#meetAll(innerJumps.get(index));
            return;
          }
          break;
        }
        case FLOW["indirect-jump"]:
          this.#meetAll(innerJumps.get(index));
          return;
        default:
          return;
      }
      if (!code.followed(index)) return;
      if (this.#meetingAt[index + 1] !== -1) {
        this.#meet(index + 1, mayStop);
        return;
      }
    }
  }

  #meetAll(targets: readonly number[] | undefined): void {
    if (targets !== undefined) for (const target of targets) this.#meet(target, false);
  }

  /** Brings the present state to a place where paths meet. */
  #meet(index: number, weak: boolean): void {
    const meeting = this.#meetingOf(index);
    if (this.#continuing && this.rsp[index] !== UNKNOWN) return;
    let changed = false;
    if (meeting.visits === 0) {
      meeting.state.set(this.#state.values);
      meeting.slots = this.#state.slots.size === 0 ? NO_SLOTS : new Map(this.#state.slots);
      meeting.weak = weak;
      changed = true;
    } else if (meeting.state[RSP] !== this.#state.values[RSP] && weak !== meeting.weak) {
      // Of two depths, the one behind a call is none: the call never returns.
      if (weak) return;
      meeting.state.set(this.#state.values);
      meeting.slots = new Map(this.#state.slots);
      meeting.weak = false;
      changed = true;
    } else {
      if (!weak) meeting.weak = false;
      for (let at = 0; at < STATE; at++) {
        const known = meeting.state[at]!;
        const incoming = this.#state.values[at]!;
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
      if (this.#state.slots.get(slot) === value) continue;
      kept ??= new Map(meeting.slots);
      kept.delete(slot);
    }
    if (kept === null) return false;
    meeting.slots = kept;
    return true;
  }
}

function never(): boolean {
  return false;
}

function newMeeting(): Meeting {
  return { state: new Int32Array(STATE), slots: NO_SLOTS, weak: false, visits: 0, queued: false };
}
