/**
 * Every function of the program by its entry, with what type information says of its prototype. Init functions are among
 * them: they fill tables and register callbacks that outlive them.
 */
import type { DeclaredTypes } from "../../debuginfo/declared-types.ts";
import type { Program } from "../../program/program.ts";
import type { KernelSymbol } from "../../symbols/symbol-table.ts";
import { BtfProvider } from "../../types/btf.ts";
import type { CType, TypeProvider } from "../../types/type-provider.ts";
import { areaOf, fullAddress, low32 } from "../function-table.ts";
import type { Prototypes } from "./prototypes.ts";

export interface KnownFunction {
  /** Low 32 bits, signed. */
  readonly entry: number;
  readonly name: string;
  readonly module: string | null;
  readonly init: boolean;
  /** What its names' records say; several where aliases differ, none where type information has none. */
  readonly prototypes: readonly number[];
  /**
   * False where a record may belong to another function: several files have a static one of that name, and BTF keeps one
   * record for all (before pahole 1.25; since then those that differ are left out).
   */
  readonly sure: boolean;
}

type FunctionType = Extract<CType, { kind: "function" }>;

export class KnownFunctions {
  readonly #byEntry = new Map<number, KnownFunction>();
  /** The lowest and the highest entry. */
  first = 0x7fffffff;
  last = -0x80000000;

  /** @param declared tells functions apart that share a name */
  constructor(
    program: Program,
    symbols: readonly KernelSymbol[],
    prototypes: Prototypes,
    declared: DeclaredTypes | null = null,
  ) {
    const areas = program.text;
    const named = new Map<number, { names: string[]; module: string | null; init: boolean }>();
    const timesNamed = new Map<string | null, Map<string, number>>();
    for (const { name, address, type, module } of symbols) {
      if (!isFunctionType(type) || name.startsWith("__pfx_") || name.startsWith("__cfi_")) continue;
      const entry = low32(address);
      const known = named.get(entry);
      if (known !== undefined) {
        known.names.push(name);
      } else {
        const area = areaOf(areas, address);
        if (area === null) continue;
        named.set(entry, { names: [name], module, init: area.init });
      }
      let times = timesNamed.get(module);
      if (times === undefined) {
        times = new Map();
        timesNamed.set(module, times);
      }
      times.set(name, (times.get(name) ?? 0) + 1);
    }
    const recorded = new Map<string | null, Map<string, FunctionType>>();
    const records = (module: string | null): Map<string, FunctionType> => {
      let map = recorded.get(module);
      if (map === undefined) {
        map = recordsOf(module === null ? program.types : program.moduleTypes(module));
        recorded.set(module, map);
      }
      return map;
    };
    for (const [entry, { names, module, init }] of named) {
      // The image begins with startup_64: whoever takes that address wants the place, and nobody calls it.
      if (module === null && names.includes("_text")) continue;
      const found = new Set<number>();
      let sure = true;
      for (const name of names) {
        const type = records(module).get(name);
        if (type === undefined) continue;
        found.add(prototypes.idOf(type));
        if (timesNamed.get(module)!.get(name)! > 1) sure = false;
      }
      this.first = Math.min(this.first, entry);
      this.last = Math.max(this.last, entry);
      const known = { entry, name: names[0]!, module, init };
      const own = declared === null || module !== null || (sure && found.size === 1) ? null : ownType(declared, known);
      if (own === null) this.#byEntry.set(entry, { ...known, prototypes: [...found], sure });
      else this.#byEntry.set(entry, { ...known, prototypes: [prototypes.idOf(own)], sure: true });
    }
  }

  get count(): number {
    return this.#byEntry.size;
  }

  at(entry: number): KnownFunction | undefined {
    // Most of what is asked for is a number like any other.
    return entry < this.first || entry > this.last ? undefined : this.#byEntry.get(entry);
  }

  all(): Iterable<KnownFunction> {
    return this.#byEntry.values();
  }
}

/** Null for clones (.isra, .constprop): they take other parameters than their source says. */
function ownType(declared: DeclaredTypes, { entry, name }: Pick<KnownFunction, "entry" | "name">): FunctionType | null {
  return name.includes(".") ? null : declared.functionAt(fullAddress(entry));
}

/** nm's letters for code, weak symbols among them. */
function isFunctionType(type: string): boolean {
  return type === "t" || type === "T" || type === "w" || type === "W";
}

function recordsOf(types: TypeProvider): Map<string, FunctionType> {
  const map = new Map<string, FunctionType>();
  if (!(types instanceof BtfProvider)) return map;
  for (const { name, type } of types.functions()) if (type.kind === "function" && !map.has(name)) map.set(name, type);
  return map;
}
