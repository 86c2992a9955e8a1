import { type AddressRanges, readAddressRanges } from "./aranges.ts";
import { DW_TAG, DW_UT } from "./constants.ts";
import type { DwarfFile } from "./dwarf-file.ts";
import { inRanges, type Ranges, rangesOf } from "./ranges.ts";
import { DwarfUnit } from "./unit.ts";

/** A unit's own DIE takes some tens of bytes: names and options are in string sections. */
const HEAD = 1024;

/**
 * Which unit covers an address. `.debug_aranges` says so without a look at the units; it may lack some (assembler sources,
 * clang's units), so for an address that it does not know the other units' own DIEs are read, once.
 */
export class UnitIndex {
  readonly #file: DwarfFile;
  #listed: AddressRanges | null = null;
  #unlisted: { readonly offset: number; readonly ranges: Ranges }[] | null = null;

  constructor(file: DwarfFile) {
    this.#file = file;
  }

  /** The unit that covers a signed link-time address, or null. */
  at(pc: number): DwarfUnit | null {
    const file = this.#file;
    this.#listed ??= readAddressRanges(file.section(".debug_aranges"), (text) => file.problem(`${file.name}: ${text}`));
    const listed = this.#listed.unitAt(pc);
    if (listed !== null) return file.attempt(() => file.unit(listed));
    this.#unlisted ??= this.#readUnlisted(this.#listed.units);
    const found = this.#unlisted.find(({ ranges }) => inRanges(ranges, pc));
    return found === undefined ? null : file.unit(found.offset);
  }

  #readUnlisted(listed: ReadonlySet<number>) {
    const units: { offset: number; ranges: Ranges }[] = [];
    for (const offset of this.#file.unitOffsets) {
      if (listed.has(offset)) continue;
      const ranges = this.#file.attempt(() => this.#rangesOfUnit(offset));
      if (ranges !== null && ranges.length > 0) units.push({ offset, ranges });
    }
    return units;
  }

  /** Reads no more of the unit than its own DIE. */
  #rangesOfUnit(offset: number): Ranges {
    const unit = this.#file.unit(offset);
    if (unit === null || unit.header.type === DW_UT.type) return [];
    const { header, section } = unit;
    const short = { ...header, end: Math.min(header.end, offset + HEAD) };
    const head = new DwarfUnit(this.#file, section, short).root;
    if (head.tag === DW_TAG.partialUnit) return [];
    // Values past the first part of a large DIE need the whole unit.
    return rangesOf(head.end <= short.end ? head : unit.root);
  }
}
