/**
 * What a run of a block has to tell a listener, kept until it is certain that the block is not run again with other values: then
 * it is told, in the order of the blocks, without running them once more.
 */
import type { Callee } from "./callees.ts";
import type { FlowListener } from "./flow-questions.ts";
import { ARGUMENT_REGISTERS } from "./registers.ts";
import type { Value, Values } from "./values.ts";

const DIRECT = 0;
const TAIL = 1;
const INDIRECT = 2;
const INDIRECT_TAIL = 3;
const STORE = 4;
const COPY = 5;
const RETURNS = 6;

const REGISTERS = 16;
const FIRST_CAPACITY = 256;

export class RecordedEvents implements FlowListener {
  /** Of each event: what it is, and the instruction. */
  readonly #kind: number[] = [];
  readonly #at: number[] = [];
  #count = 0;
  /** What the events' values are, one event's after the other's. */
  readonly #values: Value[] = [];
  #valueCount = 0;
  readonly #callees: Callee[] = [];
  #calleeCount = 0;
  /** Of each block: where the events of its last run begin in each of these lists, and how many there are. */
  #first = new Int32Array(0);
  #firstValue = new Int32Array(0);
  #firstCallee = new Int32Array(0);
  #events = new Int32Array(0);
  #block = 0;
  /** Arguments of a call, in their registers. */
  readonly #registers: Value[];

  constructor({ unknown }: Values) {
    this.#registers = new Array<Value>(REGISTERS).fill(unknown);
  }

  /** Forgets all events; those to come are of blocks up to `last`. */
  clear(last: number): void {
    this.#count = 0;
    this.#valueCount = 0;
    this.#calleeCount = 0;
    if (last < this.#first.length) return;
    const capacity = Math.max(FIRST_CAPACITY, 2 * last);
    this.#first = new Int32Array(capacity);
    this.#firstValue = new Int32Array(capacity);
    this.#firstCallee = new Int32Array(capacity);
    this.#events = new Int32Array(capacity);
  }

  /** What follows is told by a run of a block; what it told before is so no more. */
  begin(block: number): void {
    this.#block = block;
    this.#first[block] = this.#count;
    this.#firstValue[block] = this.#valueCount;
    this.#firstCallee[block] = this.#calleeCount;
    this.#events[block] = 0;
  }

  #add(kind: number, at: number): void {
    this.#kind[this.#count] = kind;
    this.#at[this.#count++] = at;
    this.#events[this.#block]!++;
  }

  #push(value: Value): void {
    this.#values[this.#valueCount++] = value;
  }

  #pushArguments(registers: readonly Value[]): void {
    for (let argument = 0; argument < ARGUMENT_REGISTERS.length; argument++) {
      this.#push(registers[ARGUMENT_REGISTERS[argument]!]!);
    }
  }

  direct(callee: Callee, registers: readonly Value[], tail: boolean): void {
    if (callee.known === null) return;
    this.#add(tail ? TAIL : DIRECT, 0);
    this.#callees[this.#calleeCount++] = callee;
    this.#pushArguments(registers);
  }

  indirect(at: number, pointer: Value, registers: readonly Value[], tail: boolean): void {
    this.#add(tail ? INDIRECT_TAIL : INDIRECT, at);
    this.#push(pointer);
    this.#pushArguments(registers);
  }

  store(at: number, address: Value, value: Value): void {
    if (value.kinds === 0) return;
    this.#add(STORE, at);
    this.#push(address);
    this.#push(value);
  }

  copy(at: number, to: Value, from: Value): void {
    this.#add(COPY, at);
    this.#push(to);
    this.#push(from);
  }

  returns(at: number, value: Value): void {
    this.#add(RETURNS, at);
    this.#push(value);
  }

  /** Tells what a block's last run had to tell. */
  tell(block: number, listener: FlowListener): void {
    const end = this.#first[block]! + this.#events[block]!;
    let value = this.#firstValue[block]!;
    let callee = this.#firstCallee[block]!;
    for (let event = this.#first[block]!; event < end; event++) {
      const at = this.#at[event]!;
      const kind = this.#kind[event]!;
      switch (kind) {
        case DIRECT:
        case TAIL:
          value = this.#putArguments(value);
          listener.direct(this.#callees[callee++]!, this.#registers, kind === TAIL);
          break;
        case INDIRECT:
        case INDIRECT_TAIL: {
          const pointer = this.#values[value]!;
          value = this.#putArguments(value + 1);
          listener.indirect(at, pointer, this.#registers, kind === INDIRECT_TAIL);
          break;
        }
        case STORE:
          listener.store(at, this.#values[value]!, this.#values[value + 1]!);
          value += 2;
          break;
        case COPY:
          listener.copy(at, this.#values[value]!, this.#values[value + 1]!);
          value += 2;
          break;
        default:
          listener.returns(at, this.#values[value++]!);
      }
    }
  }

  #putArguments(value: number): number {
    for (let argument = 0; argument < ARGUMENT_REGISTERS.length; argument++) {
      this.#registers[ARGUMENT_REGISTERS[argument]!] = this.#values[value + argument]!;
    }
    return value + ARGUMENT_REGISTERS.length;
  }
}
