/**
 * Structs as a search through thousands of them asks for: what lies at an offset, each answer found once and kept with the
 * struct. Most of the answers are "nothing", which its words (see struct-words.ts) tell without a look at its members.
 */
import { stripTypedefs } from "../../types/strip.ts";
import type { CAggregate, CType } from "../../types/type-provider.ts";
import type { Place, StructPlaces } from "./struct-places.ts";
import { StructWords, WORD_OF, type Words } from "./struct-words.ts";

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
  readonly outer: SearchedStruct;
  /** Of the inner struct, in bytes. */
  readonly offset: number;
}

/** All structs that were asked about, each once. */
export class SearchedStructs {
  readonly places: StructPlaces;
  readonly words: StructWords;
  readonly prototypeOf: (type: CType) => number;
  readonly #byType = new Map<CAggregate, SearchedStruct>();
  /** Holders that may still be found, of MOST_HELD. */
  heldLeft = MOST_HELD;
  #defined: readonly SearchedStruct[] | null = null;

  /** @param prototypeOf number of the prototype that a pointer type calls; -1 for others */
  constructor(places: StructPlaces, prototypeOf: (type: CType) => number) {
    this.places = places;
    this.words = new StructWords(places);
    this.prototypeOf = prototypeOf;
  }

  of(type: CAggregate): SearchedStruct {
    let found = this.#byType.get(type);
    if (found === undefined) {
      found = new SearchedStruct(this, type, this.#byType.size);
      this.#byType.set(type, found);
    }
    return found;
  }

  /** All structs and unions that have a name. */
  get defined(): readonly SearchedStruct[] {
    this.#defined ??= this.places.defined.map((type) => this.of(type));
    return this.#defined;
  }
}

export class SearchedStruct {
  readonly type: CAggregate;
  readonly size: number;
  /** In the order in which they were asked for. */
  readonly number: number;
  readonly #all: SearchedStructs;
  readonly #words: Words;
  #holders: readonly Holder[] | null = null;
  readonly #prototypes = new Map<number, readonly number[]>();
  readonly #pointees = new Map<number, readonly SearchedStruct[]>();
  readonly #prototypesOutside = new Map<number, readonly number[]>();
  readonly #pointeesOutside = new Map<number, readonly SearchedStruct[]>();

  constructor(all: SearchedStructs, type: CAggregate, number: number) {
    this.#all = all;
    this.type = type;
    this.size = type.size;
    this.number = number;
    this.#words = all.words.of(type);
  }

  /** What holds one of this type. */
  get holders(): readonly Holder[] {
    if (this.#holders === null) {
      const found: Holder[] = [];
      this.#hold(this.type, 0, 0, found);
      this.#holders = found;
    }
    return this.#holders;
  }

  #hold(type: CAggregate, offset: number, depth: number, found: Holder[]): void {
    if (depth > MOST_NESTED) return;
    for (const container of this.#all.places.containers(type)) {
      if (found.length >= MOST_HOLDERS || this.#all.heldLeft-- <= 0) return;
      const at = container.offset + offset;
      found.push({ outer: this.#all.of(container.outer), offset: at });
      this.#hold(container.outer, at, depth + 1, found);
    }
  }

  /** False where no pointer to a function is at an offset. */
  canHoldCode(offset: number): boolean {
    return this.#words.canHold(offset, WORD_OF.CODE);
  }

  /** Prototypes of the pointers to functions at an offset; several in unions. */
  prototypes(offset: number): readonly number[] {
    if (!this.canHoldCode(offset)) return NOTHING;
    let found = this.#prototypes.get(offset);
    if (found === undefined) {
      found = this.#typesAt(offset)
        .map((type) => this.#all.prototypeOf(type))
        .filter((prototype) => prototype >= 0);
      this.#prototypes.set(offset, found);
    }
    return found;
  }

  /** What the pointers to structs at an offset point to; several in unions. */
  pointees(offset: number): readonly SearchedStruct[] {
    if (!this.#words.canHold(offset, WORD_OF.STRUCT)) return NOTHING;
    let found = this.#pointees.get(offset);
    if (found === undefined) {
      const { places } = this.#all;
      found = this.#typesAt(offset).flatMap((type) => {
        const pointee = places.pointee(type);
        return pointee === null ? NOTHING : this.#all.of(pointee);
      });
      this.#pointees.set(offset, found);
    }
    return found;
  }

  #typesAt(offset: number): CType[] {
    return this.#places(offset).flatMap((place) => place.alternatives ?? [place.type]);
  }

  #places(offset: number): readonly Place[] {
    return this.#all.places.at(this.type, offset);
  }

  /** The same for all that hold one of this type, at an offset from it that lies outside; each prototype once. */
  prototypesOutside(offset: number): readonly number[] {
    let found = this.#prototypesOutside.get(offset);
    if (found === undefined) {
      found = union(this.holders, (holder) => holder.outer.prototypes(holder.offset + offset));
      this.#prototypesOutside.set(offset, found);
    }
    return found;
  }

  /** What the pointers to structs there point to, each once. */
  pointeesOutside(offset: number): readonly SearchedStruct[] {
    let found = this.#pointeesOutside.get(offset);
    if (found === undefined) {
      found = union(this.holders, (holder) => holder.outer.pointees(holder.offset + offset));
      this.#pointeesOutside.set(offset, found);
    }
    return found;
  }

  /** May an offset hold a function although no type says so (`void *`, `unsigned long`)? */
  hidesCode(offset: number): boolean {
    return this.#places(offset).some((place) => {
      const type = stripTypedefs(place.type);
      if (type.kind === "pointer") return stripTypedefs(type.target).kind === "void";
      return type.kind === "int" && type.size === 8;
    });
  }

  /** Is there a member that a pointer can be in? */
  holdsPointer(offset: number): boolean {
    return this.#places(offset).some((place) => {
      const type = stripTypedefs(place.type);
      return type.kind === "pointer" || type.kind === "void" || (type.kind === "int" && type.size === 8);
    });
  }

  /** Does a struct begin at an offset, or the struct of a name? */
  begins(offset: number, name: string | null = null): boolean {
    if (!this.#words.canHold(offset, WORD_OF.BEGIN)) return false;
    const here = this.#all.places.startingAt(this.type, offset);
    return here !== null && (name === null || here.some((one) => one.name === name));
  }
}

/** All that each of some things has, each once. */
export function union<T, U>(things: readonly T[], each: (thing: T) => readonly U[]): readonly U[] {
  let first: readonly U[] = NOTHING;
  let found: Set<U> | null = null;
  for (const thing of things) {
    const some = each(thing);
    if (some.length === 0 || some === first) continue;
    if (found === null && first.length === 0) first = some;
    else {
      found ??= new Set(first);
      for (const one of some) found.add(one);
    }
  }
  return found === null ? (first.length < 2 ? first : [...new Set(first)]) : [...found];
}
