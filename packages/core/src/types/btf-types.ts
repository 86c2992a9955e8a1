import { KIND, kflagOf, kindOf, TYPE_HEADER_SIZE, vlenOf } from "./btf-format.ts";
import type { BtfIndex } from "./btf-index.ts";
import { sizeOfType } from "./strip.ts";
import type { CEnumerator, CMember, CParameter, CType } from "./type-provider.ts";

const VOID: CType = { kind: "void" };

/** Array of array of …: deeper than any C; a damaged section may nest for ever. */
const MAX_ARRAY_DEPTH = 16;

/**
 * Turns records of a BTF section (and its base) into types, each when it is first asked for and once only, so that the
 * same id is always the same object. Members and targets stay unread until they are looked at.
 */
export class BtfTypes {
  readonly #index: BtfIndex;
  readonly #base: BtfTypes | null;
  readonly #firstId: number;
  /** By number from the section's first: in an array, since members and targets are asked for millions of times. */
  readonly #cache: (CType | undefined)[];
  readonly #inSize = new Set<number>();

  /** @param base the types of the section that this one continues */
  constructor(index: BtfIndex, base: BtfTypes | null = null) {
    this.#index = index;
    this.#base = base;
    this.#firstId = index.firstId;
    this.#cache = new Array<CType | undefined>(index.endId - index.firstId).fill(undefined);
  }

  /** The type with that id; void for 0 and for ids that lead nowhere. */
  type(id: number): CType {
    const at = id - this.#firstId;
    if (at < 0) return this.#base === null ? VOID : this.#base.type(id);
    if (at >= this.#cache.length) return VOID;
    let type = this.#cache[at];
    if (type === undefined) {
      type = this.#make(id);
      this.#cache[at] = type;
    }
    return type;
  }

  /** The `type` field of a record (pointer target, typedef, variable, function prototype). */
  targetId(id: number): number {
    const owner = this.#index.owner(id);
    return owner ? owner.u32(owner.offset(id) + 8) : 0;
  }

  /** Of records that only add to another one (an attribute as __user, a function's name), the other's: one object for all. */
  #make(startId: number): CType {
    let id = startId;
    for (let hops = 0; hops < MAX_ARRAY_DEPTH; hops++) {
      const owner = this.#index.owner(id);
      if (owner === null) return VOID;
      const at = owner.offset(id);
      const kind = kindOf(owner.u32(at + 4));
      if (kind !== KIND.typeTag && kind !== KIND.variable && kind !== KIND.declTag && kind !== KIND.func) {
        return id === startId ? this.#decode(id, owner, at) : this.type(id);
      }
      id = owner.u32(at + 8);
    }
    return VOID;
  }

  #decode(id: number, owner: BtfIndex, at: number): CType {
    const info = owner.u32(at + 4);
    const kind = kindOf(info);
    const sizeOrType = owner.u32(at + 8);
    switch (kind) {
      case KIND.int: {
        const encoding = owner.u32(at + TYPE_HEADER_SIZE);
        return {
          kind: "int",
          name: owner.string(owner.u32(at)),
          size: sizeOrType,
          signed: ((encoding >>> 24) & 1) === 1,
        };
      }
      case KIND.float:
        return { kind: "float", name: owner.string(owner.u32(at)), size: sizeOrType };
      case KIND.pointer:
        return new BtfPointer(this, sizeOrType);
      case KIND.array:
        return this.#array(owner, id, at);
      case KIND.struct:
      case KIND.union:
        return new BtfAggregate(this, owner, at, kind === KIND.struct ? "struct" : "union");
      case KIND.enum:
      case KIND.enum64:
        return new BtfEnum(owner, at);
      case KIND.forward:
        return { kind: "forward", name: owner.string(owner.u32(at)), union: kflagOf(info) };
      case KIND.typedef:
        return new BtfAlias(this, "typedef", owner.string(owner.u32(at)), sizeOrType);
      case KIND.volatile:
        return new BtfAlias(this, "volatile", "", sizeOrType);
      case KIND.const:
        return new BtfAlias(this, "const", "", sizeOrType);
      case KIND.restrict:
        return new BtfAlias(this, "restrict", "", sizeOrType);
      case KIND.funcProto:
        return new BtfFunction(this, owner, at);
      default:
        return VOID;
    }
  }

  #array(owner: BtfIndex, id: number, at: number): CType {
    const length = owner.u32(at + TYPE_HEADER_SIZE + 8);
    // An array whose element leads back to itself has no size.
    if (this.#inSize.has(id) || this.#inSize.size > MAX_ARRAY_DEPTH) return VOID;
    this.#inSize.add(id);
    const element = this.type(owner.u32(at + TYPE_HEADER_SIZE));
    const size = length * sizeOfType(element);
    this.#inSize.delete(id);
    return { kind: "array", size, length, element };
  }

  /** Bits of an INT record that is narrower than its size: how bit fields were written before the kind flag (4.20). */
  narrowInt(typeId: number): { bits: number; offset: number } | null {
    let id = typeId;
    for (let hops = 0; hops < 64; hops++) {
      const owner = this.#index.owner(id);
      if (owner === null) return null;
      const at = owner.offset(id);
      const kind = kindOf(owner.u32(at + 4));
      if (kind === KIND.int) {
        const encoding = owner.u32(at + TYPE_HEADER_SIZE);
        const bits = encoding & 0xff;
        const offset = (encoding >>> 16) & 0xff;
        return bits === owner.u32(at + 8) * 8 && offset === 0 ? null : { bits, offset };
      }
      const transparent =
        kind === KIND.typedef ||
        kind === KIND.const ||
        kind === KIND.volatile ||
        kind === KIND.restrict ||
        kind === KIND.typeTag;
      if (!transparent) return null;
      id = owner.u32(at + 8);
    }
    return null;
  }
}

class BtfPointer {
  readonly kind = "pointer";
  readonly size = 8;
  readonly #types: BtfTypes;
  readonly #target: number;
  constructor(types: BtfTypes, target: number) {
    this.#types = types;
    this.#target = target;
  }
  get target(): CType {
    return this.#types.type(this.#target);
  }
}

class BtfAlias {
  readonly kind: "typedef" | "const" | "volatile" | "restrict";
  readonly name: string;
  readonly #types: BtfTypes;
  readonly #target: number;
  constructor(types: BtfTypes, kind: BtfAlias["kind"], name: string, target: number) {
    this.#types = types;
    this.kind = kind;
    this.name = name;
    this.#target = target;
  }
  get target(): CType {
    return this.#types.type(this.#target);
  }
}

class BtfAggregate {
  readonly kind: "struct" | "union";
  readonly name: string;
  readonly size: number;
  readonly #types: BtfTypes;
  readonly #owner: BtfIndex;
  readonly #at: number;
  #members: readonly CMember[] | null = null;
  constructor(types: BtfTypes, owner: BtfIndex, at: number, kind: "struct" | "union") {
    this.kind = kind;
    this.name = owner.string(owner.u32(at));
    this.size = owner.u32(at + 8);
    this.#types = types;
    this.#owner = owner;
    this.#at = at;
  }
  get members(): readonly CMember[] {
    if (this.#members) return this.#members;
    const info = this.#owner.u32(this.#at + 4);
    const members: CMember[] = [];
    for (let i = 0, at = this.#at + TYPE_HEADER_SIZE; i < vlenOf(info); i++, at += 12) {
      members.push(new BtfMember(this.#types, this.#owner, at, kflagOf(info)));
    }
    this.#members = members;
    return members;
  }
}

class BtfMember {
  readonly bitOffset: number;
  readonly bitSize: number | null;
  readonly #types: BtfTypes;
  readonly #typeId: number;
  readonly #owner: BtfIndex;
  readonly #at: number;
  #name: string | null = null;
  constructor(types: BtfTypes, owner: BtfIndex, at: number, kflag: boolean) {
    this.#types = types;
    this.#owner = owner;
    this.#at = at;
    this.#typeId = owner.u32(at + 4);
    const offset = owner.u32(at + 8);
    if (kflag) {
      this.bitOffset = offset & 0xffffff;
      this.bitSize = offset >>> 24 || null;
    } else {
      const narrow = types.narrowInt(this.#typeId);
      this.bitOffset = offset + (narrow?.offset ?? 0);
      this.bitSize = narrow?.bits ?? null;
    }
  }
  /** Structs are gone through for what lies where, and most members never named. */
  get name(): string {
    this.#name ??= this.#owner.string(this.#owner.u32(this.#at));
    return this.#name;
  }
  get type(): CType {
    return this.#types.type(this.#typeId);
  }
}

class BtfEnum {
  readonly kind = "enum";
  readonly name: string;
  readonly size: number;
  readonly signed: boolean;
  readonly #owner: BtfIndex;
  readonly #at: number;
  constructor(owner: BtfIndex, at: number) {
    this.#owner = owner;
    this.#at = at;
    this.name = owner.string(owner.u32(at));
    this.size = owner.u32(at + 8);
    this.signed = kflagOf(owner.u32(at + 4));
  }
  get enumerators(): readonly CEnumerator[] {
    const owner = this.#owner;
    const info = owner.u32(this.#at + 4);
    const wide = kindOf(info) === KIND.enum64;
    const step = wide ? 12 : 8;
    const result: CEnumerator[] = [];
    for (let i = 0, at = this.#at + TYPE_HEADER_SIZE; i < vlenOf(info); i++, at += step) {
      result.push({ name: owner.string(owner.u32(at)), value: enumeratorValue(owner, at, wide, this.signed) });
    }
    return result;
  }
}

/** Value of the enumerator record at `at`. */
export function enumeratorValue(owner: BtfIndex, at: number, wide: boolean, signed: boolean): bigint {
  const low = owner.u32(at + 4);
  if (!wide) {
    // Kernels before 6.0 never set the flag, so a negative value of theirs comes out as 2^32 - n; the flag is all there is.
    return signed ? BigInt(low | 0) : BigInt(low);
  }
  const value = (BigInt(owner.u32(at + 8)) << 32n) | BigInt(low);
  return signed ? BigInt.asIntN(64, value) : value;
}

class BtfFunction {
  readonly kind = "function";
  readonly #types: BtfTypes;
  readonly #owner: BtfIndex;
  readonly #at: number;
  #parameters: readonly CParameter[] | null = null;
  constructor(types: BtfTypes, owner: BtfIndex, at: number) {
    this.#types = types;
    this.#owner = owner;
    this.#at = at;
  }
  get returns(): CType {
    return this.#types.type(this.#owner.u32(this.#at + 8));
  }
  /** A last parameter without name and of type void is C's `...`. */
  get parameters(): readonly CParameter[] {
    if (this.#parameters !== null) return this.#parameters;
    const owner = this.#owner;
    const result: CParameter[] = [];
    const count = vlenOf(owner.u32(this.#at + 4));
    for (let i = 0, at = this.#at + TYPE_HEADER_SIZE; i < count; i++, at += 8) {
      result.push(new BtfParameter(this.#types, owner, at));
    }
    this.#parameters = result;
    return result;
  }
}

class BtfParameter {
  readonly #types: BtfTypes;
  readonly #owner: BtfIndex;
  readonly #at: number;
  constructor(types: BtfTypes, owner: BtfIndex, at: number) {
    this.#types = types;
    this.#owner = owner;
    this.#at = at;
  }
  get name(): string {
    return this.#owner.string(this.#owner.u32(this.#at));
  }
  get type(): CType {
    return this.#types.type(this.#owner.u32(this.#at + 4));
  }
}
