import type { AddressSpace } from "../memory/address-space.ts";
import type { SymbolTable } from "../symbols/symbol-table.ts";
import { buildIdOf, hexBuildId } from "./elf/notes.ts";

const LONGEST_NOTES = 65536;

/** The kernel's GNU build-id in hexadecimal: from VMCOREINFO (5.9, 0935288c6e008) or its own notes; null where neither is there. */
export function kernelBuildId(
  memory: AddressSpace,
  symbols: SymbolTable,
  vmcoreinfo: ReadonlyMap<string, string>,
): string | null {
  const noted = vmcoreinfo.get("BUILD-ID");
  if (noted !== undefined && /^[0-9a-f]{8,128}$/.test(noted)) return noted;
  const start = symbols.byName("__start_notes", null)?.address;
  const stop = symbols.byName("__stop_notes", null)?.address;
  if (start === undefined || stop === undefined || stop <= start || stop - start > BigInt(LONGEST_NOTES)) return null;
  const notes = memory.read(start, Number(stop - start));
  const id = notes === null ? null : buildIdOf(notes);
  return id === null ? null : hexBuildId(id);
}
