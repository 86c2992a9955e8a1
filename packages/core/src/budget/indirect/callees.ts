/** What calls and jumps name, with what following values asks of it: looked up once for each. */
import { updatesStaticCall } from "../static-call-updates.ts";
import { registersProbe } from "./kernel-lists.ts";
import type { KnownFunction } from "./known-functions.ts";
import { NumberTable } from "./number-table.ts";
import type { ProgramFacts } from "./program-facts.ts";
import { ARGUMENT_REGISTERS, ARGUMENTS, bits } from "./registers.ts";
import type { TypeFacts, TypeFactsTable } from "./type-facts.ts";
import type { Value } from "./values.ts";

/** A function, a thunk, or whatever else is called. */
export class Callee {
  /** Register of a retpoline thunk, -1 for other code. */
  readonly register: number;
  readonly isReturnThunk: boolean;
  /** Does a call leave the registers as they are (ftrace's and the like)? */
  readonly preserves: boolean;
  /** Null for what is no known function. */
  readonly known: KnownFunction | null;
  /** Its prototype; -1 where it has none, or may be another one by its name. */
  readonly prototype: number;
  /** Registers that a call of it hands over, as bits. */
  readonly takes: number;
  readonly registersProbe: boolean;
  readonly updatesStaticCall: boolean;
  /** What a call gives: undefined until it is known, null where that is made anew each time. */
  result: Value | null | undefined = undefined;
  readonly #facts: ProgramFacts;
  #parameters: readonly TypeFacts[] | null = null;
  readonly #parameterNodes = [-1, -1, -1, -1, -1, -1];
  #resultNode = -1;

  constructor(target: number, facts: ProgramFacts) {
    this.#facts = facts;
    this.register = facts.thunkRegister(target);
    this.isReturnThunk = facts.isReturnThunk(target);
    this.preserves = facts.preserves(target);
    const known = facts.functions.at(target) ?? null;
    this.known = known;
    this.prototype = known?.sure && known.prototypes.length === 1 ? known.prototypes[0]! : -1;
    this.registersProbe = known !== null && registersProbe(known.name);
    this.updatesStaticCall = known !== null && updatesStaticCall(known.name);
    this.takes = this.#takes();
  }

  #takes(): number {
    if (this.known === null) return 0;
    // What these two do with their arguments is known by their names.
    if (this.prototype < 0 || this.registersProbe || this.updatesStaticCall) return ARGUMENTS;
    return bits(ARGUMENT_REGISTERS.slice(0, this.#facts.prototypes.registers(this.prototype).length));
  }

  /** Is it C, and no assembler? */
  get isCompiled(): boolean {
    return this.known !== null && this.known.prototypes.length > 0;
  }

  /** Types of the parameters that come in registers; of a function with a prototype. */
  parameters(types: TypeFactsTable): readonly TypeFacts[] {
    this.#parameters ??= this.#facts.prototypes.registers(this.prototype).map((type) => types.of(type));
    return this.#parameters;
  }

  /** The graph's node of an argument register; of a known function. */
  parameterNode(argument: number): number {
    const nodes = this.#parameterNodes;
    if (nodes[argument]! < 0) nodes[argument] = this.#facts.graph.parameter(this.known!.entry, argument);
    return nodes[argument]!;
  }

  /** The graph's node of what it returns; of a known function. */
  resultNode(): number {
    if (this.#resultNode < 0) this.#resultNode = this.#facts.graph.result(this.known!.entry);
    return this.#resultNode;
  }
}

export class Callees {
  readonly #facts: ProgramFacts;
  readonly #numbers = new NumberTable();
  readonly #all: Callee[] = [];

  constructor(facts: ProgramFacts) {
    this.#facts = facts;
  }

  at(target: number): Callee {
    const known = this.#numbers.get(target);
    if (known >= 0) return this.#all[known]!;
    const callee = new Callee(target, this.#facts);
    this.#numbers.set(target, this.#all.push(callee) - 1);
    return callee;
  }

  /** Gives back what is known. */
  forget(): void {
    this.#numbers.clear();
    this.#all.length = 0;
  }
}
