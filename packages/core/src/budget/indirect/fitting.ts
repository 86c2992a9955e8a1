/** Which prototypes a call fits of which only its argument registers and the use of its result are known. */
import { stripTypedefs } from "../../types/strip.ts";
import type { CAggregate } from "../../types/type-provider.ts";
import { Bits } from "../bits.ts";
import type { FoundSite, GivenArgument } from "./found-site.ts";
import { isVariadic, type Prototypes } from "./prototypes.ts";
import { ARGUMENT_REGISTERS } from "./registers.ts";
import { typeKey } from "./type-keys.ts";

/** Structs that lie at each other's beginning. */
const MOST_NESTED = 8;
/** Members that are looked at for it; damaged structs hold themselves many times over. */
const MOST_STEPS = 20_000;

/** Prototypes by what they have as one of their register arguments; by their places in the list. */
interface ByParameter {
  /** No such argument, or one that takes whatever it is given. */
  readonly anything: Bits;
  /** A number too short for a pointer. */
  readonly short: Bits;
  /** A pointer to a struct with a name. */
  readonly pointer: Bits;
  /** The same, by the keys of that struct and of all that lie at its beginning. */
  readonly byStruct: ReadonlyMap<string, readonly number[]>;
}

export class Fitting {
  readonly #prototypes: readonly number[];
  readonly #places: ReadonlyMap<number, number>;
  readonly #all: Bits;
  readonly #withResult: Bits;
  /** Those that can do with so many register arguments. */
  readonly #enough: readonly Bits[];
  readonly #parameters: readonly ByParameter[];
  /** Those that take what a register holds, by which one it is and what is known of that. */
  readonly #taking = new Map<string, Bits>();

  /** @param known the prototypes that there are, ascending */
  constructor(prototypes: Prototypes, known: readonly number[]) {
    this.#prototypes = known;
    this.#places = new Map(known.map((prototype, place) => [prototype, place]));
    this.#all = this.#placesWhere(() => true);
    this.#withResult = this.#placesWhere((id) => stripTypedefs(prototypes.type(id).returns).kind !== "void");
    const least = (id: number): number => (isVariadic(prototypes.type(id)) ? 0 : prototypes.registers(id).length);
    const counts = Array.from({ length: ARGUMENT_REGISTERS.length + 1 }, (_, count) => count);
    this.#enough = counts.map((count) => this.#placesWhere((id) => least(id) <= count));
    this.#parameters = ARGUMENT_REGISTERS.map((_, n) => byParameter(prototypes, known, n));
  }

  #placesWhere(test: (prototype: number) => boolean): Bits {
    const bits = new Bits(this.#prototypes.length);
    for (const [place, prototype] of this.#prototypes.entries()) if (test(prototype)) bits.add(place);
    return bits;
  }

  /** Some prototypes, by their places in the list; those that are not in it are left out. */
  placesOf(prototypes: Iterable<number>): Bits {
    const bits = new Bits(this.#prototypes.length);
    for (const prototype of prototypes) {
      const place = this.#places.get(prototype);
      if (place !== undefined) bits.add(place);
    }
    return bits;
  }

  /** "(struct file *, ?, …) with a result": what is known of a call. */
  label(site: FoundSite): string {
    const given = givenOf(site);
    const words = given.map(describe);
    if (given.length === site.arguments.length) {
      while (words.at(-1) === "?") words.pop();
      words.push("…");
    }
    return `(${words.join(", ")})${site.returns ? " with a result" : ""}`;
  }

  prototypesAt(places: Bits): number[] {
    return places.numbers().map((place) => this.#prototypes[place]!);
  }

  /**
   * Those of the prototypes that fit, by their places in the list.
   * @param among only these; all where left out
   */
  select(site: FoundSite, among: Bits = this.#all): Bits {
    const given = givenOf(site);
    const found = among.copy();
    if (site.returns) found.and(this.#withResult);
    if (given.length < site.arguments.length) found.and(this.#enough[given.length]!);
    for (const [n, argument] of given.entries()) {
      if (argument.pointer || argument.structs !== null) found.and(this.#takingAt(n, argument));
    }
    return found;
  }

  #takingAt(n: number, { pointer, structs }: GivenArgument): Bits {
    const key = `${n} ${pointer} ${structs?.map((struct) => typeKey(struct)).join() ?? "?"}`;
    let taking = this.#taking.get(key);
    if (taking === undefined) {
      const { anything, short, pointer: toStruct, byStruct } = this.#parameters[n]!;
      taking = anything.copy();
      if (!pointer) taking.or(short);
      // One struct, or one that begins with the other: casts to the first member and back leave no trace in code.
      if (structs === null || structs.some(({ name }) => name === "")) taking.or(toStruct);
      else for (const struct of structs) taking.addAll(byStruct.get(typeKey(struct)) ?? []);
      this.#taking.set(key, taking);
    }
    return taking;
  }
}

function byParameter(prototypes: Prototypes, known: readonly number[], n: number): ByParameter {
  const bits = (): Bits => new Bits(known.length);
  const [anything, short, pointer, byStruct] = [bits(), bits(), bits(), new Map<string, number[]>()];
  for (const [place, prototype] of known.entries()) {
    const parameter = prototypes.registers(prototype)[n];
    const type = parameter === undefined ? null : stripTypedefs(parameter);
    const target = type?.kind === "pointer" ? stripTypedefs(type.target) : null;
    if ((type?.kind === "int" || type?.kind === "enum") && type.size < 8) short.add(place);
    else if ((target?.kind === "struct" || target?.kind === "union") && target.name !== "") {
      pointer.add(place);
      for (const key of new Set([typeKey(target), ...beginningsOf(target)])) {
        const list = byStruct.get(key);
        if (list === undefined) byStruct.set(key, [place]);
        else list.push(place);
      }
    } else anything.add(place);
  }
  return { anything, short, pointer, byStruct };
}

/** The argument registers up to the first in which nothing was put. */
function givenOf({ arguments: registers }: FoundSite): readonly GivenArgument[] {
  const missing = registers.findIndex(({ given }) => !given);
  return missing < 0 ? registers : registers.slice(0, missing);
}

/** Keys of the structs that lie at a struct's beginning. */
function* beginningsOf(struct: CAggregate, depth = 0, steps = { left: MOST_STEPS }): Generator<string> {
  if (depth > MOST_NESTED) return;
  for (const member of struct.members) {
    if (steps.left-- <= 0) return;
    if (member.bitOffset !== 0 || member.bitSize !== null) continue;
    const type = stripTypedefs(member.type);
    if (type.kind !== "struct" && type.kind !== "union") continue;
    yield typeKey(type);
    yield* beginningsOf(type, depth + 1, steps);
  }
}

function describe({ structs, pointer }: GivenArgument): string {
  const name = structs?.[0]?.name;
  return name !== undefined && name !== "" ? `struct ${name} *` : pointer ? "pointer" : "?";
}
