/**
 * What a register or stack slot can hold, as far as calls through pointers ask: sets of a few *atoms*, each a pointer into an
 * object of a known type, a known address, a function pointer that came out of a known place, or a value that is only known by
 * where it was made. Joining two ways is the union: a C variable has one type, so that what is known on one way is mostly true
 * of the other as well; that a value may also be something unknown is kept as an atom of its own.
 */
import type { CAggregate, CType } from "../../types/type-provider.ts";

export type Atom =
  /** Points `offset` bytes into (or around: container_of) an object of the type. */
  | { readonly id: number; readonly kind: "object"; readonly type: CAggregate; readonly offset: number }
  /** Points to something that is no struct: another pointer, as a rule. */
  | { readonly id: number; readonly kind: "cell"; readonly type: CType }
  /** A known address; `anywhere`: somewhere in the object that has it (an index was added). */
  | { readonly id: number; readonly kind: "address"; readonly address: number; readonly anywhere: boolean }
  /** An address on the stack, from RSP at the function's entry. */
  | { readonly id: number; readonly kind: "stack"; readonly offset: number }
  /** A function pointer that was loaded from a node of the flow graph. */
  | { readonly id: number; readonly kind: "code"; readonly node: number; readonly prototype: number }
  /** A value made at a place of the function (`source` numbers them), plus `offset`. */
  | { readonly id: number; readonly kind: "made"; readonly source: number; readonly offset: number }
  | { readonly id: number; readonly kind: "unknown" }
  /** What a call may have left there: nothing that the code can rely on, and so no argument of a call. */
  | { readonly id: number; readonly kind: "dead" };

export type AtomKind = Atom["kind"];

export interface Value {
  readonly id: number;
  readonly atoms: readonly Atom[];
}

/** More than these, and nothing useful is known. */
const MOST_ATOMS = 6;

export class Values {
  #nextAtom = 2;
  #nextValue = 3;
  readonly unknownAtom: Atom = { id: 0, kind: "unknown" };
  /** No pointer at all: zero, an error number. */
  readonly none: Value = { id: 0, atoms: [] };
  readonly unknown: Value = { id: 1, atoms: [this.unknownAtom] };
  readonly dead: Value = { id: 2, atoms: [{ id: 1, kind: "dead" }] };
  readonly #inFirst: (type: CAggregate, offset: number) => number;
  readonly #objects = new Map<CAggregate, Map<number, Value>>();
  readonly #cells = new Map<CType, Value>();
  readonly #addresses = new Map<number, Value>();
  readonly #anywhere = new Map<number, Value>();
  readonly #stack = new Map<number, Value>();
  readonly #codes = new Map<number, Value>();
  #made: (Map<number, Value> | undefined)[] = [];
  /** By the numbers of their atoms. */
  #sets = new Map<string | number, Value>();
  #joins = new Map<number, Value>();

  /** @param inFirst offset of the same place in the first element of an array that an offset of a struct lies in */
  constructor(inFirst: (type: CAggregate, offset: number) => number) {
    this.#inFirst = inFirst;
  }

  /** Forgets what belongs to one function. */
  nextFunction(): void {
    this.#made = [];
    this.#sets = new Map();
    this.#joins = new Map();
  }

  /** Forgets all values; those that somebody has stay as they are, but are equal to none that is made later. */
  forget(): void {
    for (const values of [this.#objects, this.#cells, this.#addresses, this.#anywhere, this.#stack, this.#codes]) {
      values.clear();
    }
    this.nextFunction();
  }

  #single(atom: Atom): Value {
    return { id: this.#nextValue++, atoms: [atom] };
  }

  object(type: CAggregate, offset: number): Value {
    let byOffset = this.#objects.get(type);
    if (byOffset === undefined) {
      byOffset = new Map();
      this.#objects.set(type, byOffset);
    }
    let value = byOffset.get(offset);
    if (value === undefined) {
      value = this.#single({ id: this.#nextAtom++, kind: "object", type, offset });
      byOffset.set(offset, value);
    }
    return value;
  }

  cell(type: CType): Value {
    return kept(this.#cells, type, () => this.#single({ id: this.#nextAtom++, kind: "cell", type }));
  }

  address(address: number, anywhere = false): Value {
    return kept(anywhere ? this.#anywhere : this.#addresses, address, () =>
      this.#single({ id: this.#nextAtom++, kind: "address", address, anywhere }),
    );
  }

  stack(offset: number): Value {
    return kept(this.#stack, offset, () => this.#single({ id: this.#nextAtom++, kind: "stack", offset }));
  }

  code(node: number, prototype: number): Value {
    return kept(this.#codes, node, () => this.#single({ id: this.#nextAtom++, kind: "code", node, prototype }));
  }

  made(source: number, offset: number): Value {
    let byOffset = this.#made[source];
    if (byOffset === undefined) {
      byOffset = new Map();
      this.#made[source] = byOffset;
    }
    return kept(byOffset, offset, () => this.#single({ id: this.#nextAtom++, kind: "made", source, offset }));
  }

  join(a: Value, b: Value): Value {
    if (a === b || b.atoms.length === 0) return a;
    if (a.atoms.length === 0) return b;
    if (holdsAll(a.atoms, b.atoms)) return a;
    if (holdsAll(b.atoms, a.atoms)) return b;
    const key = a.id < b.id ? a.id * 0x4000000 + b.id : b.id * 0x4000000 + a.id;
    let joined = this.#joins.get(key);
    if (joined === undefined) {
      joined = this.#set([...a.atoms, ...b.atoms.filter((atom) => !a.atoms.includes(atom))]);
      this.#joins.set(key, joined);
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

  #inFirstElements(atoms: readonly Atom[]): Atom[] {
    const found = new Set<Atom>();
    for (const atom of atoms) {
      if (atom.kind !== "object") found.add(atom);
      else found.add(this.object(atom.type, this.#inFirst(atom.type, atom.offset)).atoms[0]!);
    }
    return [...found].sort((a, b) => a.id - b.id);
  }

  #set(all: Atom[]): Value {
    let atoms = all;
    atoms.sort((a, b) => a.id - b.id);
    if (atoms.length > MOST_ATOMS) {
      // One element of an array after the other: alike.
      const alike = this.#inFirstElements(atoms);
      if (alike.length <= MOST_ATOMS) return this.#set(alike);
      // The lowest numbers of all, and that there are others: the same whatever is joined first.
      if (alike[0]!.kind !== "unknown") alike.unshift(this.unknownAtom);
      alike.length = MOST_ATOMS;
      atoms = alike;
    }
    const key = atoms.length === 2 ? atoms[0]!.id * 0x4000000 + atoms[1]!.id : atoms.map((atom) => atom.id).join();
    return kept(this.#sets, key, () => ({ id: this.#nextValue++, atoms }));
  }
}

function holdsAll(atoms: readonly Atom[], others: readonly Atom[]): boolean {
  if (others.length > atoms.length) return false;
  for (let at = 0; at < others.length; at++) if (!atoms.includes(others[at]!)) return false;
  return true;
}

function kept<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
