import type { AddressSpace } from "../memory/address-space.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import { buildIdOf } from "./elf/notes.ts";

/** What a module's struct says: every section it was loaded with has an attribute below /sys/module/NAME/sections. */
export interface ModuleImage {
  /** Addresses by section name; null where they cannot be read (no CONFIG_KALLSYMS, or the memory is missing). */
  readonly sections: ReadonlyMap<string, bigint> | null;
  /** Null where it cannot be read, or the module has none. */
  readonly buildId: Uint8Array | null;
}

/** A module built with -ffunction-sections has some thousands. */
const MOST_SECTIONS = 1 << 14;
const LONGEST_NAME = 256;
const LONGEST_NOTES = 65536;

/** Reads where a loaded module's sections lie, and its build-id, from its `struct module`. */
export function readModuleImage(memory: AddressSpace, types: TypeProvider, module: bigint): ModuleImage {
  const reader = new StructReader(memory, types);
  return { sections: readSections(reader, module), buildId: readBuildId(reader, module) };
}

function readSections(reader: StructReader, module: bigint): Map<string, bigint> | null {
  const attributes = reader.pointer("module", "sect_attrs", module);
  if (attributes === null) return null;
  const sections = new Map<string, bigint>();
  const add = (name: bigint | null, address: bigint | null) => {
    const text = name === null ? null : reader.memory.cstring(name, LONGEST_NAME);
    if (text !== null && text !== "" && address !== null) sections.set(text, address);
  };
  if (reader.has("module_sect_attrs", "nsections")) {
    const count = reader.u32("module_sect_attrs", "nsections", attributes);
    const list = reader.address("module_sect_attrs", "attrs", attributes);
    const size = reader.types.sizeOf("module_sect_attr");
    if (count === null || list === null || size === null) return null;
    // The name is the attribute's own from 5.8 (ed66f991bb19), a member beside it before.
    const name = reader.has("module_sect_attr", "battr") ? "battr.attr.name" : "name";
    for (let i = 0; i < Math.min(count, MOST_SECTIONS); i++) {
      const one = list + BigInt(i * size);
      add(reader.pointer("module_sect_attr", name, one), reader.u64("module_sect_attr", "address", one));
    }
  } else {
    // 6.14 (d8959b947a8d, 4b2c11e4aaf7): a list of attributes that ends in NULL, the address in `private`.
    for (const one of reader.attributeList("module_sect_attrs", attributes)) {
      add(reader.pointer("bin_attribute", "attr.name", one), reader.u64("bin_attribute", "private", one));
    }
  }
  // The kernel moves it out of the module, so it has no attribute (add_sect_attrs, kernel/module/sysfs.c).
  const perCpu = reader.pointer("module", "percpu", module);
  if (perCpu !== null) sections.set(".data..percpu", perCpu);
  return sections.size === 0 ? null : sections;
}

function readBuildId(reader: StructReader, module: bigint): Uint8Array | null {
  const attributes = reader.pointer("module", "notes_attrs", module);
  if (attributes === null) return null;
  for (const one of noteAttributes(reader, attributes)) {
    const address = reader.pointer("bin_attribute", "private", one);
    const size = reader.u64("bin_attribute", "size", one);
    if (address === null || size === null || size > LONGEST_NOTES) continue;
    const notes = reader.memory.read(address, Number(size));
    const id = notes === null ? null : buildIdOf(notes);
    if (id !== null) return id;
  }
  return null;
}

function noteAttributes(reader: StructReader, attributes: bigint): Iterable<bigint> {
  // A list that ends in NULL from 6.14 (4723f16de64e), an array before.
  if (reader.has("module_notes_attrs", "grp")) return reader.attributeList("module_notes_attrs", attributes);
  const count = reader.u32("module_notes_attrs", "notes", attributes);
  const list = reader.address("module_notes_attrs", "attrs", attributes);
  const size = reader.types.sizeOf("bin_attribute");
  if (count === null || list === null || size === null) return [];
  return Array.from({ length: Math.min(count, MOST_SECTIONS) }, (_, i) => list + BigInt(i * size));
}

/** Reads members of structs by their names; null where the struct, the member or the memory is missing. */
class StructReader {
  readonly memory: AddressSpace;
  readonly types: TypeProvider;

  constructor(memory: AddressSpace, types: TypeProvider) {
    this.memory = memory;
    this.types = types;
  }

  has(struct: string, member: string): boolean {
    return this.types.member(struct, member) !== null;
  }

  address(struct: string, member: string, at: bigint): bigint | null {
    const place = this.types.member(struct, member);
    return place === null ? null : at + BigInt(place.offset);
  }

  u64(struct: string, member: string, at: bigint): bigint | null {
    const address = this.address(struct, member, at);
    return address === null ? null : this.memory.u64(address);
  }

  u32(struct: string, member: string, at: bigint): number | null {
    const address = this.address(struct, member, at);
    return address === null ? null : this.memory.u32(address);
  }

  /** A pointer's value; null also where it is NULL. */
  pointer(struct: string, member: string, at: bigint): bigint | null {
    return this.u64(struct, member, at) || null;
  }

  /** The `struct bin_attribute`s of an attribute group. */
  *attributeList(struct: string, at: bigint): Generator<bigint> {
    const list = this.pointer(struct, "grp.bin_attrs", at);
    if (list === null) return;
    for (let i = 0; i < MOST_SECTIONS; i++) {
      const one = this.memory.u64(list + BigInt(i * 8));
      if (one === null || one === 0n) return;
      yield one;
    }
  }
}
