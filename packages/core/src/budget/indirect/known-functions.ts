/**
 * Every function of the program by its entry, with what type information says of its prototype. Init functions are among
 * them: they fill tables and register callbacks that outlive them.
 */
import type { DeclaredTypes } from "../../debuginfo/declared-types.ts";
import type { Program, ProgramArea } from "../../program/program.ts";
import type { KernelSymbol } from "../../symbols/symbol-table.ts";
import { BtfProvider } from "../../types/btf.ts";
import type { CType, TypeProvider } from "../../types/type-provider.ts";
import { areaOf, fullAddress, isFunctionLetter, low32 } from "../function-table.ts";
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

/** What type information says of a name. */
interface FunctionRecord {
  readonly type: FunctionType;
  /** Functions of that name. */
  times: number;
}

/** A function with the records of all its names. */
interface NamedFunction {
  readonly name: string;
  readonly module: string | null;
  readonly init: boolean;
  /** The image's first instruction. */
  isStart: boolean;
  readonly records: FunctionRecord[];
}

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
    let area: ProgramArea | null = null;
    let records: Map<string, FunctionRecord> = new Map();
    let recordsModule: string | null | undefined;
    const recorded = new Map<string | null, Map<string, FunctionRecord>>();
    const named = new Map<number, NamedFunction>();
    for (const { name, address, type, module } of symbols) {
      if (!isFunctionLetter(type) || name.startsWith("__pfx_") || name.startsWith("__cfi_")) continue;
      const entry = low32(address);
      let one = named.get(entry);
      if (one === undefined) {
        // Symbols come in order, and areas are few.
        if (area === null || address < area.start || address >= area.end) area = areaOf(areas, address);
        if (area === null) continue;
        one = { name, module, init: area.init, isStart: false, records: [] };
        named.set(entry, one);
      }
      // The image begins with startup_64: whoever takes that address wants the place, and nobody calls it.
      if (name === "_text" && one.module === null) one.isStart = true;
      if (module !== recordsModule) {
        records = recorded.get(module) ?? recordsOf(module === null ? program.types : program.moduleTypes(module));
        recorded.set(module, records);
        recordsModule = module;
      }
      const record = records.get(name);
      if (record === undefined) continue;
      record.times++;
      one.records.push(record);
    }
    for (const [entry, { name, module, init, isStart, records: found }] of named) {
      if (isStart) continue;
      const known: number[] = [];
      let sure = true;
      for (const record of found) {
        const prototype = prototypes.idOf(record.type);
        if (!known.includes(prototype)) known.push(prototype);
        if (record.times > 1) sure = false;
      }
      if (entry < this.first) this.first = entry;
      if (entry > this.last) this.last = entry;
      const isTold = declared === null || module !== null || (sure && known.length === 1);
      const own = isTold ? null : ownType(declared, { entry, name });
      if (own === null) this.#byEntry.set(entry, { entry, name, module, init, prototypes: known, sure });
      else this.#byEntry.set(entry, { entry, name, module, init, prototypes: [prototypes.idOf(own)], sure: true });
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

/** By name, the first of each. */
function recordsOf(types: TypeProvider): Map<string, FunctionRecord> {
  const map = new Map<string, FunctionRecord>();
  if (!(types instanceof BtfProvider)) return map;
  for (const { name, type } of types.functions()) {
    if (type.kind === "function" && !map.has(name)) map.set(name, { type, times: 0 });
  }
  return map;
}
