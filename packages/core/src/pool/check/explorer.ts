/** From a state to its successors: the inner loop of the search. */
import { type Automaton, EFFECT, FAULT, GUARD } from "./automaton.ts";
import { IN_USE } from "./columns.ts";
import type { Evaluate } from "./expressions.ts";
import { StateStore } from "./state-store.ts";

export interface Bounds {
  /** Distinct states that are kept at most. */
  readonly states: number;
  /** Memory for them, bytes. */
  readonly bytes: number;
}

/** What can be wrong with one transition, in the order in which it is reported where several are equally near. */
export const VIOLATIONS = ["assertion", "not-held", "ends-holding", "over-total", "out-of-range", "always"] as const;
export type ViolationKind = (typeof VIOLATIONS)[number];

/** The transition that breaks a property; `transition` is -1 where the initial state itself does. */
export interface Violation {
  readonly kind: ViolationKind;
  readonly source: number;
  readonly task: number;
  readonly transition: number;
  /** Index of the property, for `always`; -1 otherwise. */
  readonly property: number;
}

/** Lays a state out in words: one slot for each task and each column that is a state of its own. */
export class Layout {
  readonly slots: number;
  /** 8 or 16. */
  readonly bits: number;
  readonly words: number;

  constructor({ programs, tasks, globals }: Automaton) {
    this.slots = tasks.length + globals.length;
    this.bits = programs.every(({ states }) => states <= 256) ? 8 : 16;
    this.words = Math.ceil((this.slots * this.bits) / 32);
  }

  /** The value in a slot of a state that begins at word `from`. */
  read(words: Uint32Array, from: number, slot: number): number {
    const bit = slot * this.bits;
    return (words[from + (bit >>> 5)]! >>> (bit & 31)) & ((1 << this.bits) - 1);
  }
}

/** Generates the states of an automaton, and judges each as it comes. */
export class Explorer {
  readonly automaton: Automaton;
  readonly symmetry: boolean;
  readonly layout: Layout;
  readonly store: StateStore;
  /** Successors generated so far, the initial state too, those that were known already among them. */
  generated = 0;
  /** The worst violation since `forgetViolation`. */
  violation: Violation | null = null;
  /** The bounds kept a state out. */
  full = false;
  /** Transitions that were taken at least once. */
  readonly taken: Uint8Array;
  /** Goals, by index of their property, that were met. */
  readonly met: Uint8Array;
  /** Numbers of the successors that `expand` found last; the first so many are valid. */
  successors = new Int32Array(64);

  /** Local state of each task, then the columns that are states of their own. */
  readonly #slots: Int32Array;
  readonly #values: Int32Array;
  readonly #candidate: Uint32Array;
  /** Offsets of each task's class in the tables. */
  readonly #firstState: Int32Array;
  /** First and last slot of each task's class. */
  readonly #classFirst: Int32Array;
  readonly #classLast: Int32Array;
  /** Properties to look at in each new state: `always` and `never`; and goals that are not met yet. */
  readonly #invariants: readonly (readonly [number, Evaluate, boolean])[];
  #goals: (readonly [number, Evaluate])[];
  readonly #refusalGoals: readonly number[];
  readonly #refusalForbidden: number;

  constructor(automaton: Automaton, symmetry: boolean, bounds: Bounds) {
    this.automaton = automaton;
    this.symmetry = symmetry;
    this.layout = new Layout(automaton);
    this.store = new StateStore(this.layout.words, bounds.states, bounds.bytes);
    this.taken = new Uint8Array(automaton.transitions.guard.length);
    this.met = new Uint8Array(automaton.properties.length);
    this.#slots = new Int32Array(this.layout.slots);
    this.#values = new Int32Array(automaton.columns.columns.length);
    this.#candidate = new Uint32Array(this.layout.words);
    const { tasks, programs, properties } = automaton;
    this.#firstState = Int32Array.from(tasks, (one) => programs[one]!.firstState);
    this.#classFirst = Int32Array.from(tasks, (one) => tasks.indexOf(one));
    this.#classLast = Int32Array.from(tasks, (one) => tasks.lastIndexOf(one));
    const indexed = [...properties.entries()];
    this.#invariants = indexed.flatMap(([index, { property, evaluate }]) =>
      evaluate === null || property.kind === "reach" ? [] : [[index, evaluate, property.kind === "always"] as const],
    );
    this.#goals = indexed.flatMap(([index, { property, evaluate }]) =>
      evaluate === null || property.kind !== "reach" ? [] : [[index, evaluate] as const],
    );
    this.#refusalGoals = indexed.flatMap(([index, { property, evaluate }]) =>
      evaluate === null && property.kind === "reach" ? [index] : [],
    );
    this.#refusalForbidden = properties.findIndex(
      ({ property, evaluate }) => evaluate === null && property.kind === "never",
    );
  }

  /** Adds the state in which everything begins; its number is 0. */
  begin(): void {
    const { tasks, globals, columns } = this.automaton;
    const slots = this.#slots;
    slots.fill(0);
    for (const [index, column] of globals.entries()) {
      const { kind, ...rest } = columns.columns[column]!;
      slots[tasks.length + index] = (kind === "total" || kind === "variable") && "initial" in rest ? rest.initial : 0;
    }
    this.#count();
    this.#pack();
    this.generated = 1;
    this.store.add(this.#candidate, 0);
    this.#judge(0, -1, -1);
  }

  forgetViolation(): void {
    this.violation = null;
  }

  /**
   * Generates all successors of a state.
   * @returns how many there are; their numbers are in `successors`
   */
  expand(source: number): number {
    const { automaton, store, taken, symmetry } = this;
    const { firstTransition, expressions, columns, tasks } = automaton;
    const { guard, a, b, next, effect, fault, refuses } = automaton.transitions;
    const { total } = columns;
    const slots = this.#slots;
    const values = this.#values;
    const candidate = this.#candidate;
    const firstState = this.#firstState;
    const { words, bits } = this.layout;
    const isJudged = this.#invariants.length > 0 || this.#goals.length > 0;
    this.load(source);
    const begin = source * words;
    let found = 0;
    for (let task = 0; task < tasks.length; task++) {
      const local = slots[task]!;
      // What an identical task in the same state could do has been done.
      if (symmetry && task > this.#classFirst[task]! && slots[task - 1] === local) continue;
      const state = firstState[task]! + local;
      const end = firstTransition[state + 1]!;
      for (let at = firstTransition[state]!; at < end; at++) {
        switch (guard[at]) {
          case GUARD.atMost:
            if (values[a[at]!]! > b[at]!) continue;
            break;
          case GUARD.above:
            if (values[a[at]!]! <= b[at]!) continue;
            break;
          case GUARD.stackFree:
            if (values[IN_USE]! >= values[total]!) continue;
            break;
          case GUARD.noStackFree:
            if (values[IN_USE]! < values[total]!) continue;
            break;
          case GUARD.holds:
            if (expressions[a[at]!]!(values) === 0) continue;
            break;
          case GUARD.fails:
            if (expressions[a[at]!]!(values) !== 0) continue;
            break;
          case GUARD.resizes:
            if (!accepts(expressions[a[at]!]!(values), b[at] === 1 ? 0 : values[IN_USE]!)) continue;
            break;
          case GUARD.refusesResize:
            if (accepts(expressions[a[at]!]!(values), b[at] === 1 ? 0 : values[IN_USE]!)) continue;
            break;
        }
        taken[at] = 1;
        this.generated++;
        if (fault[at] !== FAULT.none) {
          this.#report(FAULT_KINDS[fault[at]!]!, source, task, at);
          if (fault[at] !== FAULT.endsHolding) continue;
        }
        if (refuses[at] === 1) this.#refused(source, task, at);
        const becomes = next[at]!;
        const { arena } = store;
        for (let word = 0; word < words; word++) candidate[word] = arena[begin + word]!;
        if (effect[at] !== EFFECT.none && !this.#change(source, task, at)) continue;
        if (symmetry) this.#sortIn(task, local, becomes);
        else {
          const bit = task * bits;
          candidate[bit >>> 5]! ^= (local ^ becomes) << (bit & 31);
        }
        const before = store.count;
        const number = store.add(candidate, source);
        if (number < 0) {
          this.full = true;
          continue;
        }
        if (found === this.successors.length) this.#moreSuccessors();
        this.successors[found++] = number;
        if (isJudged && number === before) {
          this.#move(state, firstState[task]! + becomes, at, 1);
          this.#judge(source, task, at);
          this.#move(state, firstState[task]! + becomes, at, -1);
        }
      }
    }
    return found;
  }

  /** Counts what a state's tasks hold. The values stay until the next state is loaded. */
  load(number: number): Int32Array {
    const { layout, store } = this;
    const slots = this.#slots;
    const from = number * layout.words;
    const { arena } = store;
    const mask = (1 << layout.bits) - 1;
    for (let slot = 0, bit = 0; slot < slots.length; slot++, bit += layout.bits) {
      slots[slot] = (arena[from + (bit >>> 5)]! >>> (bit & 31)) & mask;
    }
    return this.#count();
  }

  /** Local states of the tasks that were loaded last, then the columns that are states of their own. */
  get slots(): Int32Array {
    return this.#slots;
  }

  #count(): Int32Array {
    const { firstUse, useColumn, useAmount, tasks, globals, columns } = this.automaton;
    const slots = this.#slots;
    const values = this.#values;
    const firstState = this.#firstState;
    values.fill(0);
    for (let task = 0; task < tasks.length; task++) {
      const state = firstState[task]! + slots[task]!;
      const end = firstUse[state + 1]!;
      for (let use = firstUse[state]!; use < end; use++) values[useColumn[use]!]! += useAmount[use]!;
    }
    values[columns.total] = this.automaton.model.stacks;
    for (let index = 0; index < globals.length; index++) values[globals[index]!] = slots[tasks.length + index]!;
    return values;
  }

  #pack(): void {
    const { bits } = this.layout;
    this.#candidate.fill(0);
    for (const [slot, value] of this.#slots.entries()) {
      const bit = slot * bits;
      this.#candidate[bit >>> 5]! |= value << (bit & 31);
    }
  }

  /** Puts one task's new local state where it belongs among the sorted ones of its class. */
  #sortIn(task: number, local: number, becomes: number): void {
    const slots = this.#slots;
    const { bits } = this.layout;
    const candidate = this.#candidate;
    const put = (slot: number, from: number, to: number): void => {
      const bit = slot * bits;
      candidate[bit >>> 5]! ^= (from ^ to) << (bit & 31);
    };
    let slot = task;
    if (becomes < local) {
      const first = this.#classFirst[task]!;
      while (slot > first && slots[slot - 1]! > becomes) {
        put(slot, slots[slot]!, slots[slot - 1]!);
        slot--;
      }
    } else {
      const last = this.#classLast[task]!;
      while (slot < last && slots[slot + 1]! < becomes) {
        put(slot, slots[slot]!, slots[slot + 1]!);
        slot++;
      }
    }
    put(slot, slots[slot]!, becomes);
  }

  /** Applies a transition's effect to the candidate; false where the value does not fit. */
  #change(source: number, task: number, at: number): boolean {
    const { transitions, expressions, globals, tasks } = this.automaton;
    const values = this.#values;
    const column = transitions.effectColumn[at]!;
    const value = expressions[transitions.effectValue[at]!]!(values);
    if (value < 0 || value > 255) {
      this.#report("out-of-range", source, task, at);
      return false;
    }
    if (transitions.effect[at] === EFFECT.resize && values[IN_USE]! > value) {
      this.#report("over-total", source, task, at);
    }
    const bit = (tasks.length + globals.indexOf(column)) * this.layout.bits;
    this.#candidate[bit >>> 5]! ^= (values[column]! ^ value) << (bit & 31);
    return true;
  }

  /** Brings the counts from one local state to another (`sign` 1), or back (-1). */
  #move(from: number, to: number, at: number, sign: 1 | -1): void {
    const { firstUse, useColumn, useAmount, transitions, expressions } = this.automaton;
    const values = this.#values;
    if (transitions.effect[at] !== EFFECT.none) {
      const column = transitions.effectColumn[at]!;
      if (sign === 1) {
        const value = expressions[transitions.effectValue[at]!]!(values);
        this.#kept = values[column]!;
        values[column] = value;
      } else values[column] = this.#kept;
    }
    for (let use = firstUse[from]!; use < firstUse[from + 1]!; use++)
      values[useColumn[use]!]! -= sign * useAmount[use]!;
    for (let use = firstUse[to]!; use < firstUse[to + 1]!; use++) values[useColumn[use]!]! += sign * useAmount[use]!;
  }
  #kept = 0;

  /** Looks at the counts of a new state. */
  #judge(source: number, task: number, at: number): void {
    const values = this.#values;
    for (const [property, evaluate, wanted] of this.#invariants) {
      if ((evaluate(values) !== 0) !== wanted) this.#report("always", source, task, at, property);
    }
    if (this.#goals.length === 0) return;
    this.#goals = this.#goals.filter(([property, evaluate]) => {
      const isMet = evaluate(values) !== 0;
      if (isMet) this.met[property] = 1;
      return !isMet;
    });
  }

  #refused(source: number, task: number, at: number): void {
    for (const property of this.#refusalGoals) this.met[property] = 1;
    if (this.#refusalForbidden >= 0) this.#report("always", source, task, at, this.#refusalForbidden);
  }

  #report(kind: ViolationKind, source: number, task: number, transition: number, property = -1): void {
    const known = this.violation;
    if (known !== null) {
      const order = VIOLATIONS.indexOf(kind) - VIOLATIONS.indexOf(known.kind) || property - known.property;
      if (order >= 0) return;
    }
    this.violation = { kind, source, task, transition, property };
  }

  #moreSuccessors(): void {
    const more = new Int32Array(this.successors.length * 2);
    more.set(this.successors);
    this.successors = more;
  }
}

const FAULT_KINDS: Readonly<Record<number, ViolationKind>> = {
  [FAULT.assertion]: "assertion",
  [FAULT.notHeld]: "not-held",
  [FAULT.endsHolding]: "ends-holding",
};

/** Would the pool take this number of stacks? */
function accepts(wanted: number, inUse: number): boolean {
  return wanted >= 0 && wanted <= 255 && inUse <= wanted;
}
