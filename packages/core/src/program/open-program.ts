import type { ByteSource } from "../bytes/byte-source.ts";
import { MemorySource } from "../bytes/byte-source.ts";
import { readExactly, viewOf } from "../bytes/read.ts";
import type { DebugFileFinder } from "../debuginfo/debug-file-finder.ts";
import { SpillwayError } from "../errors.ts";
import type { CodecTable } from "../image/codec/codecs.ts";
import { openDump } from "../image/open-dump.ts";
import { openKernel } from "../kernel/open-kernel.ts";
import { isBootImage, unpackBootImage, unpackerFor } from "./boot-image.ts";
import { readElfImage } from "./elf-image.ts";
import { programFromKernel } from "./from-kernel.ts";
import { ImageProgram } from "./image-program.ts";
import type { ModuleSource } from "./modules/place-modules.ts";
import { withModules } from "./modules/with-modules.ts";
import type { Program } from "./program.ts";
import { packingOf, portableUnpackers, type Unpackers } from "./unpack.ts";

export interface OpenProgramOptions {
  /** How packed kernels are unpacked; the portable ones where left out. */
  readonly unpackers?: Unpackers;
  /** For the pages of a dump. */
  readonly codecs?: CodecTable;
  /** Modules to place beside the kernel, the likeliest of a name first; those that a dump has loaded are not placed again. */
  readonly modules?: Iterable<ModuleSource>;
  /** The source is the running machine's memory, /proc/kcore. */
  readonly live?: boolean;
  /** How files of debug information are found, for a kernel in a dump that carries no types of its own. */
  readonly debugFiles?: DebugFileFinder;
}

/** A packed vmlinux with its debug information has up to 1 GiB. */
const LARGEST_PACKED = 1 << 29;
const LARGEST_UNPACKED = 1 << 30;
const ET_CORE = 4;

/**
 * Opens a kernel to study: a vmlinux, a vmlinux that is packed, a boot image, or a dump (all files of it). Which one it is, the
 * content says.
 * @throws SpillwayError `SPW_PROGRAM_UNKNOWN_FORMAT`, `SPW_PROGRAM_WRONG_ARCH`, `SPW_PROGRAM_DAMAGED`,
 *   `SPW_PROGRAM_UNPACKER_MISSING`, and for a dump what `openDump` and `openKernel` throw
 */
export function openProgram(sources: readonly ByteSource[], options: OpenProgramOptions = {}): Program {
  const kernel = openKernelProgram(sources, options);
  return options.modules === undefined ? kernel : withModules(kernel, options.modules, options.unpackers);
}

function openKernelProgram(sources: readonly ByteSource[], options: OpenProgramOptions): Program {
  const [first, ...others] = sources;
  if (first !== undefined && others.length === 0 && options.live !== true) {
    const program = openImage(first, options.unpackers ?? portableUnpackers);
    if (program !== null) return program;
  }
  const image = asProgram(() => openDump(sources, options.codecs === undefined ? {} : { codecs: options.codecs }));
  const kernel = openKernel(image, { debugFiles: options.debugFiles });
  return programFromKernel(kernel, {
    source: options.live === true ? "live" : "vmcore",
    ...(first === undefined ? {} : { name: first.name }),
  });
}

/** What is no dump either is no kernel to study. */
function asProgram<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof SpillwayError) || error.code !== "SPW_IMAGE_UNKNOWN_FORMAT") throw error;
    throw new SpillwayError("SPW_PROGRAM_UNKNOWN_FORMAT", error.message.replace("not a memory dump", "no kernel"), {
      facts: error.facts,
      hint: "Give a vmlinux, a vmlinuz, a dump, or a budget that was kept as a file ending in .json.",
      cause: error,
    });
  }
}

/** Null for what is neither a kernel's image nor packed: a dump, or nothing known. */
function openImage(source: ByteSource, unpackers: Unpackers): Program | null {
  if (isBootImage(source)) {
    const kernel = unpackBootImage(source, unpackers);
    const image = readElfImage(new MemorySource(kernel, source.name));
    return new ImageProgram("vmlinuz", image, kernel.subarray(image.fileEnd));
  }
  const type = elfType(source);
  if (type !== null) return type === ET_CORE ? null : new ImageProgram("vmlinux", readElfImage(source), null);
  const packing = packingOf(source.read(0, 16));
  if (packing === null) return null;
  if (source.size > LARGEST_PACKED) throw tooLarge(source);
  const unpack = unpackerFor(source, packing, unpackers);
  let content: Uint8Array;
  try {
    content = unpack(source.read(0, source.size), LARGEST_UNPACKED);
  } catch (error) {
    if (error instanceof SpillwayError) throw error;
    throw new SpillwayError("SPW_PROGRAM_DAMAGED", `${source.name}: it cannot be unpacked (${packing})`, {
      facts: { path: source.name, packing },
      hint: "Copy it again, or unpack it by hand.",
      cause: error,
    });
  }
  return new ImageProgram("vmlinux", readElfImage(new MemorySource(content, source.name)), null);
}

/** `e_type`; null for what is no ELF file. */
function elfType(source: ByteSource): number | null {
  const header = readExactly(source, 0, 18);
  return header === null || viewOf(header).getUint32(0, false) !== 0x7f454c46
    ? null
    : viewOf(header).getUint16(16, true);
}

function tooLarge(source: ByteSource): SpillwayError {
  return new SpillwayError("SPW_PROGRAM_DAMAGED", `${source.name}: larger than any packed kernel`, {
    facts: { path: source.name, size: source.size },
  });
}
