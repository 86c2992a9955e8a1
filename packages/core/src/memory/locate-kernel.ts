import { SpillwayError } from "../errors.ts";
import type { DumpImage } from "../image/dump-image.ts";
import { type KallsymsLocations, kallsymsFromVmcoreinfo, openKallsyms } from "../symbols/kallsyms.ts";
import { findKallsyms } from "../symbols/kallsyms-find.ts";
import {
  parseVmcoreinfo,
  type Vmcoreinfo,
  vmcoreKaslrOffset,
  vmcoreNumber,
  vmcoreSymbol,
} from "../symbols/vmcoreinfo.ts";
import { findPageTable, physBaseOf } from "./find-page-table.ts";
import { scanForVmcoreinfo, vmcoreinfoAt } from "./find-vmcoreinfo.ts";
import { LINKED_TEXT, mappedKernelRanges, START_KERNEL_MAP } from "./kernel-image.ts";
import type { PagingLevels } from "./page-table.ts";
import { PagedAddressSpace } from "./paged-address-space.ts";

/** The kernel in a dump: how its virtual memory is read. */
export interface KernelLocation {
  readonly memory: PagedAddressSpace;
  readonly levels: PagingLevels;
  /** Physical address of the top page table. */
  readonly pgdPhysical: bigint;
  /** `phys_base`: physical = virtual - 0xffffffff80000000 + physBase for the kernel image. Signed. */
  readonly physBase: bigint;
  /** How far KASLR moved the image, in bytes; null where it cannot be told. */
  readonly kaslrOffset: bigint | null;
  /** Keys and values; empty where the dump holds none. */
  readonly vmcoreinfo: Vmcoreinfo;
  readonly vmcoreinfoText: string | null;
  /** Where kallsyms was found by its content, if that was needed; hand it on to `openSymbols`. */
  readonly kallsyms: KallsymsLocations | null;
  /** How the page tables were found, for people. */
  readonly source: string;
  /** What was missing or contradictory on the way, in words. */
  readonly problems: readonly string[];
}

/** A way into virtual memory. */
interface Entrance {
  readonly space: PagedAddressSpace;
  readonly physBase: bigint;
  readonly source: string;
}

const LA57 = 1n << 12n;
/** With page table isolation a process has two tables; the user's follows the kernel's (PTI_PGTABLE_SWITCH_BIT). */
const USER_TABLE = 0x1000n;
const FRAME_MASK = 0xffffffffff000n;
/** The user's table of a process maps just the entry code of the image, well within this many 2 MiB slots. */
const FEWEST_SLOTS = 3;

/** How many CPUs' registers are tried at most, and when one has led to a kernel. */
const MOST_CPUS = 512;
const ENOUGH_CPUS = 64;

/**
 * Finds the kernel's page tables in a dump: by VMCOREINFO, else by the control registers of QEMU's notes, else by
 * scanning memory; then, where the file has no VMCOREINFO, the kernel's own copy of it. Scans are bounded.
 * @throws SpillwayError `SPW_KERNEL_NOT_FOUND` with what was tried
 */
export function locateKernel(image: DumpImage): KernelLocation {
  const problems: string[] = [];
  const tried: string[] = [];
  const noted = parseVmcoreinfo(image.vmcoreinfo);
  const entrance =
    fromVmcoreinfo(image, noted, tried) ?? fromControlRegisters(image, noted, tried) ?? fromScan(image, tried);
  if (entrance === null) {
    // Where the file itself is damaged, that is the reason more likely than not.
    const damage = image.problems[0];
    const because = damage === undefined ? "" : ` (${damage.message})`;
    throw new SpillwayError(
      "SPW_KERNEL_NOT_FOUND",
      `no page tables of a Linux kernel for x86_64 were found in the dump${because}`,
      {
        class: "missing",
        facts: { tried },
        hint: "Check that the dump is of an x86_64 Linux kernel and is whole.",
      },
    );
  }
  if (noted.size > 0 && tried.length > 0) problems.push(...tried);
  if (noted.size > 0) return finish(entrance, noted, image.vmcoreinfo, null, problems);

  const kallsyms = findKallsyms(entrance.space, mappedKernelRanges(entrance.space));
  const symbols = kallsyms === null ? null : openKallsyms(entrance.space, kallsyms, null);
  const addressOf = (name: string) => {
    const number = symbols?.names.scan(name) ?? -1;
    return number < 0 ? null : BigInt.asUintN(64, BigInt(symbols?.addresses[number] as number));
  };
  const data = addressOf("vmcoreinfo_data");
  const text = (data === null ? null : vmcoreinfoAt(entrance.space, data)) ?? scanForVmcoreinfo(image.memory);
  const found = parseVmcoreinfo(text);
  if (text === null) problems.push("the dump has no VMCOREINFO and none was found in memory");
  // A process's table may lack what the kernel has mapped since (vmalloc areas before 5.9); the kernel's own has all.
  const swapper = vmcoreSymbol(found, "swapper_pg_dir") ?? addressOf("init_top_pgt") ?? addressOf("init_level4_pgt");
  const told = kallsymsFromVmcoreinfo(entrance.space, found) === null ? kallsyms : null;
  const way = preferSwapper(entrance, swapper, found);
  const source = text === null ? way.source : `${way.source}; VMCOREINFO in memory`;
  return finish({ ...way, source }, found, text, told, problems);
}

function finish(
  { space, physBase, source }: Entrance,
  vmcoreinfo: Vmcoreinfo,
  vmcoreinfoText: string | null,
  kallsyms: KallsymsLocations | null,
  problems: readonly string[],
): KernelLocation {
  return {
    memory: space,
    levels: space.levels,
    pgdPhysical: space.pgdPhysical,
    physBase,
    kaslrOffset: vmcoreKaslrOffset(vmcoreinfo) ?? kaslrOffsetOf(space),
    vmcoreinfo,
    vmcoreinfoText,
    kallsyms,
    source,
    problems,
  };
}

/** The image begins on its first mapped slot, so that tells how far it was moved from where it was linked. */
function kaslrOffsetOf(space: PagedAddressSpace): bigint | null {
  const start = mappedKernelRanges(space)[0]?.start;
  return start === undefined || start < LINKED_TEXT ? null : start - LINKED_TEXT;
}

function fromVmcoreinfo(image: DumpImage, info: Vmcoreinfo, tried: string[]): Entrance | null {
  if (info.size === 0) {
    tried.push("the file has no VMCOREINFO");
    return null;
  }
  const swapper = vmcoreSymbol(info, "swapper_pg_dir") ?? vmcoreSymbol(info, "init_top_pgt");
  if (swapper === null) {
    tried.push("VMCOREINFO has no SYMBOL(swapper_pg_dir)");
    return null;
  }
  for (const { physBase, source } of physBaseCandidates(image, info)) {
    const physical = swapper - START_KERNEL_MAP + physBase;
    if (physical < 0n) continue;
    for (const levels of levelCandidates(info)) {
      const space = new PagedAddressSpace(image.memory, physical, levels, encryptionMask(info));
      if (space.translate(swapper) === space.pgdPhysical) return { space, physBase, source };
      const fault = space.explain(swapper);
      const what = fault === null ? "leads elsewhere" : `is ${fault.reason}`;
      tried.push(`${source}: swapper_pg_dir at physical 0x${physical.toString(16)}, ${levels} levels, ${what}`);
    }
  }
  return null;
}

/** NUMBER(phys_base) exists since 4.10 (401721ecd1dc); before 4.8 it was zero wherever KASLR moved the image. */
function* physBaseCandidates(image: DumpImage, info: Vmcoreinfo): Iterable<{ physBase: bigint; source: string }> {
  const number = vmcoreNumber(info, "phys_base");
  if (number !== null) yield { physBase: number, source: "VMCOREINFO" };
  for (const range of image.virtualRanges) {
    if (range.virtual < START_KERNEL_MAP) continue;
    const physBase = range.physical - (range.virtual - START_KERNEL_MAP);
    yield { physBase, source: "VMCOREINFO and the file's own map of the kernel" };
  }
  if (number !== 0n) yield { physBase: 0n, source: "VMCOREINFO, taking phys_base for 0" };
}

function levelCandidates(info: Vmcoreinfo): readonly PagingLevels[] {
  const enabled = vmcoreNumber(info, "pgtable_l5_enabled");
  // The key came with 5-level paging (4.17, c0b5d9fb45f6 made it a fact of run time); kernels without it have four.
  return enabled === null || enabled === 0n ? [4, 5] : [5, 4];
}

function encryptionMask(info: Vmcoreinfo): bigint {
  return BigInt.asUintN(64, vmcoreNumber(info, "sme_mask") ?? 0n);
}

function fromControlRegisters(image: DumpImage, info: Vmcoreinfo, tried: string[]): Entrance | null {
  let best: PagedAddressSpace | null = null;
  let most = 0;
  let registers = 0;
  for (const note of image.cpuNotes) {
    if (note.control === null || note.control.cr3 === 0n) continue;
    registers++;
    const levels = (note.control.cr4 & LA57) !== 0n ? 5 : 4;
    const pgd = note.control.cr3 & FRAME_MASK;
    // A CPU in user mode under PTI points at the user's half; the kernel's table is the page before.
    for (const candidate of (pgd & USER_TABLE) !== 0n ? [pgd & ~USER_TABLE, pgd] : [pgd]) {
      const space = new PagedAddressSpace(image.memory, candidate, levels, encryptionMask(info));
      const slots = mappedSlots(space);
      if (slots > most && physBaseOf(space) !== null) {
        best = space;
        most = slots;
      }
    }
    if (registers >= (best === null ? MOST_CPUS : ENOUGH_CPUS)) break;
  }
  if (registers === 0) tried.push("no CPU note has control registers");
  else if (most < FEWEST_SLOTS) tried.push(`CR3 of ${registers} CPUs leads to no kernel image`);
  if (best === null || most < FEWEST_SLOTS) return null;
  const physBase = physBaseOf(best);
  if (physBase === null) return null;
  const entrance: Entrance = { space: best, physBase, source: "control registers of the CPU notes" };
  return preferSwapper(entrance, vmcoreSymbol(info, "swapper_pg_dir"), info);
}

function mappedSlots(space: PagedAddressSpace): number {
  let slots = 0;
  for (const range of mappedKernelRanges(space)) slots += Number((range.end - range.start) >> 21n);
  return slots;
}

function fromScan(image: DumpImage, tried: string[]): Entrance | null {
  const found = findPageTable(image.memory);
  if (found === null) {
    tried.push("no page of memory looks like the kernel's top page table");
    return null;
  }
  return { ...found, source: "a scan of memory for the kernel's page table" };
}

/** The same memory through swapper_pg_dir, if that is known and maps itself. */
function preferSwapper(entrance: Entrance, swapper: bigint | null, info: Vmcoreinfo): Entrance {
  const physical = swapper === null ? null : entrance.space.translate(swapper);
  if (swapper === null || physical === null || physical === entrance.space.pgdPhysical) return entrance;
  const space = new PagedAddressSpace(entrance.space.physical, physical, entrance.space.levels, encryptionMask(info));
  return space.translate(swapper) === physical ? { ...entrance, space } : entrance;
}
