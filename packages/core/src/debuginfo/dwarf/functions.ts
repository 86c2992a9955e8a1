import { DW_AT, DW_TAG } from "./constants.ts";
import type { Die } from "./die.ts";
import { inRanges, rangesOf } from "./ranges.ts";
import type { DwarfUnit } from "./unit.ts";

/** Tags of C++ and Rust under which functions may be. */
const TAG_NAMESPACE = 0x39;
const TAG_CLASS = 0x02;
/** DW_LANG codes of C (C89, C, C99, C11, C17, C23) and assembler: their functions are all at the top. */
const FLAT_LANGUAGES = new Set([0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x3e, 0x8001]);
const DEEPEST = 16;
/** Inlining nests some tens of scopes; hostile nesting would take long to walk. */
const DEEPEST_SCOPE = 256;

/** The functions of a unit that have code, by address. */
export class UnitFunctions {
  readonly #unit: DwarfUnit;
  readonly #rows: { readonly low: number; readonly high: number; readonly offset: number }[] = [];

  /** @throws SpillwayError `SPW_DEBUGINFO_CORRUPT` */
  constructor(unit: DwarfUnit) {
    this.#unit = unit;
    const flat = FLAT_LANGUAGES.has(unit.root.number(DW_AT.language) ?? 0);
    this.#collect(unit.root, flat, 0);
    this.#rows.sort((a, b) => a.low - b.low);
  }

  #collect(parent: Die, flat: boolean, depth: number): void {
    for (const die of parent.children()) {
      if (die.tag === DW_TAG.subprogram) {
        const ranges = rangesOf(die);
        for (let i = 0; i < ranges.length; i += 2) {
          this.#rows.push({ low: ranges[i] as number, high: ranges[i + 1] as number, offset: die.offset });
        }
      } else if (!flat && depth < DEEPEST && mayHoldFunctions(die.tag)) {
        this.#collect(die, false, depth + 1);
      }
    }
  }

  /** The DW_TAG_subprogram that a signed link-time address lies in. */
  at(pc: number): Die | null {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rows[middle]?.low ?? 0) <= pc) low = middle + 1;
      else high = middle;
    }
    const row = this.#rows[low - 1];
    return row === undefined || pc >= row.high ? null : this.#unit.dieAt(row.offset);
  }

  /** All of them: the DIE's offset once for each range. */
  get offsets(): readonly number[] {
    return this.#rows.map((row) => row.offset);
  }
}

function mayHoldFunctions(tag: number): boolean {
  return (
    tag === TAG_NAMESPACE ||
    tag === TAG_CLASS ||
    tag === DW_TAG.structureType ||
    tag === DW_TAG.unionType ||
    tag === DW_TAG.enumerationType
  );
}

/**
 * The scopes that hold an address within a function, from the function's own DIE inwards: lexical blocks and inlined functions.
 * @throws SpillwayError `SPW_DEBUGINFO_CORRUPT`
 */
export function scopesIn(subprogram: Die, pc: number): readonly Die[] {
  const scopes: Die[] = [subprogram];
  for (let inner: Die | null = subprogram; inner !== null && scopes.length < DEEPEST_SCOPE; ) {
    const outer: Die = inner;
    inner = null;
    for (const die of outer.children()) {
      if (die.tag !== DW_TAG.lexicalBlock && die.tag !== DW_TAG.inlinedSubroutine) continue;
      if (inRanges(rangesOf(die), pc)) {
        scopes.push(die);
        inner = die;
        break;
      }
    }
  }
  return scopes;
}
