import { type DebugSection, LoadedSection } from "../elf/debug-section.ts";
import { type AddressRanges, readAddressRanges } from "./aranges.ts";
import { DW_TAG, DW_UT } from "./constants.ts";
import { DwarfFile } from "./dwarf-file.ts";
import { inRanges, type Ranges, rangesOf } from "./ranges.ts";
import { DwarfUnit, type UnitHeader } from "./unit.ts";

/** A unit's own DIE takes some tens of bytes: names and options are in string sections. */
const HEAD = 1024;
/** Sections that the units' own DIEs refer to. */
const SMALL_SECTIONS = [".debug_abbrev", ".debug_rnglists", ".debug_ranges", ".debug_addr"];
const LARGEST_WHOLE = 64 << 20;

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
    const file = this.#file;
    // Thousands of short reads in these are slower than one of the whole.
    const whole = new Map(SMALL_SECTIONS.map((name) => [name, readWhole(file.section(name))]));
    const bulk = new DwarfFile({
      name: file.name,
      problems: [],
      section: (name) => whole.get(name) ?? file.section(name),
    });
    const units: { offset: number; ranges: Ranges }[] = [];
    for (const header of bulk.headers()) {
      if (listed.has(header.offset) || header.type === DW_UT.type) continue;
      const ranges = file.attempt(() => rangesOfUnit(bulk, header));
      if (ranges !== null && ranges.length > 0) units.push({ offset: header.offset, ranges });
    }
    for (const problem of bulk.problems) file.problem(problem);
    return units;
  }
}

/** Reads no more of the unit than its own DIE. */
function rangesOfUnit(file: DwarfFile, header: UnitHeader): Ranges {
  const info = file.section(".debug_info");
  if (info === null) return [];
  const short = { ...header, end: Math.min(header.end, header.offset + HEAD) };
  const head = new DwarfUnit(file, info, short).root;
  if (head.tag === DW_TAG.partialUnit) return [];
  // Values past the first part of a large DIE need the whole unit.
  return rangesOf(head.end <= short.end ? head : new DwarfUnit(file, info, header).root);
}

function readWhole(section: DebugSection | null): DebugSection | null {
  if (section === null || section.size > LARGEST_WHOLE) return section;
  return new LoadedSection(section.name, section.size, () => section.bytes(0, section.size));
}
