/**
 * What a register or stack slot can hold, as far as calls through pointers ask: sets of a few *atoms*, each a pointer into an
 * object of a known type, a known address, a function pointer that came out of a known place, or a value that is only known by
 * where it was made. Joining two ways is the union: a C variable has one type, so that what is known on one way is mostly true
 * of the other as well; that a value may also be something unknown is kept as an atom of its own.
 */
import type { CAggregate, CType } from "../../types/type-provider.ts";
import type { Member } from "./members.ts";
import { ValueTable } from "./value-table.ts";

export type Atom =
  /** Points `offset` bytes into (or around: container_of) an object of the type. */
  | {
      readonly id: number;
      readonly kind: "object";
      readonly type: CAggregate;
      readonly offset: number;
      /** What members.ts knows of it. */
      members: readonly Member[] | null;
      /** The same place in the first element of the array that it leads into; null until that is asked for. */
      first: Atom | null;
    }
  /** Points to something that is no struct: another pointer, as a rule. */
  | { readonly id: number; readonly kind: "cell"; readonly type: CType }
  /** A known address; `anywhere`: somewhere in the object that has it (an index was added). */
  | { readonly id: number; readonly kind: "address"; readonly address: number; readonly anywhere: boolean }
  /** An address on the stack, from RSP at the function's entry. */
  | {
      readonly id: number;
      readonly kind: "stack";
      readonly offset: number;
      /** Place of the slot there in the states of a function (`placeIn` says of which), while that is followed. */
      place: number;
      placeIn: number;
    }
  /** A function pointer that was loaded from a node of the flow graph. */
  | { readonly id: number; readonly kind: "code"; readonly node: number; readonly prototype: number }
  /** A value made at a place of the function (`source` numbers them), plus `offset`. */
  | { readonly id: number; readonly kind: "made"; readonly source: number; readonly offset: number }
  | { readonly id: number; readonly kind: "unknown" }
  /** What a call may have left there: nothing that the code can rely on, and so no argument of a call. */
  | { readonly id: number; readonly kind: "dead" };

export type AtomKind = Atom["kind"];

/** Kinds of atoms as bits; see `Value.kinds`. */
export const KIND: Readonly<Record<AtomKind, number>> = {
  object: 1,
  cell: 2,
  address: 4,
  stack: 8,
  code: 16,
  made: 32,
  unknown: 64,
  dead: 128,
};

export interface Value {
  readonly id: number;
  readonly atoms: readonly Atom[];
  /** What its atoms are: KIND of each, in one number. */
  readonly kinds: number;
}

/** More than these, and nothing useful is known. */
const MOST_ATOMS = 6;

/** Addresses on the stack that are looked up without hashing, and the lowest of them from the entry's. */
const NEAR_STACK = 2048;
const LOWEST_NEAR = 256 - NEAR_STACK;

/** A factor that spreads numbers. */
const HASH = 0x9e3779b1;

/** Every field that an atom of some kind has. */
interface Fields {
  readonly id: number;
  readonly kind: AtomKind;
  type: CType | null;
  offset: number;
  address: number;
  anywhere: boolean;
  node: number;
  prototype: number;
  source: number;
  members: readonly Member[] | null;
  first: Atom | null;
  place: number;
  placeIn: number;
}

/** An atom has the fields of all kinds, so that code which meets atoms of all kinds finds each field in one place. */
function fieldsOf(id: number, kind: AtomKind): Fields {
  return {
    id,
    kind,
    type: null,
    offset: 0,
    address: 0,
    anywhere: false,
    node: 0,
    prototype: 0,
    source: 0,
    members: null,
    first: null,
    place: 0,
    placeIn: 0,
  };
}

function single(id: number, atom: Fields): Value {
  return { id, atoms: [atom as Atom], kinds: KIND[atom.kind] };
}

export class Values {
  #nextAtom = 2;
  #nextValue = 3;
  /** No pointer at all: zero, an error number. */
  readonly none: Value = { id: 0, atoms: [], kinds: 0 };
  readonly unknown: Value = single(1, fieldsOf(0, "unknown"));
  readonly dead: Value = single(2, fieldsOf(1, "dead"));
  readonly #inFirst: (type: CAggregate, offset: number) => number;
  readonly #objects = new Map<CAggregate, Map<number, Value>>();
  /** By the number of an atom that points into an object, and what is added to it. */
  readonly #shifted = new ValueTable();
  readonly #cells = new Map<CType, Value>();
  readonly #addresses = new Map<number, Value>();
  readonly #anywhere = new Map<number, Value>();
  readonly #stack = new Map<number, Value>();
  /** The same for what most functions use. */
  readonly #nearStack: (Value | undefined)[] = new Array(NEAR_STACK).fill(undefined);
  readonly #codes = new Map<number, Value>();
  /** What is made at each place of the function, and what lies elsewhere from there. */
  #made: (Value | undefined)[] = [];
  #sources = 0;
  readonly #madeBeside = new ValueTable();
  /** By a hash of the numbers of their atoms, and how many of that hash were there before. */
  readonly #sets = new ValueTable();
  /** What two values come to that are joined, by their numbers. */
  readonly #joins = new ValueTable();

  /** @param inFirst offset of the same place in the first element of an array that an offset of a struct lies in */
  constructor(inFirst: (type: CAggregate, offset: number) => number) {
    this.#inFirst = inFirst;
  }

  /**
   * Forgets what belongs to one function.
   * @param sources places of the next one that values are made at
   */
  nextFunction(sources: number): void {
    // One array serves all functions: one that was filled here and there would become a table of hashes.
    if (sources > this.#made.length) this.#made = new Array(2 * sources).fill(undefined);
    else for (let source = 0; source < this.#sources; source++) this.#made[source] = undefined;
    this.#sources = sources;
    this.#madeBeside.clear();
    this.#sets.clear();
    this.#joins.clear();
  }

  /** Forgets all values; those that somebody has stay as they are, but are equal to none that is made later. */
  forget(): void {
    for (const values of [this.#objects, this.#cells, this.#addresses, this.#anywhere, this.#stack, this.#codes]) {
      values.clear();
    }
    this.#nearStack.fill(undefined);
    this.#shifted.clear();
    this.nextFunction(0);
  }

  #single(atom: Fields): Value {
    return single(this.#nextValue++, atom);
  }

  #atom(kind: AtomKind): Fields {
    return fieldsOf(this.#nextAtom++, kind);
  }

  object(type: CAggregate, offset: number): Value {
    let byOffset = this.#objects.get(type);
    if (byOffset === undefined) {
      byOffset = new Map();
      this.#objects.set(type, byOffset);
    }
    let value = byOffset.get(offset);
    if (value === undefined) {
      const atom = this.#atom("object");
      atom.type = type;
      atom.offset = offset;
      value = this.#single(atom);
      byOffset.set(offset, value);
    }
    return value;
  }

  /** A pointer into an object, so many bytes further. */
  shifted(atom: Extract<Atom, { kind: "object" }>, amount: number): Value {
    let value = this.#shifted.get(atom.id, amount);
    if (value === null) {
      value = this.object(atom.type, atom.offset + amount);
      this.#shifted.add(atom.id, amount, value);
    }
    return value;
  }

  cell(type: CType): Value {
    let value = this.#cells.get(type);
    if (value === undefined) {
      const atom = this.#atom("cell");
      atom.type = type;
      value = this.#single(atom);
      this.#cells.set(type, value);
    }
    return value;
  }

  address(address: number, anywhere = false): Value {
    const known = anywhere ? this.#anywhere : this.#addresses;
    let value = known.get(address);
    if (value === undefined) {
      const atom = this.#atom("address");
      atom.address = address;
      atom.anywhere = anywhere;
      value = this.#single(atom);
      known.set(address, value);
    }
    return value;
  }

  stack(offset: number): Value {
    const near = offset >= LOWEST_NEAR && offset < LOWEST_NEAR + this.#nearStack.length;
    let value = near ? this.#nearStack[offset - LOWEST_NEAR] : this.#stack.get(offset);
    if (value === undefined) {
      const atom = this.#atom("stack");
      atom.offset = offset;
      value = this.#single(atom);
      if (near) this.#nearStack[offset - LOWEST_NEAR] = value;
      else this.#stack.set(offset, value);
    }
    return value;
  }

  code(node: number, prototype: number): Value {
    let value = this.#codes.get(node);
    if (value === undefined) {
      const atom = this.#atom("code");
      atom.node = node;
      atom.prototype = prototype;
      value = this.#single(atom);
      this.#codes.set(node, value);
    }
    return value;
  }

  made(source: number, offset: number): Value {
    if (offset === 0) {
      let value = this.#made[source];
      if (value === undefined) {
        value = this.#makeMade(source, 0);
        this.#made[source] = value;
      }
      return value;
    }
    let value = this.#madeBeside.get(source, offset);
    if (value === null) {
      value = this.#makeMade(source, offset);
      this.#madeBeside.add(source, offset, value);
    }
    return value;
  }

  #makeMade(source: number, offset: number): Value {
    const atom = this.#atom("made");
    atom.source = source;
    atom.offset = offset;
    return this.#single(atom);
  }

  join(a: Value, b: Value): Value {
    if (a === b || b.kinds === 0) return a;
    if (a.kinds === 0) return b;
    if ((b.kinds & ~a.kinds) === 0 && holdsAll(a.atoms, b.atoms)) return a;
    if ((a.kinds & ~b.kinds) === 0 && holdsAll(b.atoms, a.atoms)) return b;
    const one = a.id < b.id ? a : b;
    const other = a.id < b.id ? b : a;
    let joined = this.#joins.get(one.id, other.id);
    if (joined === null) {
      joined = this.#set(union(a.atoms, b.atoms));
      this.#joins.add(one.id, other.id, joined);
    }
    return joined;
  }

  /** Every atom replaced by what `each` makes of it. */
  map(value: Value, each: (atom: Atom) => Value): Value {
    if (value.atoms.length === 1) return each(value.atoms[0]!);
    let result = this.none;
    for (const atom of value.atoms) result = this.join(result, each(atom));
    return result;
  }

  /** The same place in the first element, where a pointer leads into an array; itself else. */
  #inFirstElement(atom: Extract<Atom, { kind: "object" }>): Atom {
    atom.first ??= this.object(atom.type, this.#inFirst(atom.type, atom.offset)).atoms[0]!;
    return atom.first;
  }

  /** @param atoms as `#set` takes and gives them */
  #inFirstElements(atoms: Atom[]): Atom[] {
    let found: Atom[] | null = null;
    for (let at = 0; at < atoms.length; at++) {
      const atom = atoms[at]!;
      const first = atom.kind === "object" ? this.#inFirstElement(atom) : atom;
      if (found === null) {
        if (first === atom) continue;
        found = atoms.slice(0, at);
      }
      if (!found.includes(first)) found.push(first);
    }
    if (found === null) return atoms;
    // One of an element that comes later in the list.
    return found.sort((a, b) => a.id - b.id);
  }

  /** The same whatever was joined first, and that there are others. */
  #mostTelling(atoms: Atom[]): Atom[] {
    const told = atoms.filter(({ kind }) => kind !== "unknown").sort(tellsMore);
    told.length = MOST_ATOMS - 1;
    told.push(this.unknown.atoms[0]!);
    return told.sort((a, b) => a.id - b.id);
  }

  /** @param all in ascending order of their numbers */
  #set(all: Atom[]): Value {
    let atoms = all;
    if (atoms.length > MOST_ATOMS) {
      // One element of an array after the other: alike.
      const alike = this.#inFirstElements(atoms);
      atoms = alike.length > MOST_ATOMS ? this.#mostTelling(alike) : alike;
    }
    let hash = atoms.length;
    for (let at = 0; at < atoms.length; at++) hash = (Math.imul(hash, HASH) + atoms[at]!.id) | 0;
    let alike = 0;
    let value = this.#sets.get(hash, alike);
    while (value !== null && !isSame(value.atoms, atoms)) value = this.#sets.get(hash, ++alike);
    if (value === null) {
      let kinds = 0;
      for (const { kind } of atoms) kinds |= KIND[kind];
      value = { id: this.#nextValue++, atoms, kinds };
      this.#sets.add(hash, alike, value);
    }
    return value;
  }
}

/** How much less than others an atom says of what is called through it, by its kind. */
const SAYS_LESS: Readonly<Record<AtomKind, number>> = {
  code: 0,
  address: 1,
  object: 2,
  cell: 3,
  made: 4,
  stack: 5,
  unknown: 6,
  dead: 7,
};

/** Puts those that say most first; of those that a loop steps through, where it begins. */
function tellsMore(a: Atom, b: Atom): number {
  if (a.kind !== b.kind) return SAYS_LESS[a.kind] - SAYS_LESS[b.kind];
  if (a.kind === "made" && b.kind === "made") {
    return Math.abs(a.offset) - Math.abs(b.offset) || a.source - b.source || a.offset - b.offset;
  }
  return a.id - b.id;
}

/** Of lists in ascending order of the atoms' numbers. */
function union(a: readonly Atom[], b: readonly Atom[]): Atom[] {
  const all: Atom[] = [];
  let [left, right] = [0, 0];
  while (left < a.length && right < b.length) {
    const difference = a[left]!.id - b[right]!.id;
    all.push(difference <= 0 ? a[left]! : b[right]!);
    if (difference <= 0) left++;
    if (difference >= 0) right++;
  }
  while (left < a.length) all.push(a[left++]!);
  while (right < b.length) all.push(b[right++]!);
  return all;
}

function isSame(a: readonly Atom[], b: readonly Atom[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

function holdsAll(atoms: readonly Atom[], others: readonly Atom[]): boolean {
  if (others.length > atoms.length) return false;
  for (let at = 0; at < others.length; at++) if (!holds(atoms, others[at]!)) return false;
  return true;
}

/** What `includes` does, which takes longer for so few. */
function holds(atoms: readonly Atom[], wanted: Atom): boolean {
  for (let at = 0; at < atoms.length; at++) if (atoms[at] === wanted) return true;
  return false;
}
