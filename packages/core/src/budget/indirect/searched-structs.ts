/**
 * Structs as a search through thousands of them asks for: what lies at an offset, each answer found once. Most
 * of the answers are "nothing", which a struct's words (see struct-words.ts) tell without a look at its members. Structs go by
 * numbers here: to meet thousands of objects takes as long as all the rest.
 */
import { stripTypedefs } from "../../types/strip.ts";
import type { CAggregate, CType } from "../../types/type-provider.ts";
import { EachOnce } from "./each-once.ts";
import { PairTable } from "./pair-table.ts";
import type { Place, StructPlaces } from "./struct-places.ts";
import { StructWords, WORD_OF } from "./struct-words.ts";
import { WordKinds } from "./word-kinds.ts";

/** Structs in structs in structs. */
const MOST_NESTED = 3;
/** Holders of a struct that are looked at; lists and locks are in thousands. */
const MOST_HOLDERS = 20_000;

/**
 * Of all structs together: ten times and more what a kernel with its modules has. Damaged structs hold each other in any number of
 * ways.
 */
export const MOST_HELD = 1 << 19;

const NOTHING: readonly never[] = [];

/** A struct that holds another one by value, at whatever depth. */
export interface Holder {
  /** Its number. */
  readonly outer: number;
  /** Of the inner struct, in bytes. */
  readonly offset: number;
}

/** All structs that were asked about, each with a number of its own. */
export class SearchedStructs {
  readonly #places: StructPlaces;
  readonly #words: StructWords;
  readonly #prototypeOf: (type: CType) => number;
  readonly #numbers = new Map<CAggregate, number>();
  readonly #types: CAggregate[] = [];
  readonly #kinds = new WordKinds();
  readonly #holders: (readonly Holder[] | undefined)[] = [];
  /** Holders that may still be found, of MOST_HELD. */
  heldLeft = MOST_HELD;
  #defined: readonly number[] | null = null;
  readonly #prototypes = new ListsAtOffsets();
  readonly #pointees = new ListsAtOffsets();
  readonly #prototypesOutside = new ListsAtOffsets();
  readonly #pointeesOutside = new ListsAtOffsets();
  /** 1 where a pointer can be in a struct at an offset, 0 where none can. */
  readonly #pointers = new PairTable();
  readonly #each = new EachOnce();

  /** @param prototypeOf number of the prototype that a pointer type calls; -1 for others */
  constructor(places: StructPlaces, prototypeOf: (type: CType) => number) {
    this.#places = places;
    this.#words = new StructWords(places);
    this.#prototypeOf = prototypeOf;
  }

  numberOf(type: CAggregate): number {
    let number = this.#numbers.get(type);
    if (number === undefined) {
      number = this.#types.push(type) - 1;
      this.#numbers.set(type, number);
      this.#kinds.add(this.#words.of(type));
    }
    return number;
  }

  type(struct: number): CAggregate {
    return this.#types[struct]!;
  }

  /** All structs and unions that have a name. */
  get defined(): readonly number[] {
    this.#defined ??= this.#places.defined.map((type) => this.numberOf(type));
    return this.#defined;
  }

  /** What holds one of a struct. */
  holders(struct: number): readonly Holder[] {
    let found = this.#holders[struct];
    if (found === undefined) {
      const list: Holder[] = [];
      this.#hold(this.type(struct), 0, 0, list);
      found = list;
      this.#holders[struct] = found;
    }
    return found;
  }

  #hold(type: CAggregate, offset: number, depth: number, found: Holder[]): void {
    if (depth > MOST_NESTED) return;
    for (const container of this.#places.containers(type)) {
      if (found.length >= MOST_HOLDERS || this.heldLeft-- <= 0) return;
      const at = container.offset + offset;
      found.push({ outer: this.numberOf(container.outer), offset: at });
      this.#hold(container.outer, at, depth + 1, found);
    }
  }

  /** False where no pointer to a function is at an offset. */
  canHoldCode(struct: number, offset: number): boolean {
    return this.#kinds.canHold(struct, offset, WORD_OF.CODE);
  }

  /** Prototypes of the pointers to functions at an offset; several in unions. */
  prototypes(struct: number, offset: number): readonly number[] {
    if (!this.canHoldCode(struct, offset)) return NOTHING;
    return (
      this.#prototypes.get(struct, offset) ??
      this.#prototypes.set(
        struct,
        offset,
        this.#typesAt(struct, offset)
          .map((type) => this.#prototypeOf(type))
          .filter((prototype) => prototype >= 0),
      )
    );
  }

  /** What the pointers to structs at an offset point to; several in unions. */
  pointees(struct: number, offset: number): readonly number[] {
    if (!this.#kinds.canHold(struct, offset, WORD_OF.STRUCT)) return NOTHING;
    return (
      this.#pointees.get(struct, offset) ??
      this.#pointees.set(
        struct,
        offset,
        this.#typesAt(struct, offset).flatMap((type) => {
          const pointee = this.#places.pointee(type);
          return pointee === null ? NOTHING : this.numberOf(pointee);
        }),
      )
    );
  }

  #typesAt(struct: number, offset: number): CType[] {
    return this.#placesAt(struct, offset).flatMap((place) => place.alternatives ?? [place.type]);
  }

  #placesAt(struct: number, offset: number): readonly Place[] {
    return this.#places.at(this.type(struct), offset);
  }

  /** The same for all that hold one of a struct, at an offset from it that lies outside; each prototype once. */
  prototypesOutside(struct: number, offset: number): readonly number[] {
    const known = this.#prototypesOutside.get(struct, offset);
    if (known !== null) return known;
    const found = this.#each;
    const holders = this.holders(struct);
    found.begin();
    for (const { outer, offset: at } of holders) found.add(this.prototypes(outer, at + offset));
    return this.#prototypesOutside.set(struct, offset, found.found);
  }

  /** What the pointers to structs there point to, each once. */
  pointeesOutside(struct: number, offset: number): readonly number[] {
    const known = this.#pointeesOutside.get(struct, offset);
    if (known !== null) return known;
    const found = this.#each;
    const holders = this.holders(struct);
    found.begin();
    for (const { outer, offset: at } of holders) found.add(this.pointees(outer, at + offset));
    return this.#pointeesOutside.set(struct, offset, found.found);
  }

  /** May an offset hold a function although no type says so (`void *`, `unsigned long`)? */
  hidesCode(struct: number, offset: number): boolean {
    return this.#placesAt(struct, offset).some((place) => {
      const type = stripTypedefs(place.type);
      if (type.kind === "pointer") return stripTypedefs(type.target).kind === "void";
      return type.kind === "int" && type.size === 8;
    });
  }

  /** Is there a member that a pointer can be in? */
  holdsPointer(struct: number, offset: number): boolean {
    let known = this.#pointers.get(struct, offset);
    if (known < 0) {
      const holds = this.#placesAt(struct, offset).some((place) => {
        const type = stripTypedefs(place.type);
        return type.kind === "pointer" || type.kind === "void" || (type.kind === "int" && type.size === 8);
      });
      known = holds ? 1 : 0;
      this.#pointers.set(struct, offset, known);
    }
    return known === 1;
  }

  /** Does a struct begin at an offset, or the struct of a name? */
  begins(struct: number, offset: number, name: string | null = null): boolean {
    if (!this.#kinds.canHold(struct, offset, WORD_OF.BEGIN)) return false;
    const here = this.#places.startingAt(this.type(struct), offset);
    return here !== null && (name === null || here.some((one) => one.name === name));
  }
}

/** Lists of numbers by struct and offset. */
class ListsAtOffsets {
  readonly #numbers = new PairTable();
  readonly #lists: (readonly number[])[] = [];

  get(struct: number, offset: number): readonly number[] | null {
    const number = this.#numbers.get(struct, offset);
    return number < 0 ? null : this.#lists[number]!;
  }

  /** Keeps a list, and gives it back. */
  set(struct: number, offset: number, list: readonly number[]): readonly number[] {
    this.#numbers.set(struct, offset, this.#lists.push(list) - 1);
    return list;
  }
}
