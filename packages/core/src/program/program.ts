/**
 * A kernel whose code is studied, whether it ever crashed or not: out of a vmlinux, a compressed boot image, a dump, or the
 * running machine's memory, with the modules of a folder placed beside it where they are not loaded already.
 */
import type { ModuleImage } from "../debuginfo/module-sections.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { SymbolTable } from "../symbols/symbol-table.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import type { OrcTable } from "../unwind/orc.ts";

/** What a program came out of. `live`: /proc/kcore. */
export const PROGRAM_SOURCES = ["vmlinux", "vmlinuz", "vmcore", "live"] as const;
export type ProgramSource = (typeof PROGRAM_SOURCES)[number];

/** A run of memory of the kernel or of one module. */
export interface ProgramArea {
  readonly start: bigint;
  /** One past its last byte. */
  readonly end: bigint;
  /** Null for the kernel itself. */
  readonly module: string | null;
  /** What it holds, in the manner of section names: ".text", ".init.text", ".rodata", ".data", ".bss", ".data..percpu". */
  readonly section: string;
  /** Gone once the kernel (or the module) has started: its calls are no part of any budget at run time. */
  readonly init: boolean;
}

/**
 * Instructions that the kernel may put in the place of others when it boots (`struct alt_instr`). Empty for a program out
 * of a dump: there the choice has been made, and the text is what ran.
 */
export interface Alternative {
  readonly site: bigint;
  /** Bytes that are replaced. */
  readonly length: number;
  readonly replacement: bigint;
  /** Bytes of the replacement; 0: only padding takes the place. */
  readonly replacementLength: number;
}

/**
 * Places at which a relocation puts an absolute address (in data, or inside an instruction), ascending, as columns. Addresses
 * are signed 32-bit numbers, as in the call graph. What code reaches relative to RIP has no place here: the code tells.
 */
export interface RelocationColumns {
  readonly count: number;
  readonly place: Int32Array;
  /** The address that stands there. */
  readonly target: Int32Array;
}

/** Everything behind a getter is found when it is first asked for. */
export interface Program {
  readonly source: ProgramSource;
  /** Of the file or the machine, for people. */
  readonly name: string;
  /** As `uname -r` says it; null where it is not told. */
  readonly release: string | null;
  /** Text and initialised data, at the addresses that the code was linked (or relocated, or loaded) for. */
  readonly memory: AddressSpace;
  readonly symbols: SymbolTable;
  /** Null where the kernel has none. */
  readonly orc: OrcTable | null;
  /** BTF of the kernel, or an empty provider. */
  readonly types: TypeProvider;
  /** BTF of a module on top of the kernel's; `types` where it has none of its own. */
  moduleTypes(module: string): TypeProvider;
  /** Where a module's sections lie, and which build it is; null where there is no module of that name, or nothing tells. */
  moduleImage(module: string): ModuleImage | null;
  /** Code, in ascending order of address. */
  readonly text: readonly ProgramArea[];
  /**
   * Data that can hold pointers to functions: operations tables, handlers, work items, per-CPU data; ascending. Out of a
   * file as the compiler initialised them; out of a dump as they were then, zeroed sections and one CPU's copy of the
   * per-CPU data among them.
   */
  readonly data: readonly ProgramArea[];
  readonly alternatives: readonly Alternative[];
  /** Null where the input has none left, and every aligned word has to be looked at instead. */
  readonly relocations: RelocationColumns | null;
  /** THREAD_SIZE in bytes. */
  readonly threadSize: number;
  /** What is missing or could not be understood, in words, as far as it has come to light. */
  readonly problems: readonly string[];
}
