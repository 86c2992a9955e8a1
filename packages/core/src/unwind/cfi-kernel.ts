/** Where a kernel's call frame information is: in debug files, or in the kernel's own memory. */
import type { DwarfFile } from "../debuginfo/dwarf/dwarf-file.ts";
import type { DebugSection } from "../debuginfo/elf/debug-section.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { signedAddress } from "../symbols/kallsyms-addresses.ts";
import type { SymbolTable } from "../symbols/symbol-table.ts";
import type { CfiRow, CfiTable } from "./cfi.ts";
import { CfiHeader } from "./cfi-header.ts";
import { CfiSectionTable } from "./cfi-table.ts";

/** Finds the debug file for an address of the running kernel, with the address as that file has it (DebugFiles). */
export interface CfiFiles {
  at(address: bigint): { readonly file: DwarfFile; readonly pc: number } | null;
}

/** The CFI in debug files: .debug_frame, at link-time addresses for vmlinux, relocated for modules. */
export class CfiOfFiles implements CfiTable {
  readonly #files: CfiFiles;
  readonly #tables = new Map<DwarfFile, CfiSectionTable | null>();

  constructor(files: CfiFiles) {
    this.#files = files;
  }

  find(pc: bigint): CfiRow | null {
    const place = this.#files.at(pc);
    return place === null ? null : (this.#table(place.file)?.find(place.pc) ?? null);
  }

  #table(file: DwarfFile): CfiSectionTable | null {
    let table = this.#tables.get(file);
    if (table === undefined) {
      const section = file.section(".debug_frame");
      table = section === null ? null : new CfiSectionTable({ kind: "debug_frame", section, address: 0 });
      this.#tables.set(file, table);
    }
    return table;
  }
}

/** Symbols around .eh_frame and .eh_frame_hdr in kernels that keep them in memory. */
const IN_MEMORY = [
  // SUSE's kernels with CONFIG_STACK_UNWIND, and kernel.org's 2.6.18 to 2.6.19 (include/asm-generic/vmlinux.lds.h).
  { frames: ["__start_unwind", "__end_unwind"], header: ["__start_unwind_hdr", "__end_unwind_hdr"] },
  // CONFIG_UNWIND_TABLES since 6.2 (68c76ad4a957; arm64 so far).
  { frames: ["__eh_frame_start", "__eh_frame_end"], header: null },
] as const;

const LARGEST = 64n << 20n;

/** The .eh_frame that the kernel itself has in memory; null where it has none, as most. */
export function openCfiInMemory(memory: AddressSpace, symbols: SymbolTable): CfiTable | null {
  const range = (names: readonly [string, string] | null) => {
    const start = names === null ? undefined : symbols.byName(names[0], null)?.address;
    const end = names === null ? undefined : symbols.byName(names[1], null)?.address;
    return start !== undefined && end !== undefined && end > start && end - start <= LARGEST ? { start, end } : null;
  };
  for (const { frames, header } of IN_MEMORY) {
    const place = range(frames);
    if (place === null) continue;
    const hdr = range(header);
    const sorted = hdr === null ? null : CfiHeader.open(inMemory(memory, hdr), signedAddress(hdr.start));
    const address = signedAddress(place.start);
    const table = new CfiSectionTable({
      kind: "eh_frame",
      section: inMemory(memory, place),
      address,
      header: sorted?.frames === address ? sorted : null,
    });
    return { find: (pc) => table.find(signedAddress(pc)) };
  }
  return null;
}

/** A range of the kernel's memory as a section. */
function inMemory(
  memory: AddressSpace,
  { start, end }: { readonly start: bigint; readonly end: bigint },
): DebugSection {
  const size = Number(end - start);
  return {
    name: ".eh_frame",
    size,
    bytes: (offset, length) =>
      offset >= 0 && length >= 0 && offset + length <= size ? memory.read(start + BigInt(offset), length) : null,
    cstring: () => null,
  };
}
