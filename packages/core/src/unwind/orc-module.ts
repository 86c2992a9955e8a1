import type { AddressSpace } from "../memory/address-space.ts";
import type { KernelModule } from "../symbols/symbol-table.ts";
import { OrcSection } from "./orc-section.ts";

/** `struct module` is 0.9 to 1.5 KB in the kernels since 4.14; it is aligned to a cache line. */
const MODULE_SIZE = 2048;
/** Entries of the largest modules (amdgpu, i915) are a few hundred thousand. */
const MAX_ENTRIES = 4_000_000;

/**
 * Finds a module's ORC tables by their look, so that no type information is needed: inside `struct module`,
 * mod_arch_specific is {unsigned num_orcs; int *orc_unwind_ip; struct orc_entry *orc_unwind} since 4.14
 * (arch/x86/include/asm/module.h). A count followed by two pointers, the first to offsets that lead, in ascending
 * order, into the module's own text, is nothing else.
 * Null where the module has no ORC data or its `struct module` cannot be read.
 */
export function findModuleOrc(space: AddressSpace, module: KernelModule): OrcSection | null {
  const inside = (address: bigint): boolean =>
    module.areas.some((area) => address >= area.start && address < area.start + BigInt(area.size));
  const { bytes } = space.readSparse(module.address, MODULE_SIZE);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 24 <= bytes.length; at += 8) {
    const count = view.getUint32(at, true);
    if (count === 0 || count > MAX_ENTRIES) continue;
    const ip = view.getBigUint64(at + 8, true);
    const orc = view.getBigUint64(at + 16, true);
    // The linker aligns neither table, and either may come first.
    if (ip >> 47n !== 0x1ffffn || orc >> 47n !== 0x1ffffn) continue;
    const section = new OrcSection(space, ip, orc, count);
    if (looksSorted(section, inside)) return section;
  }
  return null;
}

/**
 * The table begins in the module, ascends, and can be read to its end. Its last part may lead outside: init text has been
 * given back when the module runs.
 */
function looksSorted(section: OrcSection, inside: (address: bigint) => boolean): boolean {
  const samples = Math.min(section.count, 16);
  let previous = -1n;
  let within = 0;
  for (let n = 0; n < samples; n++) {
    const start = section.startOf(Math.floor((n * (section.count - 1)) / Math.max(1, samples - 1)));
    if (start === null || start < previous || (n === 0 && !inside(start))) return false;
    if (inside(start) || inside(start - 1n)) within++;
    previous = start;
  }
  return within * 2 > samples && section.entry(section.count - 1) !== null;
}
