import type { Die } from "../debuginfo/dwarf/die.ts";
import type { DwarfFile } from "../debuginfo/dwarf/dwarf-file.ts";
import { DwarfNames, type NameKind } from "./dwarf-names.ts";
import { DwarfTypeReader, enumeratorValue } from "./dwarf-type-reader.ts";
import { findMember } from "./member.ts";
import { stripTypedefs } from "./strip.ts";
import type { CAggregate, CType, MemberLocation, TypeProvider } from "./type-provider.ts";

/**
 * Types from the DWARF of one file. A name is looked for unit by unit until its definition is found, and what was passed on
 * the way is remembered. Of several definitions of one name (C files have structs of their own) the first one counts.
 */
export class DwarfTypes implements TypeProvider {
  readonly #file: DwarfFile;
  readonly #names: DwarfNames;
  readonly #reader: DwarfTypeReader;
  readonly #structs = new Map<string, CAggregate | null>();
  readonly #members = new Map<string, MemberLocation | null>();

  /** @param outer where a module's struct is looked for that its own file only declares: the kernel's types */
  constructor(file: DwarfFile, outer: TypeProvider | null = null) {
    this.#file = file;
    this.#names = new DwarfNames(file);
    this.#reader = new DwarfTypeReader((name) => this.structOrUnion(name) ?? outer?.structOrUnion(name) ?? null);
  }

  /** The type that an entry describes, or that its DW_AT_type names. */
  typeOf(die: Die): CType {
    return this.#reader.typeOf(die);
  }

  /** The type that an entry is: of a function, its prototype. */
  typeAt(die: Die): CType {
    return this.#reader.type(die);
  }

  #find(kind: NameKind, name: string): CType | null {
    const die = this.#names.find(kind, name);
    return die === null ? null : this.#file.attempt(() => this.#reader.type(die));
  }

  structOrUnion(name: string): CAggregate | null {
    const cached = this.#structs.get(name);
    if (cached !== undefined) return cached;
    const type = this.#find("struct", name);
    const found = type !== null && (type.kind === "struct" || type.kind === "union") ? type : null;
    this.#structs.set(name, found);
    return found;
  }

  typedef(name: string): CType | null {
    return this.#find("typedef", name);
  }

  enumeration(name: string): Extract<CType, { kind: "enum" }> | null {
    const type = this.#find("enum", name);
    return type?.kind === "enum" ? type : null;
  }

  enumerator(name: string): bigint | null {
    const found = this.#names.findEnumerator(name);
    return found === null ? null : this.#file.attempt(() => enumeratorValue(found.enumerator));
  }

  enumOf(enumerator: string): Extract<CType, { kind: "enum" }> | null {
    const found = this.#names.findEnumerator(enumerator);
    const type = found === null ? null : this.#file.attempt(() => this.#reader.type(found.type));
    return type?.kind === "enum" ? type : null;
  }

  func(name: string): Extract<CType, { kind: "function" }> | null {
    const type = this.#find("function", name);
    return type?.kind === "function" ? type : null;
  }

  variable(name: string): CType | null {
    const die = this.#names.find("variable", name);
    const type = die === null ? null : this.#file.attempt(() => this.#reader.typeOf(die));
    const shape = type === null ? null : stripTypedefs(type);
    if (shape?.kind !== "array" || shape.length > 0) return type;
    // `extern char text[];`: how long it is, its definition tells.
    const definition = this.#names.findDefinition(name);
    return definition === null ? type : this.#file.attempt(() => this.#reader.typeOf(definition));
  }

  member(struct: string, path: string): MemberLocation | null {
    const key = `${struct}.${path}`;
    const cached = this.#members.get(key);
    if (cached !== undefined) return cached;
    const type = this.structOrUnion(struct);
    const found = type === null ? null : this.#file.attempt(() => findMember(type, path));
    this.#members.set(key, found);
    return found;
  }

  sizeOf(struct: string): number | null {
    return this.structOrUnion(struct)?.size ?? null;
  }
}
