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
import { NumberTable } from "./number-table.ts";
import type { Prototypes } from "./prototypes.ts";

export interface KnownFunction {
  /** Low 32 bits, signed. */
  readonly entry: number;
  readonly name: string;
  readonly module: string | null;
  readonly init: boolean;
  /** Of one file (static): others may have a function of that name. */
  readonly local: boolean;
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
  /** The record as a list of one. */
  readonly alone: readonly FunctionRecord[];
}

/** A function before all symbols have been seen: with the records of its names so far, until its prototypes are known. */
interface NamedFunction {
  readonly entry: number;
  readonly name: string;
  readonly module: string | null;
  readonly init: boolean;
  readonly local: boolean;
  records: readonly FunctionRecord[];
  prototypes: readonly number[];
  sure: boolean;
}

const NO_RECORDS: readonly FunctionRecord[] = [];
const NO_PROTOTYPES: readonly number[] = [];

export class KnownFunctions {
  /** Numbers of functions by their entries, and the functions by these. */
  readonly #numbers = new NumberTable();
  readonly #all: NamedFunction[] = [];
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
    // Of what has been named so far; some of it turns out to be no function.
    const numbers = new NumberTable();
    const named: NamedFunction[] = [];
    // The image begins with startup_64: whoever takes that address wants the place, and nobody calls it.
    let start: number | null = null;
    // Where padding is, an end of a section may be as well (__softirqentry_text_start), but no function.
    const padding: number[] = [];
    for (const { name, address, type, module } of symbols) {
      if (!isFunctionLetter(type)) continue;
      const entry = low32(address);
      if (name.startsWith("__pfx_") || name.startsWith("__cfi_")) {
        padding.push(entry);
        continue;
      }
      const number = numbers.get(entry);
      let one = number < 0 ? undefined : named[number];
      if (one === undefined) {
        // Symbols come in order, and areas are few.
        if (area === null || address < area.start || address >= area.end) area = areaOf(areas, address);
        if (area === null) continue;
        const { init } = area;
        one = {
          entry,
          name,
          module,
          init,
          local: type === "t",
          records: NO_RECORDS,
          prototypes: NO_PROTOTYPES,
          sure: true,
        };
        numbers.set(entry, named.push(one) - 1);
      }
      if (name === "_text" && one.module === null) start = entry;
      if (module !== recordsModule) {
        records = recorded.get(module) ?? recordsOf(module === null ? program.types : program.moduleTypes(module));
        recorded.set(module, records);
        recordsModule = module;
      }
      const record = records.get(name);
      if (record === undefined) continue;
      record.times++;
      one.records = one.records.length === 0 ? record.alone : [...one.records, record];
    }
    const isNone = new Set(padding);
    if (start !== null) isNone.add(start);
    for (const one of named) {
      if (isNone.has(one.entry)) continue;
      this.#finish(one, prototypes, declared);
      this.#numbers.set(one.entry, this.#all.push(one) - 1);
    }
  }

  /** To be called when the records' functions have all been counted. */
  #finish(one: NamedFunction, prototypes: Prototypes, declared: DeclaredTypes | null): void {
    if (one.entry < this.first) this.first = one.entry;
    if (one.entry > this.last) this.last = one.entry;
    if (one.records.length > 0) {
      const found: number[] = [];
      for (const { type, times } of one.records) {
        const prototype = prototypes.idOf(type);
        if (!found.includes(prototype)) found.push(prototype);
        if (times > 1) one.sure = false;
      }
      one.prototypes = found;
      one.records = NO_RECORDS;
    }
    if (declared === null || (one.sure && one.prototypes.length === 1)) return;
    const own = ownType(declared, one);
    if (own === null) return;
    one.prototypes = [prototypes.idOf(own)];
    one.sure = true;
  }

  at(entry: number): KnownFunction | undefined {
    // Most of what is asked for is a number like any other.
    if (entry < this.first || entry > this.last) return undefined;
    const number = this.#numbers.get(entry);
    return number < 0 ? undefined : this.#all[number];
  }

  /**
   * These stand where their prototypes cannot: the record of each is that of another static function of its name, which was
   * inlined wherever it is called, and the function is of no known prototype. False where that cannot be: names of global
   * functions are unique. Of modules neither: a pointer to start-up code that is gone leads into whatever was loaded there since.
   */
  doubt(entries: readonly number[]): boolean {
    const known = entries.map((entry) => this.#all[this.#numbers.get(entry)]!);
    if (!known.every((one) => one.local && one.module === null)) return false;
    for (const one of known) {
      one.prototypes = NO_PROTOTYPES;
      one.sure = false;
    }
    return true;
  }

  all(): readonly KnownFunction[] {
    return this.#all;
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
    if (type.kind !== "function" || map.has(name)) continue;
    const alone: FunctionRecord[] = [];
    const record: FunctionRecord = { type, times: 0, alone };
    alone.push(record);
    map.set(name, record);
  }
  return map;
}
