import { type ElfSection, SHT_NOBITS } from "../../debuginfo/elf/elf-sections.ts";
import type { KernelModule } from "../../symbols/symbol-table.ts";
import type { ProgramArea } from "../program.ts";
import { isPlaced, type ModuleFile, sectionBytes } from "./module-file.ts";

const PAGE = 4096;
const SHF_WRITE = 1;
const SHF_EXECINSTR = 4;
/** i915 and amdgpu have some 10 MiB. */
const LARGEST_MODULE = 1 << 26;

/** The parts of a module in the loader's order (kernel/module/main.c, `layout_sections`), each on pages of its own. */
const PARTS = [".text", ".rodata", ".data", ".init.text", ".init.rodata", ".init.data"] as const;
type Part = (typeof PARTS)[number];

function partOf(section: ElfSection): Part {
  const init = section.name.startsWith(".init");
  if ((section.flags & SHF_EXECINSTR) !== 0) return init ? ".init.text" : ".text";
  if ((section.flags & SHF_WRITE) !== 0) return init ? ".init.data" : ".data";
  return init ? ".init.rodata" : ".rodata";
}

/** A module at the addresses it was given. */
export interface ModuleLayout {
  readonly module: KernelModule;
  /** All of it, sections copied, not yet relocated. */
  readonly bytes: Uint8Array;
  /** Signed addresses of sections by index; NaN for what is not in memory. */
  readonly addresses: Float64Array;
  readonly areas: readonly ProgramArea[];
  /** Signed. */
  readonly base: number;
}

/**
 * Lays a module out from an address on.
 * @param base signed, the beginning of a page
 * @throws Error in words where the file contradicts itself
 */
export function layOutModule(file: ModuleFile, base: number): ModuleLayout {
  const offsets = new Float64Array(file.sections.length).fill(Number.NaN);
  const areas: (ProgramArea & { readonly size: number; readonly text: boolean })[] = [];
  let end = 0;
  for (const part of PARTS) {
    const start = end;
    for (const section of file.sections) {
      if (!isPlaced(section) || partOf(section) !== part) continue;
      const align = section.align > 0 && section.align <= PAGE ? section.align : 1;
      end = Math.ceil(end / align) * align;
      offsets[section.index] = end;
      end += section.size;
      if (!(end <= LARGEST_MODULE)) throw new Error("it is larger than any module");
    }
    if (end === start) continue;
    const from = BigInt.asUintN(64, BigInt(base + start));
    const size = end - start;
    areas.push({
      start: from,
      end: from + BigInt(size),
      size,
      module: file.name,
      section: part,
      init: part.startsWith(".init"),
      text: part.endsWith(".text"),
    });
    end = Math.ceil(end / PAGE) * PAGE;
  }
  const bytes = new Uint8Array(end);
  const addresses = offsets.map((offset) => base + offset);
  for (const section of file.sections) {
    const offset = offsets[section.index] as number;
    if (Number.isNaN(offset) || section.type === SHT_NOBITS) continue;
    const content = sectionBytes(file.bytes, section);
    if (content === null) throw new Error(`it ends inside its section ${section.name}`);
    bytes.set(content, offset);
  }
  const self = file.sections.find((section) => section.name === ".gnu.linkonce.this_module");
  const unsigned = (signed: number) => BigInt.asUintN(64, BigInt(signed));
  const module: KernelModule = {
    name: file.name,
    address: unsigned(
      self === undefined || Number.isNaN(offsets[self.index]) ? base : (addresses[self.index] as number),
    ),
    size: areas.reduce((sum, area) => sum + (area.init ? 0 : area.size), 0),
    base: unsigned(base),
    state: "live",
    taints: "",
    areas: areas.map(({ start, size, text, init }) => ({ start, size, text, init })),
  };
  return { module, bytes, addresses, areas, base };
}
