/** Look-ups in one section of call frame information. */
import type { DebugSection } from "../debuginfo/elf/debug-section.ts";
import { SpillwayError } from "../errors.ts";
import type { CfiRow } from "./cfi.ts";
import type { CfiHeader } from "./cfi-header.ts";
import { type CfiIndex, indexCfi, lookUp } from "./cfi-index.ts";
import { rowAt } from "./cfi-program.ts";
import { CfiSection } from "./cfi-section.ts";

export interface CfiSource {
  readonly kind: "eh_frame" | "debug_frame";
  readonly section: DebugSection;
  /** Signed address of the section's first byte; 0 for a .debug_frame. */
  readonly address: number;
  /** The linker's sorted table, where there is one. */
  readonly header?: CfiHeader | null;
}

/** Nothing is read before an address is asked for. Addresses are signed doubles (symbols/kallsyms-addresses.ts). */
export class CfiSectionTable {
  readonly #source: CfiSource;
  readonly #cfi: CfiSection;
  #index: CfiIndex | null = null;

  constructor(source: CfiSource) {
    this.#source = source;
    this.#cfi = new CfiSection(source);
  }

  /** The row in force; null where no entry covers the address, or the one that does is damaged. */
  find(pc: number): CfiRow | null {
    for (const offset of this.#covering(pc)) {
      try {
        const fde = this.#cfi.fde(offset);
        if (pc >= fde.start && pc < fde.start + fde.size) return rowAt(fde, pc);
      } catch (error) {
        if (!(error instanceof SpillwayError)) throw error;
      }
    }
    return null;
  }

  #covering(pc: number): Iterable<number> {
    const { header, address, section } = this.#source;
    if (header) {
      const fde = header.fdeFor(pc);
      return fde === null ? [] : [fde - address];
    }
    this.#index ??= indexCfi(this.#cfi, section);
    return lookUp(this.#index, pc);
  }
}
