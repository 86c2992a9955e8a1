/**
 * Members that a pointer of no known type may have been loaded from, by where it was found: at that distance from an object
 * of a known struct (container_of), or at that offset behind a pointer of which only its other uses are known. The declared
 * types of these members are all that such a call can have, as long as what it calls was declared as a function pointer.
 */
import type { CAggregate, CType } from "../../types/type-provider.ts";
import { EachOnce } from "./each-once.ts";
import { MOST_HELD, SearchedStructs } from "./searched-structs.ts";
import type { CodeMember, Container, Place, StructPlaces } from "./struct-places.ts";

/** Where a value was loaded from: outside of an object of a known struct, or behind a pointer of no known type. */
export type LoadOrigin =
  | { readonly kind: "outside"; readonly type: CAggregate; readonly offset: number }
  | { readonly kind: "behind"; readonly pointer: KnownPointer; readonly offset: number };

/** What is known of a pointer. Each use must be possible in the struct that it points to. */
export interface KnownPointer {
  /** Null where it can be any. */
  readonly origins: readonly LoadOrigin[] | null;
  /** Offsets at which something is read. */
  readonly reads: readonly number[];
  /** Those of them at which a pointer is that the code follows. */
  readonly followed: readonly number[];
  /** What lies at an offset, as a typed parameter or member took it. */
  readonly parts: readonly { readonly type: CAggregate; readonly offset: number }[];
}

/** A pointer that was asked about: one for all of which the same is known. */
interface AskedPointer {
  readonly number: number;
  /** Structs that it may point to by where it was loaded from, each once; null where nothing tells. */
  readonly told: readonly number[] | null;
  readonly uses: Uses;
  /** What lies behind it, by offset. */
  readonly prototypes: Map<number, readonly number[] | null>;
  readonly pointees: Map<number, readonly number[]>;
}

/** How a pointer is used, in short. */
interface Uses {
  /** The lowest offset that is read, where one is below zero. */
  readonly firstRead: number;
  /** The highest; -1 where none is. */
  readonly lastRead: number;
  readonly followed: readonly number[];
  readonly parts: KnownPointer["parts"];
}

interface HeldCode {
  /** Number of the struct. */
  readonly outer: number;
  readonly at: number;
  readonly type: CType;
}

const NOTHING: readonly never[] = [];

export class MemberSearch {
  readonly #places: StructPlaces;
  readonly #structs: SearchedStructs;
  readonly #prototypeOf: (type: CType) => number;
  /** By offset: structs with a pointer to a function there; what pointers to structs there point to. */
  #code: ReadonlyMap<number, readonly number[]> | null = null;
  #allCode: readonly HeldCode[] | null = null;
  #byPrototype: Map<number, CodeMember[]> | null = null;
  readonly #pointees = new Map<number, readonly number[]>();
  readonly #asked = new Map<string, AskedPointer>();
  readonly #askedOf = new WeakMap<KnownPointer, AskedPointer>();
  readonly #prototypes = new Map<string, readonly number[] | null>();
  readonly #each = new EachOnce();

  constructor(places: StructPlaces, prototypeOf: (type: CType) => number) {
    this.#places = places;
    this.#structs = new SearchedStructs(places, prototypeOf);
    this.#prototypeOf = prototypeOf;
  }

  /** Structs that hold one of this type by value at whatever depth, with its offset in them. */
  holders(type: CAggregate): readonly Container[] {
    const structs = this.#structs;
    return structs.holders(structs.numberOf(type)).map(({ outer, offset }) => ({ outer: structs.type(outer), offset }));
  }

  /** Structs that have a pointer to a function at an offset. */
  #withCodeAt(offset: number): readonly number[] {
    this.#code ??= this.#codeByOffset();
    return this.#code.get(offset) ?? NOTHING;
  }

  /** Every pointer to a function in every struct, those of the structs that it holds among them. */
  #codeWithHolders(): readonly HeldCode[] {
    if (this.#allCode === null) {
      const all: HeldCode[] = [];
      for (const { owner, offset, type } of this.#places.codeMembers) {
        const struct = this.#structs.numberOf(owner);
        all.push({ outer: struct, at: offset, type });
        for (const holder of this.#structs.holders(struct)) {
          if (all.length >= MOST_HELD) break;
          all.push({ outer: holder.outer, at: holder.offset + offset, type });
        }
      }
      this.#allCode = all;
    }
    return this.#allCode;
  }

  /** Structs hold each other in more ways than were looked at: members may be missing from what is found. */
  get isIncomplete(): boolean {
    return this.#structs.heldLeft < 0 || (this.#allCode?.length ?? 0) >= MOST_HELD;
  }

  #codeByOffset(): ReadonlyMap<number, readonly number[]> {
    const found = new Map<number, Set<number>>();
    for (const { outer, at } of this.#codeWithHolders()) {
      const structs = found.get(at);
      if (structs === undefined) found.set(at, new Set([outer]));
      else structs.add(outer);
    }
    return new Map([...found].map(([at, structs]) => [at, [...structs]]));
  }

  /** All members that are declared to hold functions of a prototype. */
  membersOf(prototype: number): readonly CodeMember[] {
    this.#byPrototype ??= Map.groupBy(this.#places.codeMembers, (member) => this.#prototypeOf(member.type));
    return this.#byPrototype.get(prototype) ?? [];
  }

  /** What the pointers to structs at an offset of any struct point to. */
  #pointeesOfAny(offset: number): readonly number[] {
    let known = this.#pointees.get(offset);
    if (known === undefined) {
      const { defined } = this.#structs;
      const found = this.#each;
      found.begin();
      for (let at = 0; at < defined.length; at++) found.add(this.#structs.pointees(defined[at]!, offset));
      known = found.found;
      this.#pointees.set(offset, known);
    }
    return known;
  }

  /**
   * Prototypes of the pointers to functions that may have been loaded there, each once and one list for all that comes from
   * the same places; null where that can be all.
   */
  prototypesAt(origins: readonly LoadOrigin[]): readonly number[] | null {
    const key = this.#keyOf(origins);
    let found = this.#prototypes.get(key);
    if (found === undefined) {
      const lists = origins.map((origin) => this.#prototypesOf(origin));
      const all = this.#each;
      all.begin();
      for (const list of lists) all.add(list ?? NOTHING);
      found = lists.includes(null) || all.found.length === 0 ? null : all.found;
      this.#prototypes.set(key, found);
    }
    return found;
  }

  #prototypesOf(origin: LoadOrigin): readonly number[] | null {
    const { offset } = origin;
    if (origin.kind === "outside") {
      return this.#structs.prototypesOutside(this.#structs.numberOf(origin.type), offset);
    }
    const pointer = this.#ask(origin.pointer);
    let found = pointer.prototypes.get(offset);
    if (found === undefined) {
      found = this.#prototypesBehind(pointer, offset);
      pointer.prototypes.set(offset, found);
    }
    return found;
  }

  #prototypesBehind({ told, uses }: AskedPointer, offset: number): readonly number[] | null {
    // What is read before a pointer tells that it points to a part of what is meant (container_of).
    const isInner = offset < 0 || uses.firstRead < 0;
    if (isInner && told === null) return this.#prototypesBeside(uses, offset);
    const structs = this.#structs;
    const candidates = told ?? this.#withCodeAt(offset);
    const all = this.#each;
    all.begin();
    for (let at = 0; at < candidates.length; at++) {
      const struct = candidates[at]!;
      const prototypes = isInner ? structs.prototypesOutside(struct, offset) : structs.prototypes(struct, offset);
      if (prototypes.length > 0 && (isInner || this.#allows(struct, uses))) all.add(prototypes);
    }
    const { found } = all;
    return found.length === 0 && told?.some((struct) => structs.hidesCode(struct, offset)) ? null : found;
  }

  /** Behind a pointer to a part (a link, an inode) of whatever struct: those that have room for all that is read. */
  #prototypesBeside({ firstRead, lastRead }: Uses, offset: number): readonly number[] {
    const structs = this.#structs;
    const found = this.#each;
    found.begin();
    for (const { outer, at, type } of this.#codeWithHolders()) {
      const link = at - offset;
      if (link < 0 || link + firstRead < 0 || link + lastRead >= structs.type(outer).size) continue;
      if (structs.begins(outer, link)) found.addOne(this.#prototypeOf(type));
    }
    return found.found;
  }

  /** What a pointer may point to, by where it was loaded from, each once; null where nothing tells. */
  #pointeesOf(origins: readonly LoadOrigin[] | null): readonly number[] | null {
    const lists = (origins ?? NOTHING).map((origin) => this.#pointeesAt(origin));
    const all = this.#each;
    all.begin();
    for (const list of lists) all.add(list);
    return all.found.length === 0 ? null : all.found;
  }

  #pointeesAt(origin: LoadOrigin): readonly number[] {
    const { offset } = origin;
    const structs = this.#structs;
    if (origin.kind === "outside") return structs.pointeesOutside(structs.numberOf(origin.type), offset);
    const { told, uses, pointees } = this.#ask(origin.pointer);
    if (told === null) return this.#pointeesOfAny(offset);
    let found = pointees.get(offset);
    if (found === undefined) {
      const all = this.#each;
      all.begin();
      for (let at = 0; at < told.length; at++) {
        const struct = told[at]!;
        const some = offset < 0 ? structs.pointeesOutside(struct, offset) : structs.pointees(struct, offset);
        if (some.length > 0 && (offset < 0 || this.#allows(struct, uses))) all.add(some);
      }
      found = all.found;
      pointees.set(offset, found);
    }
    return found;
  }

  #ask(pointer: KnownPointer): AskedPointer {
    let asked = this.#askedOf.get(pointer);
    if (asked === undefined) {
      asked = this.#askAlike(pointer);
      this.#askedOf.set(pointer, asked);
    }
    return asked;
  }

  #askAlike(pointer: KnownPointer): AskedPointer {
    const key = this.#keyOfPointer(pointer);
    let asked = this.#asked.get(key);
    if (asked === undefined) {
      asked = {
        number: this.#asked.size,
        told: this.#pointeesOf(pointer.origins),
        uses: usesOf(pointer),
        prototypes: new Map(),
        pointees: new Map(),
      };
      this.#asked.set(key, asked);
    }
    return asked;
  }

  /** Equal for pointers of which the same is known. */
  #keyOfPointer({ origins, reads, followed, parts }: KnownPointer): string {
    const from = origins === null ? "" : this.#keyOf(origins);
    const used = parts.map(({ type, offset }) => `${this.#structs.numberOf(type)}+${offset}`);
    return `${from};${distinct(reads).join()};${distinct(followed).join()};${used.join()}`;
  }

  #keyOf(origins: readonly LoadOrigin[]): string {
    let key = "";
    for (const origin of origins) {
      if (origin.kind === "outside") key += `o${this.#structs.numberOf(origin.type)}+${origin.offset} `;
      else key += `b${this.#ask(origin.pointer).number}+${origin.offset} `;
    }
    return key;
  }

  /** The pointers to functions that may lie at an offset behind a pointer, other members of unions with them among them. */
  places(pointer: KnownPointer, offset: number): Place[] {
    const { told, uses } = this.#ask(pointer);
    const found: Place[] = [];
    for (const struct of told ?? this.#withCodeAt(offset)) {
      if (!this.#structs.canHoldCode(struct, offset) || !this.#allows(struct, uses)) continue;
      found.push(...this.#places.at(this.#structs.type(struct), offset));
    }
    return found;
  }

  /** Can a pointer that is used like that point to the struct? */
  #allows(struct: number, { firstRead, lastRead, followed, parts }: Uses): boolean {
    const structs = this.#structs;
    if (firstRead < 0 || lastRead >= structs.type(struct).size) return false;
    for (let at = 0; at < followed.length; at++) if (!structs.holdsPointer(struct, followed[at]!)) return false;
    for (let at = 0; at < parts.length; at++) {
      if (!structs.begins(struct, parts[at]!.offset, parts[at]!.type.name)) return false;
    }
    return true;
  }
}

function usesOf({ reads, followed, parts }: KnownPointer): Uses {
  let firstRead = 0;
  let lastRead = -1;
  for (const read of reads) {
    if (read < firstRead) firstRead = read;
    if (read > lastRead) lastRead = read;
  }
  return { firstRead, lastRead, followed: distinct(followed), parts };
}

function distinct(numbers: readonly number[]): readonly number[] {
  return numbers.every((one, n) => n === 0 || numbers[n - 1]! < one)
    ? numbers
    : [...new Set(numbers)].sort((a, b) => a - b);
}
