/** Finds types, functions and variables by name in the DWARF of a file, one unit after the other until it is there. */
import { DW_AT, DW_FORM, DW_TAG } from "../debuginfo/dwarf/constants.ts";
import type { Die } from "../debuginfo/dwarf/die.ts";
import type { DwarfFile } from "../debuginfo/dwarf/dwarf-file.ts";
import { type ScannedEntry, scanUnit } from "./dwarf-scan.ts";
import { DwarfStrings, type NameKey } from "./dwarf-strings.ts";

export type NameKind = "struct" | "typedef" | "enum" | "function" | "variable";

const KIND_OF_TAG: ReadonlyMap<number, NameKind> = new Map([
  [DW_TAG.structureType, "struct"],
  [DW_TAG.unionType, "struct"],
  [DW_TAG.typedef, "typedef"],
  [DW_TAG.enumerationType, "enum"],
  [DW_TAG.subprogram, "function"],
  [DW_TAG.variable, "variable"],
]);

/**
 * Offset of the first definition seen of each name, by kind. Names are kept as their offsets in .debug_str: a name that is
 * looked up is searched there, so that no text is made of those that are passed.
 */
export class DwarfNames {
  readonly #file: DwarfFile;
  readonly #strings: DwarfStrings;
  readonly #found: Record<NameKind, Map<NameKey, number>> = {
    struct: new Map(),
    typedef: new Map(),
    enum: new Map(),
    function: new Map(),
    variable: new Map(),
  };
  /** Variables' definitions that refer to a declaration for their name; theirs is the complete type. */
  readonly #defined = new Map<NameKey, number>();
  /** Units before this index are in the maps. */
  #scanned = 0;

  constructor(file: DwarfFile) {
    this.#file = file;
    this.#strings = new DwarfStrings(file);
  }

  /** The first definition of that name in the order of the units; for a variable that is only declared, its declaration. */
  find(kind: NameKind, name: string): Die | null {
    return this.#search(this.#found[kind], name);
  }

  /** The definition of a variable apart from its declaration; asks all units where there is none. */
  findDefinition(variable: string): Die | null {
    return this.#search(this.#defined, variable);
  }

  #search(known: ReadonlyMap<NameKey, number>, name: string): Die | null {
    const keys = this.#strings.keys(name);
    const units = this.#file.unitOffsets;
    for (;;) {
      for (const key of keys) {
        const offset = known.get(key);
        if (offset !== undefined) return this.#file.attempt(() => this.#file.dieAt(offset));
      }
      if (this.#scanned >= units.length || keys.length === 0) return null;
      const offset = units[this.#scanned++]!;
      this.#file.attempt(() => this.#scan(offset));
    }
  }

  #scan(unit: number): void {
    const variables = new Map<number, NameKey>();
    scanUnit(this.#file, unit, (entry) => {
      const kind = KIND_OF_TAG.get(entry.tag);
      if (kind === undefined || (entry.declaration && kind !== "variable")) return true;
      const { offset } = entry;
      if (!entry.hasName) {
        // A definition without a type of its own has the declaration's.
        const typed = kind === "variable" && entry.abbreviation.names.includes(DW_AT.type);
        const declared = typed ? variables.get(specification(entry)) : undefined;
        if (declared !== undefined) this.#defined.set(declared, offset);
        return true;
      }
      const key = this.#strings.keyAt(this.#file, entry, entry.seekName());
      if (key === null) return true;
      const known = this.#found[kind];
      if (!known.has(key)) known.set(key, offset);
      if (kind === "variable") variables.set(offset, key);
      return true;
    });
  }

  /** The enum with an enumerator of that name: both entries. */
  findEnumerator(name: string): { readonly type: Die; readonly enumerator: Die } | null {
    const keys = new Set(this.#strings.keys(name));
    if (keys.size === 0) return null;
    const file = this.#file;
    for (const unit of file.unitOffsets) {
      const found = file.attempt(() => this.#enumeratorIn(unit, keys));
      if (found === null) continue;
      return file.attempt(() => {
        const type = file.dieAt(found.type);
        const enumerator = file.dieAt(found.enumerator);
        return type === null || enumerator === null ? null : { type, enumerator };
      });
    }
    return null;
  }

  #enumeratorIn(unit: number, keys: ReadonlySet<NameKey>): { type: number; enumerator: number } | null {
    let found: { type: number; enumerator: number } | null = null;
    scanUnit(this.#file, unit, (entry) => {
      if (entry.tag !== DW_TAG.enumerationType) return true;
      const type = entry.offset;
      entry.children((child) => {
        if (!child.hasName) return true;
        const enumerator = child.offset;
        const key = this.#strings.keyAt(this.#file, child, child.seekName());
        if (key !== null && keys.has(key)) found = { type, enumerator };
        return found === null;
      });
      return found === null;
    });
    return found;
  }
}

/** The entry in the same unit that DW_AT_specification names, or -1. */
function specification(entry: ScannedEntry): number {
  if (!entry.abbreviation.names.includes(DW_AT.specification)) return -1;
  return entry.seek(DW_AT.specification) === DW_FORM.ref4 ? entry.header.offset + entry.reader.u32() : -1;
}
