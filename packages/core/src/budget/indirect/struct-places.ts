/**
 * What lies at an offset of a struct, as the unit in which assignments to function pointers are collected: the member of the
 * innermost named struct, so that a pointer to an outer struct and one to the struct inside it lead to the same place.
 *
 * Structs are told apart by name. Two of one name (private ones of two C files) share their places, which can only add
 * functions to a set.
 */
import { BtfProvider } from "../../types/btf.ts";
import { stripTypedefs } from "../../types/strip.ts";
import type { CAggregate, CMember, CType, TypeProvider } from "../../types/type-provider.ts";
import { typeKey } from "./type-keys.ts";

/** A scalar member. */
export interface Place {
  /** Name of the struct and offset in it: equal for all ways that lead there. */
  readonly key: string;
  /** "file_operations.write_iter". */
  readonly label: string;
  /** Stripped of typedefs and qualifiers; void where members of a union are of different types. */
  readonly type: CType;
  /** The types of all of these members. */
  readonly alternatives?: readonly CType[] | undefined;
  /** The struct, and the offset in it (of the first element, in an array). */
  readonly owner: CAggregate;
  readonly offset: number;
}

/** A member that points to a function. */
export interface CodeMember {
  readonly owner: CAggregate;
  readonly offset: number;
  readonly type: CType;
}

/** A struct that holds another one by value. */
export interface Container {
  readonly outer: CAggregate;
  /** Of the inner struct, in bytes. */
  readonly offset: number;
}

/** Unions have many members at one offset: that of all security hooks some 250. */
const MOST_PLACES = 512;
const MAX_DEPTH = 12;
/** Members looked at for one answer; a kernel's largest structs take a thousand. Damaged ones hold themselves many times over. */
const MOST_STEPS = 20_000;
/** Structs looked at for what surrounds one: what is in thousands of others is asked about as well. */
const MOST_AROUND = 1_000_000;
/** What is left of the work for one answer. */
interface Steps {
  left: number;
}

/** Structs that may hold an inner one at a given distance; more of them say nothing. */
const MOST_CONTAINERS = 4;

const NONE: readonly Place[] = [];

export class StructPlaces {
  readonly #atOffset = new Map<CAggregate, Map<number, readonly Place[]>>();
  /** The first of all structs that agree in name and size, so that one object stands for them. */
  readonly #first = new Map<string, CAggregate>();
  readonly #alike = new Map<CAggregate, CAggregate>();
  readonly #pointees = new Map<CType, CAggregate | null>();
  readonly #outside = new Map<CAggregate, Map<number, readonly Place[]>>();
  readonly #starting = new Map<CAggregate, Map<number, readonly CAggregate[] | null>>();
  readonly #containers = new Map<string, Container[]>();
  readonly #defined: CAggregate[] = [];
  readonly #codeMembers: CodeMember[] = [];

  /** Takes in the structs that a type section defines (its base's not). */
  add(types: TypeProvider): void {
    if (!(types instanceof BtfProvider)) return;
    for (const struct of types.structs()) {
      const type = this.canonical(struct);
      if (type !== struct) continue;
      this.#defined.push(type);
      this.#holds(type, type, 0, 0, { left: MOST_STEPS });
    }
  }

  /** All structs and unions that have a name. */
  get defined(): readonly CAggregate[] {
    return this.#defined;
  }

  /** The members of all structs that point to functions; those of an inner struct with a name are its own. */
  get codeMembers(): readonly CodeMember[] {
    return this.#codeMembers;
  }

  /** One object for all definitions of a struct. */
  canonical(type: CAggregate): CAggregate {
    let first = this.#alike.get(type);
    if (first === undefined) {
      if (type.name === "") first = type;
      else {
        const key = `${type.name} ${type.size}`;
        first = this.#first.get(key) ?? type;
        this.#first.set(key, first);
        // What is only declared somewhere (forward) means the first that was defined.
        if (!this.#first.has(type.name)) this.#first.set(type.name, first);
      }
      this.#alike.set(type, first);
    }
    return first;
  }

  /** The struct that a pointer type points to; null where it points to none. */
  pointee(type: CType): CAggregate | null {
    let known = this.#pointees.get(type);
    if (known === undefined) {
      const pointer = stripTypedefs(type);
      known = pointer.kind === "pointer" ? this.#aggregate(pointer.target) : null;
      this.#pointees.set(type, known);
    }
    return known;
  }

  #aggregate(declared: CType): CAggregate | null {
    const type = stripTypedefs(declared);
    if (type.kind === "forward") return this.#first.get(type.name) ?? null;
    return type.kind === "struct" || type.kind === "union" ? this.canonical(type) : null;
  }

  /**
   * The structs that begin at an offset of one of this type, the outermost first: what a pointer there may be declared to
   * point to. Null where it lies outside or behind another member.
   */
  startingAt(type: CAggregate, offset: number): readonly CAggregate[] | null {
    let known = this.#starting.get(type);
    if (known === undefined) {
      known = new Map();
      this.#starting.set(type, known);
    }
    let found = known.get(offset);
    if (found === undefined) {
      const list: CAggregate[] = [];
      if (offset >= 0 && offset < type.size) this.#begin(type, offset, list, 0, { left: MOST_STEPS });
      found = list.length === 0 ? null : list;
      known.set(offset, found);
    }
    return found;
  }

  #begin(type: CAggregate, wanted: number, found: CAggregate[], depth: number, steps: Steps): void {
    if (depth > MAX_DEPTH) return;
    if (wanted === 0) found.push(this.canonical(type));
    for (const member of type.members) {
      if (steps.left-- <= 0 || found.length >= MOST_PLACES) return;
      if (member.bitSize !== null) continue;
      const at = member.bitOffset >>> 3;
      let inner = stripTypedefs(member.type);
      let within = wanted - at;
      if (within < 0) continue;
      if (inner.kind === "array") {
        const element = stripTypedefs(inner.element);
        const size = "size" in element ? element.size : 0;
        if (size === 0 || (inner.length > 0 && within >= inner.size)) continue;
        inner = element;
        within %= size;
      }
      if ((inner.kind === "struct" || inner.kind === "union") && within < inner.size) {
        this.#begin(inner, within, found, depth + 1, steps);
      }
    }
  }

  /** The structs that hold one of this type by value, directly or inside of anonymous members and arrays. */
  containers(type: CAggregate): readonly Container[] {
    return this.#containers.get(typeKey(type)) ?? [];
  }

  /**
   * What lies at an offset outside of an inner struct, in whatever holds it (container_of); none where that can be many.
   * @param offset from the inner struct's start, negative or behind its end
   */
  outside(type: CAggregate, offset: number): readonly Place[] {
    let known = this.#outside.get(type);
    if (known === undefined) {
      known = new Map();
      this.#outside.set(type, known);
    }
    let places = known.get(offset);
    if (places === undefined) {
      places = this.#findOutside(type, offset);
      known.set(offset, places);
    }
    return places;
  }

  #findOutside(type: CAggregate, offset: number): readonly Place[] {
    const holders: Container[] = [];
    const steps = { left: MOST_AROUND };
    this.#holders(type, offset, holders, 0, steps);
    return holders.length > MOST_CONTAINERS || steps.left <= 0
      ? NONE
      : holders.flatMap(({ outer, offset: at }) => this.at(outer, at));
  }

  /** The nearest structs around an inner one that reach as far as an offset from it, and the offset in each. */
  #holders(type: CAggregate, offset: number, found: Container[], depth: number, steps: Steps): void {
    if (depth > MAX_DEPTH) return;
    for (const container of this.containers(type)) {
      if (steps.left-- <= 0) return;
      const at = container.offset + offset;
      if (at < 0 || at >= container.outer.size) this.#holders(container.outer, at, found, depth + 1, steps);
      else found.push({ outer: container.outer, offset: at });
      if (found.length > MOST_CONTAINERS) return;
    }
  }

  #holds(outer: CAggregate, type: CAggregate, base: number, depth: number, steps: Steps): void {
    if (depth > MAX_DEPTH) return;
    for (const member of type.members) {
      if (steps.left-- <= 0) return;
      if (member.bitSize !== null) continue;
      let inner = stripTypedefs(member.type);
      if (inner.kind === "array") inner = stripTypedefs(inner.element);
      if (inner.kind === "pointer" && stripTypedefs(inner.target).kind === "function") {
        this.#codeMembers.push({ owner: outer, offset: base + (member.bitOffset >>> 3), type: inner });
      }
      if (inner.kind !== "struct" && inner.kind !== "union") continue;
      const offset = base + (member.bitOffset >>> 3);
      if (inner.name === "") this.#holds(outer, inner, offset, depth + 1, steps);
      else {
        const list = this.#containers.get(inner.name);
        if (list === undefined) this.#containers.set(inner.name, [{ outer, offset }]);
        else list.push({ outer, offset });
      }
    }
  }

  /** The same place in the first element, where an offset lies in an array of structs or pointers; flexible ones have no end. */
  inFirstElement(type: CAggregate, offset: number): number {
    if (type.kind === "union" || offset < 0) return offset;
    for (const member of type.members) {
      const at = member.bitOffset >>> 3;
      const array = stripTypedefs(member.type);
      if (array.kind !== "array" || member.bitSize !== null || at > offset) continue;
      const element = stripTypedefs(array.element);
      const size = "size" in element ? element.size : 0;
      if (size >= 8 && (array.length === 0 || offset < at + array.size)) return at + ((offset - at) % size);
    }
    return offset;
  }

  /** The scalars that begin at `offset` (several in unions); none for padding, bit fields and offsets outside. */
  at(type: CAggregate, offset: number): readonly Place[] {
    let known = this.#atOffset.get(type);
    if (known === undefined) {
      known = new Map();
      this.#atOffset.set(type, known);
    }
    let places = known.get(offset);
    if (places === undefined) {
      const found: Scalar[] = [];
      if (offset >= 0 && (offset < type.size || endsOpen(type)))
        collect(type, typeKey(type), type, 0, offset, null, found, 0, { left: MOST_STEPS });
      places = found.length === 0 ? NONE : onePerKey(found);
      known.set(offset, places);
    }
    return places;
  }
}

/** Does the struct end in a flexible array? Its elements lie behind the struct. */
function endsOpen(type: CAggregate): boolean {
  const last = type.kind === "struct" ? type.members.at(-1) : undefined;
  const array = last === undefined || last.bitSize !== null ? null : stripTypedefs(last.type);
  return array?.kind === "array" && array.length === 0;
}

/**
 * Is a struct's member an array without a length that others follow? It marks a place (`__cacheline_group_begin__…`,
 * include/linux/cache.h) and has no elements.
 */
function isMarker(type: CAggregate, member: number): boolean {
  if (type.kind !== "struct" || member === type.members.length - 1) return false;
  const array = stripTypedefs(type.members[member]!.type);
  return array.kind === "array" && array.length === 0;
}

/** A member, and those that it lies in up to the innermost struct with a name. */
interface Path {
  readonly member: CMember;
  readonly outer: Path | null;
}

/** "u.next"; members without a name leave nothing. */
function nameOf({ member, outer }: Path): string {
  const before = outer === null ? "" : nameOf(outer);
  return before === "" || member.name === "" ? before + member.name : `${before}.${member.name}`;
}

/** Most places are only asked for their types: what they are called is put together when somebody wants to know. */
class Scalar implements Place {
  readonly type: CType;
  readonly alternatives: readonly CType[] | undefined;
  readonly owner: CAggregate;
  readonly offset: number;
  readonly #ownerKey: string;
  readonly #path: Path;
  #key: string | null = null;

  constructor(
    owner: CAggregate,
    ownerKey: string,
    offset: number,
    path: Path,
    type: CType,
    alternatives?: readonly CType[],
  ) {
    this.owner = owner;
    this.offset = offset;
    this.type = type;
    this.alternatives = alternatives;
    this.#ownerKey = ownerKey;
    this.#path = path;
  }

  get key(): string {
    this.#key ??= `${this.#ownerKey}+${this.offset}`;
    return this.#key;
  }

  get label(): string {
    return `${this.#ownerKey}.${nameOf(this.#path)}`;
  }

  /** The same place where it may be of another type as well. */
  orOf(type: CType): Scalar {
    const alternatives = [...(this.alternatives ?? [this.type]), type];
    return new Scalar(this.owner, this.#ownerKey, this.offset, this.#path, { kind: "void" }, alternatives);
  }
}

/** Members of a union that are of different types: what lies there is of none. */
function onePerKey(found: readonly Scalar[]): readonly Place[] {
  if (found.length === 1) return found;
  const byKey = new Map<string, Scalar>();
  for (const place of found) {
    const known = byKey.get(place.key);
    if (known === undefined) byKey.set(place.key, place);
    else if (known.alternatives !== undefined || typeKey(known.type) !== typeKey(place.type)) {
      byKey.set(place.key, known.orOf(place.type));
    }
  }
  return [...byKey.values()];
}

/**
 * Walks down to `wanted`, an offset in `type`.
 * @param owner the innermost named struct so far, in which `type` lies at `base`
 */
function collect(
  owner: CAggregate,
  ownerKey: string,
  type: CAggregate,
  base: number,
  wanted: number,
  path: Path | null,
  found: Scalar[],
  depth: number,
  steps: Steps,
): void {
  if (depth > MAX_DEPTH) return;
  const { members } = type;
  for (let n = 0; n < members.length; n++) {
    if (steps.left-- <= 0 || found.length >= MOST_PLACES) return;
    const member = members[n]!;
    if (member.bitSize !== null) continue;
    const at = member.bitOffset >>> 3;
    if (at > wanted || endsBefore(type, n, at, wanted) || !reaches(member.type, wanted - at) || isMarker(type, n))
      continue;
    inside(owner, ownerKey, member.type, base, at, wanted, { member, outer: path }, found, depth, steps);
  }
}

/** Does the next member of a struct, before which this one ends, begin no later than at `wanted`? A quick no to most members. */
function endsBefore({ kind, members }: CAggregate, n: number, at: number, wanted: number): boolean {
  const next = members[n + 1];
  if (kind !== "struct" || next === undefined) return false;
  const end = next.bitOffset >>> 3;
  return end > at && end <= wanted;
}

/** Can what lies so many bytes behind a member's beginning be a part of it? */
function reaches(declared: CType, within: number): boolean {
  const type = stripTypedefs(declared);
  switch (type.kind) {
    case "struct":
    case "union":
      return within < type.size;
    case "array":
      // A flexible array has no length; what lies behind the struct is its elements.
      return type.length === 0 || within < type.size;
    default:
      return within === 0;
  }
}

function inside(
  owner: CAggregate,
  ownerKey: string,
  declared: CType,
  base: number,
  at: number,
  wanted: number,
  path: Path,
  found: Scalar[],
  depth: number,
  steps: Steps,
): void {
  const type = stripTypedefs(declared);
  if (type.kind === "array") {
    const element = stripTypedefs(type.element);
    const size = "size" in element ? element.size : 0;
    if (size === 0) return;
    // A flexible array has no length; what lies behind the struct is its elements.
    const within = wanted - at;
    if (type.length > 0 && within >= type.size) return;
    const rest = within % size;
    inside(owner, ownerKey, type.element, base, at, at + rest, path, found, depth + 1, steps);
    return;
  }
  if (type.kind === "struct" || type.kind === "union") {
    if (wanted >= at + type.size) return;
    const key = typeKey(declared);
    if (key.startsWith("{")) collect(owner, ownerKey, type, base + at, wanted - at, path, found, depth + 1, steps);
    else collect(type, key, type, 0, wanted - at, null, found, depth + 1, steps);
    return;
  }
  if (wanted !== at) return;
  const offset = base + at;
  found.push(new Scalar(owner, ownerKey, offset, path, type));
}
