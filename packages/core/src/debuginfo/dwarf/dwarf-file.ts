import { SpillwayError } from "../../errors.ts";
import type { DebugSection } from "../elf/debug-section.ts";
import { AbbreviationTable } from "./abbreviations.ts";
import { DW_AT } from "./constants.ts";
import type { Die } from "./die.ts";
import { scopesIn, UnitFunctions } from "./functions.ts";
import { LineTable } from "./line-table.ts";
import { DwarfUnit, readUnitHeader, type UnitHeader } from "./unit.ts";
import { UnitIndex } from "./unit-index.ts";

/** Where the sections come from: an ELF file, or what a test made. */
export interface DwarfSections {
  readonly name: string;
  /** By the name with its dot (".debug_info"); null where there is none. */
  section(name: string): DebugSection | null;
  readonly problems: readonly string[];
}

/** Bytes of units that stay in memory; a scan over all units lets the oldest go. */
const LOADED_UNITS = 32 << 20;
/** amdgpu has under a thousand, vmlinux some 3,500. */
const MOST_UNITS = 1 << 20;

/** Skeleton units (DW_UT_skeleton; -gsplit-dwarf, CONFIG_DEBUG_INFO_SPLIT) have lines, and nothing else. */
const SPLIT =
  "most of its debug information lies in .dwo files beside the objects it was made from, which are not read";

/** Tables of units that stay in memory. */
const CACHED_TABLES = 256;

/** The DWARF of one file (a vmlinux, a module), DWARF 2 to 5. Nothing is read before it is asked for. */
export class DwarfFile {
  readonly name: string;
  /** What to add to the addresses in it for those of the running kernel: KASLR's offset for vmlinux, 0 for modules. */
  readonly bias: bigint;
  readonly #sections: DwarfSections;
  readonly #problems: string[] = [];
  readonly #units = new Map<string, DwarfUnit>();
  readonly #abbreviations = new Map<string, AbbreviationTable>();
  readonly #loaded = new Map<DwarfUnit, number>();
  #loadedBytes = 0;
  #headers: Float64Array | null = null;
  #signatures: Map<bigint, DwarfUnit> | null = null;
  readonly #index = new UnitIndex(this);
  readonly #functions = new Map<DwarfUnit, UnitFunctions | null>();
  readonly #lines = new Map<DwarfUnit, LineTable | null>();

  constructor(sections: DwarfSections, bias = 0n) {
    this.name = sections.name;
    this.bias = bias;
    this.#sections = sections;
  }

  get problems(): readonly string[] {
    return [...this.#sections.problems, ...this.#problems];
  }

  problem(text: string): void {
    if (this.#problems.length < 100 && !this.#problems.includes(text)) this.#problems.push(text);
  }

  /** What a damaged part gives: null, with the damage told among the problems. Other errors than a SpillwayError pass. */
  attempt<T>(what: () => T): T | null {
    try {
      return what();
    } catch (error) {
      if (!(error instanceof SpillwayError)) throw error;
      this.problem(`${this.name}: ${error.message}`);
      return null;
    }
  }

  section(name: string): DebugSection | null {
    return this.#sections.section(name);
  }

  string(section: string, offset: number): string | null {
    return this.section(section)?.cstring(offset) ?? null;
  }

  sayNoSupplement(): void {
    this.problem(
      `${this.name}: part of its debug information lies in a supplementary file (.gnu_debugaltlink, made by dwz), which is not read`,
    );
  }

  /** The unit whose header begins at an offset of .debug_info. @throws SpillwayError `SPW_DEBUGINFO_CORRUPT` */
  unit(offset: number, section = ".debug_info"): DwarfUnit | null {
    const key = `${section}:${offset}`;
    let unit = this.#units.get(key);
    if (unit === undefined) {
      const info = this.section(section);
      if (info === null) return null;
      unit = new DwarfUnit(this, info, readUnitHeader(info, offset));
      this.#units.set(key, unit);
    }
    return unit;
  }

  /** Offsets of all units of .debug_info, ascending: one short read each. Ends where a header is damaged. */
  get unitOffsets(): Float64Array {
    if (this.#headers === null) this.#headers = Float64Array.from(this.headers(), (header) => header.offset);
    return this.#headers;
  }

  /** The headers of all units of .debug_info, one read each. Ends where one is damaged. */
  headers(): Generator<UnitHeader> {
    return this.#headersOf(".debug_info");
  }

  *#headersOf(name: string): Generator<UnitHeader> {
    const section = this.section(name);
    if (section === null) return;
    let at = 0;
    for (let count = 0; at < section.size && count < MOST_UNITS; count++) {
      const header = this.attempt(() => readUnitHeader(section, at));
      if (header === null) return;
      yield header;
      at = header.end;
    }
  }

  /** All units of .debug_info in order. */
  *units(): Generator<DwarfUnit> {
    for (const offset of this.unitOffsets) {
      const unit = this.unit(offset);
      if (unit !== null) yield unit;
    }
  }

  /** The DIE at an offset of .debug_info. */
  dieAt(offset: number): Die | null {
    const offsets = this.unitOffsets;
    let low = 0;
    let high = offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((offsets[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : (this.unit(offsets[low - 1] as number)?.dieAt(offset) ?? null);
  }

  /** The type that a type unit defines (DW_FORM_ref_sig8). */
  typeBySignature(signature: bigint): Die | null {
    if (this.#signatures === null) {
      this.#signatures = new Map();
      for (const section of [".debug_info", ".debug_types"]) {
        for (const header of this.#headersOf(section)) {
          const unit = header.signature === null ? null : this.unit(header.offset, section);
          if (unit !== null && header.signature !== null) this.#signatures.set(header.signature, unit);
        }
      }
    }
    const unit = this.#signatures.get(signature);
    return unit === undefined ? null : unit.dieAt(unit.header.offset + (unit.header.typeOffset ?? 0));
  }

  /** The unit that covers a signed link-time address, or null. */
  unitCovering(pc: number): DwarfUnit | null {
    return this.#index.at(pc);
  }

  /**
   * The scopes at a signed link-time address, from the function outwards to inwards: its DW_TAG_subprogram, then lexical blocks
   * and inlined functions. Empty where no function covers it.
   */
  scopesAt(pc: number): readonly Die[] {
    const unit = this.unitCovering(pc);
    if (unit === null) return [];
    const functions = cached(this.#functions, unit, () =>
      this.attempt(() => {
        if (unit.root.has(DW_AT.dwoName) || unit.root.has(DW_AT.gnuDwoName)) this.problem(`${this.name}: ${SPLIT}`);
        return new UnitFunctions(unit);
      }),
    );
    return (
      this.attempt(() => {
        const subprogram = functions?.at(pc) ?? null;
        return subprogram === null ? [] : scopesIn(subprogram, pc);
      }) ?? []
    );
  }

  /** A unit's line table; null where it has none. */
  linesOf(unit: DwarfUnit): LineTable | null {
    return cached(this.#lines, unit, () =>
      this.attempt(() => {
        const offset = unit.root.sectionOffset(DW_AT.stmtList);
        if (offset === null) return null;
        return new LineTable(this, offset, unit.root.string(DW_AT.compDir) ?? "", unit.header.addressSize);
      }),
    );
  }

  /** Used by units: their abbreviation table. */
  abbreviations(header: UnitHeader): AbbreviationTable {
    // The sizes of values in it are the unit's.
    const key = `${header.abbreviations}:${header.version}:${header.addressSize}:${header.offsetSize}`;
    let table = this.#abbreviations.get(key);
    if (table === undefined) {
      const section = this.section(".debug_abbrev");
      if (section === null) throw new SpillwayError("SPW_DEBUGINFO_CORRUPT", `${this.name}: there is no .debug_abbrev`);
      table = new AbbreviationTable(section, header.abbreviations, header);
      this.#abbreviations.set(key, table);
    }
    return table;
  }

  /** Used by units: their bytes are in memory now. */
  unitLoaded(unit: DwarfUnit, bytes: number): void {
    this.#loaded.set(unit, bytes);
    this.#loadedBytes += bytes;
    for (const [oldest, size] of this.#loaded) {
      if (this.#loadedBytes <= LOADED_UNITS || oldest === unit) break;
      oldest.release();
      this.#loaded.delete(oldest);
      this.#loadedBytes -= size;
    }
  }
}

function cached<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    if (map.size >= CACHED_TABLES) for (const oldest of [...map.keys()].slice(0, CACHED_TABLES / 2)) map.delete(oldest);
    map.set(key, value);
  }
  return value;
}
