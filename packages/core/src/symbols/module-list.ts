import type { AddressSpace } from "../memory/address-space.ts";
import type { MemberLocation, TypeProvider } from "../types/type-provider.ts";
import { MODULE_LIST, MODULE_NAME, ModuleContent } from "./module-content.ts";
import type { KernelModule } from "./symbol-table.ts";

/** More modules than any kernel loads; ends hostile lists together with the check for repeats. */
const MOST_MODULES = 8192;
/** The module mapping space is 1.5 GiB at most; no area is longer. */
const LONGEST_AREA = 0x60000000;
const NAME_LENGTH = 56;

/** Where the symbols of a module lie: `struct mod_kallsyms`, or the same members in `struct module` before 4.5. */
export interface ModuleSymbolsLocation {
  readonly symtab: bigint;
  readonly count: number;
  readonly strtab: bigint;
  /** One type letter a symbol (5.2, 1c7651f43777), or null. */
  readonly typetab: bigint | null;
}

export interface LoadedModule extends KernelModule {
  readonly symbols: ModuleSymbolsLocation | null;
}

/**
 * Walks the kernel's list of modules.
 * @param head address of the symbol `modules` (a `struct list_head`)
 * @param problems takes, in words, what could not be read
 */
export function readModules(
  space: AddressSpace,
  types: TypeProvider,
  head: bigint,
  problems: string[],
): readonly LoadedModule[] {
  const layout = moduleLayout(types);
  const modules: LoadedModule[] = [];
  const seen = new Set<bigint>();
  let node = space.u64(head);
  while (node !== head) {
    if (node === null || seen.has(node) || modules.length >= MOST_MODULES) {
      problems.push(`the list of modules ends unreadably after ${modules.length}`);
      break;
    }
    seen.add(node);
    const module =
      layout === null
        ? moduleByContent(space, node - BigInt(MODULE_LIST))
        : readModule(space, types, layout, node - BigInt(layout.list.offset));
    if (module !== null) modules.push(module);
    node = space.u64(node);
  }
  return modules;
}

interface ModuleLayout {
  readonly list: MemberLocation;
  readonly name: MemberLocation;
  readonly state: MemberLocation | null;
  readonly taints: MemberLocation | null;
}

function moduleLayout(types: TypeProvider): ModuleLayout | null {
  const list = types.member("module", "list");
  const name = types.member("module", "name");
  if (list === null || name === null) return null;
  return { list, name, state: types.member("module", "state"), taints: types.member("module", "taints") };
}

/** A module of a kernel without type information. */
function moduleByContent(space: AddressSpace, address: bigint): LoadedModule | null {
  const name = space.cstring(address + BigInt(MODULE_NAME), NAME_LENGTH);
  if (name === null || !/^\w[\w.-]*$/.test(name)) return null;
  const content = new ModuleContent(space, address);
  const areas = content.areas();
  return {
    name,
    address,
    size: areas.reduce((sum, area) => sum + area.size, 0),
    base: areas[0]?.start ?? 0n,
    state: stateOf(space.u32(address)),
    taints: "",
    areas,
    symbols: content.symbols(areas),
  };
}

function readModule(
  space: AddressSpace,
  types: TypeProvider,
  layout: ModuleLayout,
  address: bigint,
): LoadedModule | null {
  const name = space.cstring(address + BigInt(layout.name.offset), NAME_LENGTH);
  if (name === null || name === "") return null;
  const areas = readAreas(space, types, address);
  const core = areas.filter((area) => !area.init);
  const placed = core.length > 0 ? core : areas;
  let base = placed[0]?.start ?? 0n;
  for (const area of placed) if (area.start < base) base = area.start;
  return {
    name,
    address,
    size: core.reduce((sum, area) => sum + area.size, 0),
    base,
    state: readState(space, address, layout.state),
    taints: readTaints(space, address, layout.taints),
    areas,
    symbols: readSymbolsLocation(space, types, address),
  };
}

/** `enum module_state` in its order since 3.8. */
function readState(space: AddressSpace, module: bigint, member: MemberLocation | null): KernelModule["state"] {
  return stateOf(member === null ? null : space.u32(module + BigInt(member.offset)));
}

function stateOf(value: number | null): KernelModule["state"] {
  return value === 1 ? "coming" : value === 2 ? "going" : value === 3 ? "unformed" : "live";
}

/** Letters of kernel/panic.c `taint_flags` by bit. */
const TAINT_LETTERS = "PFSRMBUDAWCIOELKXTNJ";

function readTaints(space: AddressSpace, module: bigint, member: MemberLocation | null): string {
  const bits = member === null ? null : space.u32(module + BigInt(member.offset));
  if (bits === null) return "";
  return [...TAINT_LETTERS].filter((_, bit) => ((bits >>> bit) & 1) !== 0).join("");
}

interface Area {
  readonly start: bigint;
  readonly size: number;
  readonly text: boolean;
  readonly init: boolean;
}

function readAreas(space: AddressSpace, types: TypeProvider, module: bigint): Area[] {
  const areas: Area[] = [];
  const add = (start: bigint | null, size: number | null, text: boolean, init: boolean) => {
    if (start === null || start === 0n || size === null || size === 0 || size > LONGEST_AREA) return;
    areas.push({ start, size, text, init });
  };
  const at = (member: MemberLocation | null) => (member === null ? null : module + BigInt(member.offset));
  const u64 = (address: bigint | null) => (address === null ? null : space.u64(address));
  const u32 = (address: bigint | null) => (address === null ? null : space.u32(address));

  // 6.4 on (ac3b43283923): mem[MOD_MEM_NUM_TYPES], one area for each kind.
  const mem = types.member("module", "mem");
  if (mem !== null && mem.type.kind === "array") {
    const base = types.member("module_memory", "base");
    const size = types.member("module_memory", "size");
    const stride = types.sizeOf("module_memory");
    if (base === null || size === null || stride === null) return areas;
    const text = types.enumerator("MOD_TEXT") ?? 0n;
    const initText = types.enumerator("MOD_INIT_TEXT") ?? 4n;
    for (let kind = 0; kind < Math.min(mem.type.length, 16); kind++) {
      const area = module + BigInt(mem.offset + kind * stride);
      const isText = BigInt(kind) === text || BigInt(kind) === initText;
      add(
        space.u64(area + BigInt(base.offset)),
        space.u32(area + BigInt(size.offset)),
        isText,
        BigInt(kind) >= initText,
      );
    }
    return areas;
  }

  // 4.5 to 6.3 (7523e4dc5057): core_layout and init_layout, text first; data_layout from 5.18 on some architectures.
  // Before: the same as members of struct module itself.
  const layouts = types.member("module", "core_layout") !== null;
  for (const [part, init] of [
    ["core", false],
    ["init", true],
  ] as const) {
    const start = u64(at(types.member("module", layouts ? `${part}_layout.base` : `module_${part}`)));
    const size = u32(at(types.member("module", layouts ? `${part}_layout.size` : `${part}_size`)));
    const textSize = u32(at(types.member("module", layouts ? `${part}_layout.text_size` : `${part}_text_size`))) ?? 0;
    if (start === null || size === null) continue;
    const text = Math.min(textSize, size);
    add(start, text, true, init);
    add(start + BigInt(text), size - text, false, init);
  }
  if (types.member("module", "data_layout") !== null) {
    add(
      u64(at(types.member("module", "data_layout.base"))),
      u32(at(types.member("module", "data_layout.size"))),
      false,
      false,
    );
  }
  return areas;
}

function readSymbolsLocation(space: AddressSpace, types: TypeProvider, module: bigint): ModuleSymbolsLocation | null {
  // `kallsyms` points to the full table while the module initialises, to `core_kallsyms` after (8244062ef1e5, 4.5).
  const pointer = types.member("module", "kallsyms");
  const core = types.member("module", "core_kallsyms");
  let from: bigint | null = null;
  let struct = "mod_kallsyms";
  if (pointer !== null) from = space.u64(module + BigInt(pointer.offset));
  if ((from === null || from === 0n) && core !== null) from = module + BigInt(core.offset);
  if (pointer === null && core === null) {
    from = module;
    struct = "module";
  }
  if (from === null) return null;
  const start = from;
  const value = (name: string) => {
    const member = types.member(struct, name);
    return member === null ? null : space.u64(start + BigInt(member.offset));
  };
  const number = types.member(struct, "num_symtab");
  const symtab = value("symtab");
  const strtab = value("strtab");
  const count = number === null ? null : space.u32(start + BigInt(number.offset));
  if (symtab === null || symtab === 0n || strtab === null || strtab === 0n || count === null) return null;
  return { symtab, count, strtab, typetab: value("typetab") };
}
