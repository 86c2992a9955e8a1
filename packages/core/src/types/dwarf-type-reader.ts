/** Entries of DWARF as types of the one model; each is read when it is looked at, and once. */
import { DW_AT, DW_TAG } from "../debuginfo/dwarf/constants.ts";
import type { Die } from "../debuginfo/dwarf/die.ts";
import { readMembers } from "./dwarf-members.ts";
import { sizeOfType } from "./strip.ts";
import type { CAggregate, CEnumerator, CMember, CParameter, CType } from "./type-provider.ts";

const VOID: CType = { kind: "void" };

/** DW_ATE codes (DWARF 5, table 7.11). */
const DW_ATE = { float: 4, signed: 5, signedChar: 6, complexFloat: 3 } as const;

const CLASS_TYPE = 0x02;
/** Arrays in arrays, and entries that stand for one another: deeper than any C. */
const MAX_DEPTH = 32;
const MAX_PARAMETERS = 256;
const MAX_ENUMERATORS = 65_536;

/** Makes types of entries. Whoever asks for the content of a type gets what can be read; damage gives what is before it. */
export class DwarfTypeReader {
  /** By unit, then by offset: units of several sections may share offsets. */
  readonly #cache = new Map<Die["unit"], Map<number, CType>>();
  readonly #complete: (name: string) => CAggregate | null;
  #depth = 0;

  /** @param complete finds the definition of a struct that a unit only declares */
  constructor(complete: (name: string) => CAggregate | null) {
    this.#complete = complete;
  }

  /** The type that DW_AT_type of an entry names; void where it has none. */
  typeOf(die: Die): CType {
    const target = die.originWith(DW_AT.type)?.reference(DW_AT.type) ?? null;
    return target === null ? VOID : this.type(target);
  }

  /** As `typeOf`, for a getter: damaged bytes read as void. */
  typeOfOrVoid(die: Die): CType {
    return die.unit.file.attempt(() => this.typeOf(die)) ?? VOID;
  }

  /** The type that an entry describes. */
  type(die: Die): CType {
    let ofUnit = this.#cache.get(die.unit);
    if (ofUnit === undefined) {
      ofUnit = new Map();
      this.#cache.set(die.unit, ofUnit);
    }
    const cached = ofUnit.get(die.offset);
    if (cached !== undefined) return cached;
    if (this.#depth > MAX_DEPTH) return VOID;
    this.#depth++;
    try {
      const made = this.#make(die);
      ofUnit.set(die.offset, made);
      return made;
    } finally {
      this.#depth--;
    }
  }

  #make(die: Die): CType {
    switch (die.tag) {
      case DW_TAG.baseType:
        return baseType(die);
      case DW_TAG.pointerType:
        return new DwarfPointer(this, die);
      case DW_TAG.structureType:
      case DW_TAG.unionType:
      case CLASS_TYPE:
        return this.#aggregate(die);
      case DW_TAG.arrayType:
        return this.#array(die);
      case DW_TAG.enumerationType:
        return new DwarfEnum(die);
      case DW_TAG.typedef:
        return new DwarfAlias(this, die, "typedef");
      case DW_TAG.constType:
        return new DwarfAlias(this, die, "const");
      case DW_TAG.volatileType:
        return new DwarfAlias(this, die, "volatile");
      case DW_TAG.restrictType:
        return new DwarfAlias(this, die, "restrict");
      case DW_TAG.atomicType:
        return this.typeOf(die);
      case DW_TAG.subroutineType:
      case DW_TAG.subprogram:
        return new DwarfFunction(this, die);
      default:
        return VOID;
    }
  }

  #aggregate(die: Die): CType {
    const kind = die.tag === DW_TAG.unionType ? "union" : "struct";
    if (!die.flag(DW_AT.declaration)) return new DwarfAggregate(this, die, kind);
    const name = die.name ?? "";
    const complete = name === "" ? null : this.#complete(name);
    return complete?.kind === kind ? complete : { kind: "forward", name, union: kind === "union" };
  }

  /** Several dimensions are arrays of arrays, the first the outermost. */
  #array(die: Die): CType {
    const lengths: number[] = [];
    for (const child of die.children()) {
      if (child.tag === DW_TAG.subrangeType && lengths.length < MAX_DEPTH) lengths.push(rangeLength(child));
    }
    if (lengths.length === 0) lengths.push(0);
    let type = this.typeOf(die);
    for (const length of lengths.toReversed()) {
      type = { kind: "array", size: length * sizeOfType(type), length, element: type };
    }
    return type;
  }
}

function baseType(die: Die): CType {
  const name = die.name ?? "";
  const size = die.number(DW_AT.byteSize) ?? 0;
  const encoding = die.number(DW_AT.encoding) ?? 0;
  if (encoding === DW_ATE.float || encoding === DW_ATE.complexFloat) return { kind: "float", name, size };
  return { kind: "int", name, size, signed: encoding === DW_ATE.signed || encoding === DW_ATE.signedChar };
}

/** Elements of one dimension; 0 where the bound is left out, computed at run time, or -1 (a zero-length array). */
function rangeLength(die: Die): number {
  const count = die.number(DW_AT.count);
  if (count !== null) return count > 0 && count < 2 ** 32 ? count : 0;
  const upper = die.number(DW_AT.upperBound);
  if (upper === null || upper < 0 || upper >= 2 ** 32 - 1) return 0;
  return Math.max(0, upper - (die.number(DW_AT.lowerBound) ?? 0) + 1);
}

class DwarfPointer {
  readonly kind = "pointer";
  readonly size: number;
  readonly #types: DwarfTypeReader;
  readonly #die: Die;
  constructor(types: DwarfTypeReader, die: Die) {
    this.size = die.number(DW_AT.byteSize) ?? die.unit.header.addressSize;
    this.#types = types;
    this.#die = die;
  }
  get target(): CType {
    return this.#types.typeOfOrVoid(this.#die);
  }
}

class DwarfAlias {
  readonly kind: "typedef" | "const" | "volatile" | "restrict";
  readonly name: string;
  readonly #types: DwarfTypeReader;
  readonly #die: Die;
  constructor(types: DwarfTypeReader, die: Die, kind: DwarfAlias["kind"]) {
    this.kind = kind;
    this.name = die.name ?? "";
    this.#types = types;
    this.#die = die;
  }
  get target(): CType {
    return this.#types.typeOfOrVoid(this.#die);
  }
}

class DwarfAggregate {
  readonly kind: "struct" | "union";
  readonly name: string;
  readonly size: number;
  readonly #types: DwarfTypeReader;
  readonly #die: Die;
  #members: readonly CMember[] | null = null;
  constructor(types: DwarfTypeReader, die: Die, kind: "struct" | "union") {
    this.kind = kind;
    this.name = die.name ?? "";
    this.size = die.number(DW_AT.byteSize) ?? 0;
    this.#types = types;
    this.#die = die;
  }
  get members(): readonly CMember[] {
    this.#members ??= readMembers(this.#die, (member) => this.#types.typeOfOrVoid(member));
    return this.#members;
  }
}

class DwarfEnum {
  readonly kind = "enum";
  readonly name: string;
  readonly size: number;
  readonly #die: Die;
  #enumerators: readonly CEnumerator[] | null = null;
  constructor(die: Die) {
    this.name = die.name ?? "";
    this.size = die.number(DW_AT.byteSize) ?? 4;
    this.#die = die;
  }
  get signed(): boolean {
    return this.enumerators.some((one) => one.value < 0n);
  }
  get enumerators(): readonly CEnumerator[] {
    if (this.#enumerators !== null) return this.#enumerators;
    const found: CEnumerator[] = [];
    this.#die.unit.file.attempt(() => {
      for (const child of this.#die.children()) {
        if (child.tag !== DW_TAG.enumerator || found.length >= MAX_ENUMERATORS) continue;
        found.push({ name: child.name ?? "", value: enumeratorValue(child) });
      }
    });
    this.#enumerators = found;
    return found;
  }
}

export function enumeratorValue(die: Die): bigint {
  return die.bigint(DW_AT.constValue) ?? 0n;
}

class DwarfFunction {
  readonly kind = "function";
  readonly #types: DwarfTypeReader;
  readonly #die: Die;
  constructor(types: DwarfTypeReader, die: Die) {
    this.#types = types;
    this.#die = die;
  }
  get returns(): CType {
    return this.#types.typeOfOrVoid(this.#die);
  }
  /** A last parameter without name and of type void is C's `...`, as in BTF. */
  get parameters(): readonly CParameter[] {
    const types = this.#types;
    const found: CParameter[] = [];
    this.#die.unit.file.attempt(() => {
      for (const child of this.#die.children()) {
        if (found.length >= MAX_PARAMETERS) return;
        if (child.tag === DW_TAG.unspecifiedParameters) found.push({ name: "", type: VOID });
        if (child.tag !== DW_TAG.formalParameter) continue;
        found.push({
          name: child.originWith(DW_AT.name)?.name ?? "",
          get type() {
            return types.typeOfOrVoid(child);
          },
        });
      }
    });
    return found;
  }
}
