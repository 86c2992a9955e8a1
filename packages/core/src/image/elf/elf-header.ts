/**
 * The ELF-64 header and program headers of a core file, as far as a dump reader needs them.
 * Source of the layout: System V gABI, and `include/uapi/linux/elf.h` in the kernel.
 */

import type { ByteSource } from "../../bytes/byte-source.ts";
import { readExactly, u64, viewOf } from "../../bytes/read.ts";
import { SpillwayError } from "../../errors.ts";

export const PT_LOAD = 1;
export const PT_NOTE = 4;

const EHDR_SIZE = 64;
const PHDR_SIZE = 56;
/** `e_phnum` says "look in section header 0" (gABI, chapter 5). */
const PN_XNUM = 0xffff;
/** Far above any machine's number of memory ranges; a file that claims more is damaged. */
const MAX_SEGMENTS = 1 << 18;
const SEGMENTS_PER_READ = 1024;

export interface ProgramHeader {
  readonly type: number;
  readonly fileOffset: number;
  readonly virtual: bigint;
  /** Physical address in bytes; may be past 2^53 (rounded) where the writer put -1 for "unknown". */
  readonly physical: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

/**
 * Reads the program headers. The caller has checked class, byte order, type and machine.
 * `e_ehsize` is not looked at: QEMU 7.2 writes 8 there.
 *
 * @throws SpillwayError `SPW_IMAGE_TRUNCATED`, `SPW_IMAGE_CORRUPT`
 */
export function readProgramHeaders(source: ByteSource): ProgramHeader[] {
  const header = readExactly(source, 0, EHDR_SIZE);
  if (header === null) throw truncatedHeaders(source, EHDR_SIZE);
  const view = viewOf(header);
  const tableOffset = u64(view, 32);
  const sectionOffset = u64(view, 40);
  const entrySize = view.getUint16(54, true);
  let count = view.getUint16(56, true);

  if (count === PN_XNUM) {
    // Section header 0 holds the true number in sh_info, at byte 44.
    const section = readExactly(source, sectionOffset, 64);
    if (section === null) throw truncatedHeaders(source, sectionOffset + 64);
    count = viewOf(section).getUint32(44, true);
  }
  if (count === 0) {
    throw new SpillwayError("SPW_IMAGE_CORRUPT", `${source.name}: the ELF core has no program headers, so no memory`, {
      facts: { offset: 56 },
    });
  }
  if (entrySize !== PHDR_SIZE || count > MAX_SEGMENTS) {
    throw new SpillwayError(
      "SPW_IMAGE_CORRUPT",
      `${source.name}: the ELF header is damaged: it claims ${count} program headers of ${entrySize} bytes`,
      { facts: { offset: 54, count, entrySize } },
    );
  }
  const tableEnd = tableOffset + count * PHDR_SIZE;
  if (tableEnd > source.size) throw truncatedHeaders(source, tableEnd);

  const headers: ProgramHeader[] = [];
  for (let first = 0; first < count; first += SEGMENTS_PER_READ) {
    const some = Math.min(SEGMENTS_PER_READ, count - first);
    const bytes = readExactly(source, tableOffset + first * PHDR_SIZE, some * PHDR_SIZE);
    if (bytes === null) throw truncatedHeaders(source, tableEnd);
    const table = viewOf(bytes);
    for (let i = 0; i < some; i++) {
      const at = i * PHDR_SIZE;
      const type = table.getUint32(at, true);
      if (type !== PT_LOAD && type !== PT_NOTE) continue;
      headers.push({
        type,
        fileOffset: u64(table, at + 8),
        virtual: table.getBigUint64(at + 16, true),
        physical: u64(table, at + 24),
        fileSize: u64(table, at + 32),
        memorySize: u64(table, at + 40),
      });
    }
  }
  return headers;
}

function truncatedHeaders(source: ByteSource, needed: number): SpillwayError {
  return new SpillwayError(
    "SPW_IMAGE_TRUNCATED",
    `${source.name}: the file ends at byte ${source.size}, inside its ELF headers (they reach byte ${needed})`,
    { facts: { size: source.size, needed }, hint: "The copy of the dump was cut short; copy it again." },
  );
}
