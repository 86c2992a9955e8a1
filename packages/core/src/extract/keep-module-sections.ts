import { isKernelAddress } from "../kernel/context.ts";
import type { Keeper } from "./keeper.ts";

/** No module has more sections, nor longer notes. */
const MOST_ATTRIBUTES = 4096;
const LONGEST_NOTE = 65536;

/**
 * Keeps what /sys/module/NAME/sections and notes show, by which drgn learns where a module's sections lie (its unwind tables
 * among them) and which build it is.
 * @param module address of a `struct module`
 */
export function keepModuleSections(keeper: Keeper, module: bigint): void {
  for (const section of attributes(
    keeper,
    module,
    "sect_attrs",
    "module_sect_attrs",
    "nsections",
    "module_sect_attr",
  )) {
    keeper.struct(section, "module_sect_attr", 80);
    keepName(keeper, section);
  }
  const data = keeper.kernel.types.member("bin_attribute", "private");
  const size = keeper.kernel.types.member("bin_attribute", "size");
  for (const note of attributes(keeper, module, "notes_attrs", "module_notes_attrs", "notes", "bin_attribute")) {
    keeper.struct(note, "bin_attribute", 72);
    keepName(keeper, note);
    if (data === null || size === null) continue;
    const bytes = keeper.space.u64(note + BigInt(data.offset));
    const length = keeper.space.u64(note + BigInt(size.offset));
    if (bytes !== null && length !== null && length <= LONGEST_NOTE) keeper.range(bytes, Number(length));
  }
}

/** Addresses of a module's attributes: an array behind a count, or since 6.14 (d8959b947a8d, 4723f16de64e) the group's pointers. */
function attributes(
  keeper: Keeper,
  module: bigint,
  member: string,
  type: string,
  counter: string,
  element: string,
): bigint[] {
  const { types } = keeper.kernel;
  const start = keeper.member(module, "module", member);
  if (start === null || !isKernelAddress(start)) return [];
  keeper.struct(start, type, 64);
  const count = types.member(type, counter);
  const array = types.member(type, "attrs");
  const stride = types.sizeOf(element);
  if (count !== null && array !== null && stride !== null) {
    const length = Math.min(keeper.space.u32(start + BigInt(count.offset)) ?? 0, MOST_ATTRIBUTES);
    return Array.from({ length }, (_, i) => start + BigInt(array.offset + i * stride));
  }
  const list = keeper.member(start, type, "grp.bin_attrs");
  const found: bigint[] = [];
  while (list !== null && isKernelAddress(list) && found.length < MOST_ATTRIBUTES) {
    const attribute = keeper.space.u64(list + BigInt(found.length * 8));
    if (attribute === null || !isKernelAddress(attribute)) break;
    found.push(attribute);
  }
  return found;
}

/** `struct attribute`, which begins both kinds, begins with the pointer to its name. */
function keepName(keeper: Keeper, attribute: bigint): void {
  const name = keeper.space.u64(attribute);
  if (name !== null && isKernelAddress(name)) keeper.space.cstring(name, 256);
}
