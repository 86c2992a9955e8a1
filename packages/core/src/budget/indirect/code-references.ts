/** Addresses of functions that code names: what calls and jumps lead to, and what instructions put into registers and memory. */
import { type CodeColumns, FLOW, MAX_OPERANDS, OPERAND } from "../../code/code-columns.ts";
import { AddressFilter } from "./address-filter.ts";
import { NumberTable } from "./number-table.ts";

/** Entries (low 32 bits, signed), each once, in the order in which they were met. */
export interface FoundReferences {
  readonly called: Int32Array;
  readonly taken: Int32Array;
}

const NEITHER = 0;
const CALLED = 1;
const TAKEN = 2;

/** Looks at one function after the other. */
export class CodeReferences {
  /** What each entry is, CALLED and TAKEN as bits. */
  readonly #known = new NumberTable();
  readonly #filter = new AddressFilter();
  readonly #first: number;
  readonly #last: number;
  readonly #called: number[] = [];
  readonly #taken: number[] = [];

  /** @param entries of functions, low 32 bits, signed: all other addresses are of no interest */
  constructor(entries: Int32Array) {
    let [first, last] = [0x7fffffff, -0x80000000];
    for (const entry of entries) {
      this.#known.set(entry, NEITHER);
      this.#filter.add(entry);
      first = Math.min(first, entry);
      last = Math.max(last, entry);
    }
    this.#first = first;
    this.#last = last;
  }

  look(code: CodeColumns): void {
    const [first, last] = [this.#first, this.#last];
    const { count, flow: flows, immediate: immediates, displacement: displacements, target: targets } = code;
    for (let at = 0; at < count; at++) {
      const flow = flows[at]!;
      if (flow !== FLOW.next) {
        if (flow === FLOW.call || flow === FLOW.jump || flow === FLOW.conditional) {
          this.#meet(targets[at]!, CALLED, this.#called);
        }
        continue;
      }
      // What is stale in these columns is looked at as well, and then found to be none.
      const immediate = immediates[at]!;
      const displacement = displacements[at]!;
      if ((immediate < first || immediate > last) && (displacement < first || displacement > last)) continue;
      for (let operand = 0; operand < code.operandCount[at]!; operand++) {
        const kind = code.operandKind[at * MAX_OPERANDS + operand];
        if (kind === OPERAND.IMMEDIATE) this.#meet(immediate, TAKEN, this.#taken);
        else if (kind === OPERAND.MEMORY && code.ripRelative[at] === 1) this.#meet(displacement, TAKEN, this.#taken);
      }
    }
  }

  #meet(address: number, how: number, found: number[]): void {
    if (!this.#filter.mayHave(address)) return;
    const known = this.#known.get(address);
    if (known < 0 || (known & how) !== 0) return;
    this.#known.set(address, known | how);
    found.push(address);
  }

  /** What has been met so far. */
  found(): FoundReferences {
    return { called: Int32Array.from(this.#called), taken: Int32Array.from(this.#taken) };
  }
}
