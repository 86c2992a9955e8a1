import { type ByteSource, MemorySource } from "../bytes/byte-source.ts";
import { readExactly, u64, viewOf } from "../bytes/read.ts";
import { type ElfSection, EM_X86_64, readSections, SHT_NOBITS } from "../debuginfo/elf/elf-sections.ts";
import { SpillwayError } from "../errors.ts";
import type { Segment } from "./segment-space.ts";

/** Sizes and numbers of the System V gABI, chapters 4 and 5. */
const EHDR_SIZE = 64;
const PHDR_SIZE = 56;
const SHDR_SIZE = 64;
const PT_LOAD = 1;
const ET_EXEC = 2;
const ET_DYN = 3;

/** A kernel's image is limited to 1 GiB of address space (KERNEL_IMAGE_SIZE), and none fills a quarter of it. */
const LARGEST_IMAGE = 1 << 28;
const MOST_SEGMENTS = 64;

export interface ImageSegment extends Segment {
  /** `p_paddr`. */
  readonly physical: bigint;
}

/** An executable ELF file of a kernel: what it has in memory, and its section headers if it has any. */
export interface ElfImage {
  readonly source: ByteSource;
  readonly segments: readonly ImageSegment[];
  readonly sections: readonly ElfSection[];
  /** One past the last byte of the file that its headers speak of. */
  readonly fileEnd: number;
  readonly problems: readonly string[];
}

/**
 * Reads a vmlinux. Its loaded segments are read whole; sections are only listed.
 * @throws SpillwayError `SPW_PROGRAM_UNKNOWN_FORMAT`, `SPW_PROGRAM_WRONG_ARCH`, `SPW_PROGRAM_DAMAGED`
 */
export function readElfImage(source: ByteSource): ElfImage {
  const header = readExactly(source, 0, EHDR_SIZE);
  if (header === null || viewOf(header).getUint32(0, false) !== 0x7f454c46) {
    throw new SpillwayError("SPW_PROGRAM_UNKNOWN_FORMAT", `${source.name}: not an ELF file`, {
      facts: { path: source.name },
      hint: "Give a vmlinux, a vmlinuz, or a dump.",
    });
  }
  const view = viewOf(header);
  const type = view.getUint16(16, true);
  const machine = view.getUint16(18, true);
  if (header[4] !== 2 || header[5] !== 1 || machine !== EM_X86_64) {
    throw new SpillwayError("SPW_PROGRAM_WRONG_ARCH", `${source.name}: a kernel of another machine than x86_64`, {
      facts: { path: source.name, machine },
    });
  }
  if (type !== ET_EXEC && type !== ET_DYN) {
    throw new SpillwayError("SPW_PROGRAM_UNKNOWN_FORMAT", `${source.name}: an ELF file, but no linked kernel`, {
      facts: { path: source.name, type },
      hint: type === 1 ? "A module goes with its kernel: give the kernel, and the module's folder with --modules." : "",
    });
  }
  const problems: string[] = [];
  const { segments, end } = readSegments(source, view, problems);
  const sections = sectionsOf(source, view, problems);
  let fileEnd = Math.max(end, EHDR_SIZE);
  if (sections.length > 0) fileEnd = Math.max(fileEnd, u64(view, 40) + sections.length * SHDR_SIZE);
  for (const section of sections) {
    if (section.type !== SHT_NOBITS) fileEnd = Math.max(fileEnd, section.offset + section.size);
  }
  return { source, segments, sections, fileEnd, problems };
}

function readSegments(
  source: ByteSource,
  header: DataView,
  problems: string[],
): { segments: ImageSegment[]; end: number } {
  const start = u64(header, 32);
  const count = header.getUint16(56, true);
  const table = count > MOST_SEGMENTS ? null : readExactly(source, start, count * PHDR_SIZE);
  if (header.getUint16(54, true) !== PHDR_SIZE || count === 0 || table === null) {
    throw damaged(source, "it has no sensible program headers");
  }
  const view = viewOf(table);
  const segments: ImageSegment[] = [];
  let end = start + count * PHDR_SIZE;
  let total = 0;
  for (let at = 0; at < table.length; at += PHDR_SIZE) {
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const offset = u64(view, at + 8);
    const address = view.getBigUint64(at + 16, true);
    const fileSize = u64(view, at + 32);
    const size = u64(view, at + 40);
    total += size;
    if (fileSize > size || !(total <= LARGEST_IMAGE)) throw damaged(source, "its segments are larger than any kernel");
    const bytes = source instanceof MemorySource ? source.view(offset, fileSize) : source.read(offset, fileSize);
    if (bytes.length < fileSize) {
      problems.push(`${fileSize - bytes.length} bytes of the kernel are missing at the end of ${source.name}`);
    }
    end = Math.max(end, offset + fileSize);
    // What the file was cut short of is not zero but unknown; else zeros fill the last page.
    const filled =
      bytes.length < fileSize ? bytes.length : Number(((address + BigInt(size) + 0xfffn) & ~0xfffn) - address);
    segments.push({ start: address, physical: view.getBigUint64(at + 24, true), bytes, size: filled });
  }
  if (segments.length === 0) throw damaged(source, "nothing of it is loaded into memory");
  return { segments, end };
}

/** A kernel without section headers is a whole kernel. */
function sectionsOf(source: ByteSource, header: DataView, problems: string[]): readonly ElfSection[] {
  if (u64(header, 40) === 0) return [];
  try {
    return readSections(source).sections;
  } catch (error) {
    if (!(error instanceof SpillwayError)) throw error;
    problems.push(error.message);
    return [];
  }
}

function damaged(source: ByteSource, what: string): SpillwayError {
  return new SpillwayError("SPW_PROGRAM_DAMAGED", `${source.name}: the kernel's ELF file is damaged: ${what}`, {
    facts: { path: source.name },
    hint: "It was cut short, perhaps: copy it again.",
  });
}
