import { SpillwayError } from "../errors.ts";
import { KIND, kflagOf, kindOf, TYPE_HEADER_SIZE, vlenOf } from "./btf-format.ts";
import { BtfIndex } from "./btf-index.ts";
import { BtfTypes, enumeratorValue } from "./btf-types.ts";
import { findMember } from "./member.ts";
import type { CType, MemberLocation, TypeProvider } from "./type-provider.ts";

type Aggregate = Extract<CType, { kind: "struct" | "union" }>;

/** Names of one kind for which the section is gone through; an index of all is dearer than some of that. */
const ASKED_ONE_BY_ONE = 16;

/**
 * Opens one BTF section. A module's section is split: it continues the ids and strings of vmlinux's, given as `base`.
 * One pass finds where the records lie (a few ms for a kernel); names are compared in place and types decoded when asked for.
 * The bytes must not change afterwards.
 * @throws SpillwayError `SPW_BTF_BAD_HEADER` where these bytes are no BTF.
 */
export function openBtf(bytes: Uint8Array, base: BtfProvider | null = null): BtfProvider {
  const index = BtfIndex.open(bytes, base === null ? null : base.index);
  if (index === null) {
    throw new SpillwayError("SPW_BTF_BAD_HEADER", "the type information (BTF) has no valid header", {
      facts: { length: bytes.length },
    });
  }
  return new BtfProvider(index, base);
}

/** Types of one BTF section and, for a module's, of the kernel's below it. The module's own win. */
export class BtfProvider implements TypeProvider {
  readonly index: BtfIndex;
  readonly #base: BtfProvider | null;
  readonly #types: BtfTypes;
  readonly #structs = new Map<string, Aggregate | null>();
  /** By kind and name; what is not there too, since every module's types ask the kernel's again. */
  readonly #named = new Map<string, number | null>();
  readonly #members = new Map<string, MemberLocation | null>();
  /** By kind: how many names were looked for, and the ids by name once those were many. */
  readonly #asked = new Map<number, number>();
  readonly #byName = new Map<number, Map<string, number>>();

  constructor(index: BtfIndex, base: BtfProvider | null) {
    this.index = index;
    this.#base = base;
    this.#types = new BtfTypes(index, base === null ? null : base.#types);
  }

  /** Number of types in this section, its base's not counted. */
  get count(): number {
    return this.index.endId - this.index.firstId;
  }

  structOrUnion(name: string): Aggregate | null {
    const cached = this.#structs.get(name);
    if (cached !== undefined) return cached;
    const found = this.#findStruct(name) ?? this.#base?.structOrUnion(name) ?? null;
    this.#structs.set(name, found);
    return found;
  }

  /** Several C files may define different structs of one name: the largest is the one a kernel-wide header declares. */
  #findStruct(name: string): Aggregate | null {
    const index = this.index;
    let best = -1;
    let bestSize = -1;
    for (const id of index.structIds) {
      const at = index.offset(id);
      if (!index.stringIs(index.u32(at), name)) continue;
      const size = index.u32(at + 8);
      if (size > bestSize) {
        best = id;
        bestSize = size;
      }
    }
    return best < 0 ? null : (this.#types.type(best) as Aggregate);
  }

  #findNamed(kind: number, name: string): number | null {
    const key = `${kind} ${name}`;
    const cached = this.#named.get(key);
    if (cached !== undefined) return cached;
    const found = this.#lookUp(kind, name);
    this.#named.set(key, found);
    return found;
  }

  /** The first record of that kind and name: a few are looked for one by one; whoever asks for more gets an index. */
  #lookUp(kind: number, name: string): number | null {
    const index = this.index;
    const asked = (this.#asked.get(kind) ?? 0) + 1;
    this.#asked.set(kind, asked);
    if (asked <= ASKED_ONE_BY_ONE) {
      for (const id of index.idsOfKind(kind)) if (index.stringIs(index.u32(index.offset(id)), name)) return id;
      return null;
    }
    let byName = this.#byName.get(kind);
    if (byName === undefined) {
      byName = new Map();
      for (const id of index.idsOfKind(kind)) {
        const known = index.string(index.u32(index.offset(id)));
        if (!byName.has(known)) byName.set(known, id);
      }
      this.#byName.set(kind, byName);
    }
    return byName.get(name) ?? null;
  }

  typedef(name: string): CType | null {
    const id = this.#findNamed(KIND.typedef, name);
    return id === null ? (this.#base?.typedef(name) ?? null) : this.#types.type(id);
  }

  enumeration(name: string): Extract<CType, { kind: "enum" }> | null {
    const id = this.#findNamed(KIND.enum, name) ?? this.#findNamed(KIND.enum64, name);
    if (id === null) return this.#base?.enumeration(name) ?? null;
    const type = this.#types.type(id);
    return type.kind === "enum" ? type : null;
  }

  enumerator(name: string): bigint | null {
    const found = this.#findEnumerator(name);
    return found === null ? (this.#base?.enumerator(name) ?? null) : found.value;
  }

  enumOf(enumerator: string): Extract<CType, { kind: "enum" }> | null {
    const found = this.#findEnumerator(enumerator);
    if (found === null) return this.#base?.enumOf(enumerator) ?? null;
    const type = this.#types.type(found.id);
    return type.kind === "enum" ? type : null;
  }

  #findEnumerator(name: string): { readonly id: number; readonly value: bigint } | null {
    const index = this.index;
    for (const kind of [KIND.enum, KIND.enum64]) {
      const wide = kind === KIND.enum64;
      const step = wide ? 12 : 8;
      for (const id of index.idsOfKind(kind)) {
        const at = index.offset(id);
        const info = index.u32(at + 4);
        const end = at + TYPE_HEADER_SIZE + vlenOf(info) * step;
        for (let e = at + TYPE_HEADER_SIZE; e < end; e += step) {
          if (index.stringIs(index.u32(e), name)) return { id, value: enumeratorValue(index, e, wide, kflagOf(info)) };
        }
      }
    }
    return null;
  }

  func(name: string): Extract<CType, { kind: "function" }> | null {
    const id = this.#findNamed(KIND.func, name);
    if (id === null) return this.#base?.func(name) ?? null;
    const type = this.#types.type(id);
    return type.kind === "function" ? type : null;
  }

  variable(name: string): CType | null {
    const id = this.#findNamed(KIND.variable, name);
    return id === null ? (this.#base?.variable(name) ?? null) : this.#types.type(this.#types.targetId(id));
  }

  member(struct: string, path: string): MemberLocation | null {
    const key = `${struct}.${path}`;
    const cached = this.#members.get(key);
    if (cached !== undefined) return cached;
    const type = this.structOrUnion(struct);
    const found = type === null ? null : findMember(type, path);
    this.#members.set(key, found);
    return found;
  }

  sizeOf(struct: string): number | null {
    return this.structOrUnion(struct)?.size ?? null;
  }

  /** Names of this section's structs, unions, enums and typedefs; its base's not among them. */
  *names(): Generator<string> {
    for (const kind of [KIND.struct, KIND.union, KIND.enum, KIND.enum64, KIND.typedef]) {
      for (const id of this.index.idsOfKind(kind)) {
        const name = this.index.string(this.index.u32(this.index.offset(id)));
        if (name !== "") yield name;
      }
    }
  }

  /** Names and prototypes of all functions of this section, lazily. */
  *functions(): Generator<{ readonly name: string; readonly type: CType }> {
    for (const id of this.index.idsOfKind(KIND.func)) {
      yield { name: this.index.string(this.index.u32(this.index.offset(id))), type: this.#types.type(id) };
    }
  }

  /** The named structs and unions of this section. */
  *structs(): Generator<Aggregate> {
    for (const id of this.index.structIds) yield this.#types.type(id) as Aggregate;
  }

  /** Names and types of the global variables of this section: per-CPU ones. */
  *variables(): Generator<{ readonly name: string; readonly type: CType }> {
    for (const id of this.index.idsOfKind(KIND.variable)) {
      const name = this.index.string(this.index.u32(this.index.offset(id)));
      yield { name, type: this.#types.type(this.#types.targetId(id)) };
    }
  }

  /** Kind number of a record, for tests and statistics. */
  kindNumber(id: number): number {
    const owner = this.index.owner(id);
    return owner === null ? KIND.void : kindOf(owner.u32(owner.offset(id) + 4));
  }
}
