import type { ByteSource } from "../../bytes/byte-source.ts";
import { SpillwayError } from "../../errors.ts";
import type { DumpImage, ImageProblem } from "../dump-image.ts";
import { parseNotes } from "../notes.ts";
import { type ProgramHeader, PT_LOAD, PT_NOTE, readProgramHeaders } from "./elf-header.ts";
import { ElfMemory } from "./elf-memory.ts";

/** Notes of 8192 CPUs, with QEMU's own, take 7 MB; more than this is read by nobody. */
const MAX_NOTES = 16 << 20;

/**
 * Opens an x86_64 ELF core: QEMU's `dump-guest-memory`, a copy of /proc/vmcore or `makedumpfile -E`.
 * The caller has checked magic, class, type and machine.
 *
 * @throws SpillwayError `SPW_IMAGE_TRUNCATED`, `SPW_IMAGE_CORRUPT`
 */
export function openElfCore(source: ByteSource, flattened: boolean, found: readonly ImageProblem[]): DumpImage {
  const headers = readProgramHeaders(source);
  const problems: ImageProblem[] = [...found];
  const memory = new ElfMemory(source, headers);
  if (memory.isEmpty) {
    if (memory.lostBytes > 0) {
      throw new SpillwayError(
        "SPW_IMAGE_TRUNCATED",
        `${source.name}: the file ends at byte ${source.size}, before the first byte of memory`,
        { facts: { size: source.size, lostBytes: memory.lostBytes }, hint: "Copy the dump again." },
      );
    }
    throw new SpillwayError("SPW_IMAGE_CORRUPT", `${source.name}: the ELF core describes no memory`, {
      facts: { segments: headers.length },
    });
  }
  if (memory.lostBytes > 0) {
    problems.push({
      code: "SPW_IMAGE_TRUNCATED",
      message: `the file ends at byte ${source.size}; ${memory.lostBytes} bytes of memory that it describes are lost`,
    });
  }

  const rawNotes = readNotes(source, headers, problems);
  const notes = parseNotes(rawNotes);
  if (notes.damagedAt !== null) {
    problems.push({ code: "SPW_IMAGE_CORRUPT", message: `the notes are damaged from byte ${notes.damagedAt} on` });
  }
  return {
    format: "elf",
    flattened,
    memory,
    vmcoreinfo: notes.vmcoreinfo,
    cpuNotes: notes.cpuNotes,
    rawNotes: rawNotes.length > 0 ? rawNotes : null,
    header: null,
    virtualRanges: headers
      .filter((h) => h.type === PT_LOAD && h.virtual !== 0n && Number.isSafeInteger(h.physical))
      .map((h) => ({
        virtual: h.virtual,
        physical: BigInt(h.physical),
        length: BigInt(Math.min(h.memorySize, 2 ** 52)),
      })),
    problems,
  };
}

function readNotes(source: ByteSource, headers: readonly ProgramHeader[], problems: ImageProblem[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (const header of headers) {
    if (header.type !== PT_NOTE) continue;
    const wanted = Math.min(header.fileSize, MAX_NOTES - total);
    const bytes = source.read(header.fileOffset, Math.max(0, Math.min(wanted, source.size - header.fileOffset)));
    if (bytes.length < header.fileSize) {
      problems.push({
        code: "SPW_IMAGE_TRUNCATED",
        message: `only ${bytes.length} of ${header.fileSize} bytes of notes could be read`,
      });
    }
    // Each segment starts a note of its own; padding keeps the next one aligned.
    const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    parts.push(padded);
    total += padded.length;
  }
  const notes = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    notes.set(part, at);
    at += part.length;
  }
  return notes;
}
