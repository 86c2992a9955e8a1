/**
 * Members that a pointer of no known type may have been loaded from, by where it was found: at that distance from an object
 * of a known struct (container_of), or at that offset behind a pointer of which only its other uses are known. The declared
 * types of these members are all that such a call can have, as long as what it calls was declared as a function pointer.
 */
import { stripTypedefs } from "../../types/strip.ts";
import type { CAggregate, CType } from "../../types/type-provider.ts";
import type { CodeMember, Container, Place, StructPlaces } from "./struct-places.ts";

/** Structs in structs in structs. */
const MOST_NESTED = 3;
/** Holders of a struct that are looked at; lists and locks are in thousands. */
const MOST_HOLDERS = 20_000;

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

interface HeldCode {
  readonly outer: CAggregate;
  readonly at: number;
  readonly type: CType;
}

export class MemberSearch {
  readonly #structs: StructPlaces;
  readonly #prototypeOf: (type: CType) => number;
  readonly #holders = new Map<CAggregate, readonly Container[]>();
  /** By offset: structs with a pointer to a function there; what pointers to structs there point to. */
  #code: Map<number, CAggregate[]> | null = null;
  readonly #prototypesOutside = new Map<CAggregate, Map<number, readonly number[]>>();
  readonly #pointeesOutside = new Map<CAggregate, Map<number, readonly CAggregate[]>>();
  #allCode: readonly HeldCode[] | null = null;
  #byPrototype: Map<number, CodeMember[]> | null = null;
  readonly #pointees = new Map<number, readonly CAggregate[]>();
  /** What was asked of places before: `StructPlaces.at` gives one list for each place. */
  readonly #placePointees = new Map<readonly Place[], readonly CAggregate[]>();
  readonly #placeHides = new Map<readonly Place[], readonly boolean[]>();
  readonly #placePrototypes = new Map<readonly Place[], readonly number[]>();

  constructor(structs: StructPlaces, prototypeOf: (type: CType) => number) {
    this.#structs = structs;
    this.#prototypeOf = prototypeOf;
  }

  /** Structs that hold one of this type by value at whatever depth, with its offset in them. */
  holders(type: CAggregate): readonly Container[] {
    let known = this.#holders.get(type);
    if (known === undefined) {
      const found: Container[] = [];
      this.#hold(type, 0, 0, found);
      known = found;
      this.#holders.set(type, known);
    }
    return known;
  }

  #hold(type: CAggregate, offset: number, depth: number, found: Container[]): void {
    if (depth > MOST_NESTED) return;
    for (const container of this.#structs.containers(type)) {
      if (found.length >= MOST_HOLDERS) return;
      const at = container.offset + offset;
      found.push({ outer: container.outer, offset: at });
      this.#hold(container.outer, at, depth + 1, found);
    }
  }

  /** Structs that have a pointer to a function at an offset. */
  withCodeAt(offset: number): readonly CAggregate[] {
    this.#code ??= this.#codeByOffset();
    return this.#code.get(offset) ?? [];
  }

  /** Every pointer to a function in every struct, those of the structs that it holds among them. */
  #codeWithHolders(): readonly HeldCode[] {
    this.#allCode ??= this.#structs.codeMembers.flatMap(({ owner, offset, type }) => [
      { outer: owner, at: offset, type },
      ...this.holders(owner).map((holder) => ({ outer: holder.outer, at: holder.offset + offset, type })),
    ]);
    return this.#allCode;
  }

  #codeByOffset(): Map<number, CAggregate[]> {
    const found = new Map<number, CAggregate[]>();
    const add = (offset: number, struct: CAggregate): void => {
      const list = found.get(offset);
      if (list === undefined) found.set(offset, [struct]);
      else if (!list.includes(struct)) list.push(struct);
    };
    for (const { outer, at } of this.#codeWithHolders()) add(at, outer);
    return found;
  }

  /** All members that are declared to hold functions of a prototype. */
  membersOf(prototype: number): readonly CodeMember[] {
    this.#byPrototype ??= Map.groupBy(this.#structs.codeMembers, (member) => this.#prototypeOf(member.type));
    return this.#byPrototype.get(prototype) ?? [];
  }

  /** What the pointers to structs at an offset of any struct point to. */
  pointeesAt(offset: number): readonly CAggregate[] {
    let known = this.#pointees.get(offset);
    if (known === undefined) {
      const found = new Set<CAggregate>();
      for (const struct of this.#structs.defined) for (const one of this.pointees(struct, offset)) found.add(one);
      known = [...found];
      this.#pointees.set(offset, known);
    }
    return known;
  }

  /** What the pointers to structs at an offset of a struct point to; several in unions. */
  pointees(struct: CAggregate, offset: number): readonly CAggregate[] {
    return ofPlaces(this.#placePointees, this.#structs.at(struct, offset), (place) =>
      (place.alternatives ?? [place.type]).flatMap((type) => this.#structs.pointee(type) ?? []),
    );
  }

  /** Prototypes of the pointers to functions at an offset of a struct; several in unions. */
  prototypes(struct: CAggregate, offset: number): readonly number[] {
    return ofPlaces(this.#placePrototypes, this.#structs.at(struct, offset), (place) =>
      (place.alternatives ?? [place.type]).map((type) => this.#prototypeOf(type)).filter((prototype) => prototype >= 0),
    );
  }

  /** Prototypes of the pointers to functions that may have been loaded there; null where that can be all. */
  prototypesAt(origins: readonly LoadOrigin[]): number[] | null {
    const found = new Set<number>();
    for (const origin of origins) {
      const prototypes =
        origin.kind === "outside" ? this.prototypesOutside(origin.type, origin.offset) : this.#prototypesBehind(origin);
      if (prototypes === null) return null;
      for (const prototype of prototypes) found.add(prototype);
    }
    return found.size === 0 ? null : [...found];
  }

  #prototypesBehind({ pointer, offset }: Extract<LoadOrigin, { kind: "behind" }>): number[] | null {
    const told = this.#pointeesOf(pointer);
    const found = new Set<number>();
    const add = (prototypes: readonly number[]): void => {
      for (const prototype of prototypes) found.add(prototype);
    };
    // What is read before a pointer tells that it points to a part of what is meant (container_of).
    const isInner = offset < 0 || pointer.reads.some((read) => read < 0);
    if (isInner) for (const struct of told ?? []) add(this.prototypesOutside(struct, offset));
    else
      for (const struct of told ?? this.withCodeAt(offset)) {
        const prototypes = this.prototypes(struct, offset);
        if (prototypes.length > 0 && this.allows(struct, pointer)) add(prototypes);
      }
    if (isInner && told === null) add(this.#prototypesBeside(pointer, offset));
    return found.size === 0 && told?.some((struct) => this.hidesCode(struct, offset)) ? null : [...found];
  }

  /** Behind a pointer to a part (a link, an inode) of whatever struct: those that have room for all that is read. */
  #prototypesBeside({ reads }: KnownPointer, offset: number): number[] {
    const found: number[] = [];
    for (const { outer, at, type } of this.#codeWithHolders()) {
      const link = at - offset;
      if (link < 0 || reads.some((read) => link + read < 0 || link + read >= outer.size)) continue;
      if ((this.#structs.startingAt(outer, link)?.length ?? 0) > 0) found.push(this.#prototypeOf(type));
    }
    return found;
  }

  /** What a pointer may point to, by where it was loaded from; null where nothing tells. */
  #pointeesOf({ origins }: KnownPointer): readonly CAggregate[] | null {
    if (origins === null) return null;
    const lists = origins.map((origin) => this.#pointeesAt(origin));
    const found = lists.length === 1 ? lists[0]! : [...new Set(lists.flat())];
    return found.length === 0 ? null : found;
  }

  /** Each once. */
  #pointeesAt(origin: LoadOrigin): readonly CAggregate[] {
    if (origin.kind === "outside") return this.pointeesOutside(origin.type, origin.offset);
    const { pointer, offset } = origin;
    const structs = this.#pointeesOf(pointer);
    if (offset < 0 && structs !== null) return structs.flatMap((struct) => this.pointeesOutside(struct, offset));
    if (structs === null) return this.pointeesAt(offset);
    const found = new Set<CAggregate>();
    for (const struct of structs) {
      const pointees = this.pointees(struct, offset);
      if (pointees.length === 0 || !this.allows(struct, pointer)) continue;
      for (const one of pointees) found.add(one);
    }
    return [...found];
  }

  /** What lies at an offset behind a pointer; of one of which nothing is known, where that is a pointer to a function. */
  places(pointer: KnownPointer, offset: number): Place[] {
    const found: Place[] = [];
    for (const struct of this.#pointeesOf(pointer) ?? this.withCodeAt(offset)) {
      const places = this.#structs.at(struct, offset);
      if (places.length > 0 && this.allows(struct, pointer)) found.push(...places);
    }
    return found;
  }

  /** The same for all that hold a struct, at an offset from it that lies outside. */
  prototypesOutside(type: CAggregate, offset: number): readonly number[] {
    return kept(this.#prototypesOutside, type, offset, () =>
      this.holders(type).flatMap((holder) => this.prototypes(holder.outer, holder.offset + offset)),
    );
  }

  /** What the pointers to structs there point to. */
  pointeesOutside(type: CAggregate, offset: number): readonly CAggregate[] {
    return kept(this.#pointeesOutside, type, offset, () =>
      this.holders(type).flatMap((holder) => this.pointees(holder.outer, holder.offset + offset)),
    );
  }

  /** May the struct's place hold a function although no type says so (`void *`, `unsigned long`)? */
  hidesCode(struct: CAggregate, offset: number): boolean {
    const hidden = ofPlaces(this.#placeHides, this.#structs.at(struct, offset), (place) => {
      const type = stripTypedefs(place.type);
      if (type.kind === "pointer") return stripTypedefs(type.target).kind === "void";
      return type.kind === "int" && type.size === 8;
    });
    return hidden.includes(true);
  }

  /** Is there a member that a pointer can be in? */
  #holdsPointer(struct: CAggregate, offset: number): boolean {
    return this.#structs.at(struct, offset).some((place) => {
      const type = stripTypedefs(place.type);
      return type.kind === "pointer" || type.kind === "void" || (type.kind === "int" && type.size === 8);
    });
  }

  /** Can a pointer that is used like that point to the struct? */
  allows(struct: CAggregate, { reads, followed, parts }: KnownPointer): boolean {
    for (const offset of reads) if (offset < 0 || offset >= struct.size) return false;
    for (const offset of followed) if (!this.#holdsPointer(struct, offset)) return false;
    for (const { type, offset } of parts) {
      const here = this.#structs.startingAt(struct, offset);
      if (here === null || !here.some((one) => one.name === type.name)) return false;
    }
    return true;
  }
}

const NOTHING: readonly never[] = [];

/** What `each` says of some places, each list of them asked once. */
function ofPlaces<T>(
  known: Map<readonly Place[], readonly T[]>,
  places: readonly Place[],
  each: (place: Place) => T | readonly T[],
): readonly T[] {
  if (places.length === 0) return NOTHING;
  let found = known.get(places);
  if (found === undefined) {
    found = places.flatMap(each);
    known.set(places, found);
  }
  return found;
}

/** What a struct and an offset have been asked for before, each answer once. */
function kept<T>(
  known: Map<CAggregate, Map<number, readonly T[]>>,
  type: CAggregate,
  offset: number,
  find: () => readonly T[],
): readonly T[] {
  let byOffset = known.get(type);
  if (byOffset === undefined) {
    byOffset = new Map();
    known.set(type, byOffset);
  }
  let found = byOffset.get(offset);
  if (found === undefined) {
    found = [...new Set(find())];
    byOffset.set(offset, found);
  }
  return found;
}
