import type { ByteSource } from "../bytes/byte-source.ts";
import { readExactly, viewOf } from "../bytes/read.ts";
import { SpillwayError } from "../errors.ts";
import { type Packing, packingOf, type Unpackers } from "./unpack.ts";

/**
 * The boot image of x86 (`bzImage`, installed as vmlinuz), by its boot protocol: Documentation/arch/x86/boot.rst. Sectors of
 * 512 bytes for real mode, their number at 0x1f1 (0 for 4), then protected-mode code, which has the packed kernel in it. Since
 * protocol 2.08 (2.6.26, 87253d1b4f6a) the header says where.
 */
const HEADER = 0x1f1;
const HEADER_LENGTH = 0x268 - HEADER;
const MAGIC = 0x53726448;
const SETUP_SECTS = 0x1f1;
const BOOT_FLAG = 0x1fe;
const HEADER_MAGIC = 0x202;
const VERSION = 0x206;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const PAYLOAD_VERSION = 0x208;
const SECTOR = 512;

/** A boot image has 5 to 100 MB; the kernel in it is linked into 1 GiB at most, and none fills a quarter of it. */
const LARGEST_FILE = 1 << 28;
const LARGEST_KERNEL = 1 << 28;
const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];
/** Packed data is found by its first bytes where the header does not tell; so many places are tried. */
const MOST_TRIES = 64;

/** True where a file begins as a boot image of x86. */
export function isBootImage(source: ByteSource): boolean {
  const header = readExactly(source, HEADER, HEADER_LENGTH);
  if (header === null) return false;
  const view = viewOf(header);
  return view.getUint16(BOOT_FLAG - HEADER, true) === 0xaa55 && view.getUint32(HEADER_MAGIC - HEADER, true) === MAGIC;
}

/**
 * The kernel in a boot image: an ELF file without symbols and, where the kernel can be moved, its relocations behind it.
 * @throws SpillwayError `SPW_PROGRAM_DAMAGED`, `SPW_PROGRAM_UNPACKER_MISSING`
 */
export function unpackBootImage(source: ByteSource, unpackers: Unpackers): Uint8Array {
  const header = readExactly(source, HEADER, HEADER_LENGTH);
  if (header === null || source.size > LARGEST_FILE) throw damaged(source, "it is no boot image of a sensible size");
  const view = viewOf(header);
  const setup = (view.getUint8(SETUP_SECTS - HEADER) || 4) + 1;
  const start = setup * SECTOR;
  if (view.getUint16(VERSION - HEADER, true) >= PAYLOAD_VERSION) {
    const offset = start + view.getUint32(PAYLOAD_OFFSET - HEADER, true);
    const length = view.getUint32(PAYLOAD_LENGTH - HEADER, true);
    const payload = readExactly(source, offset, length);
    if (payload === null || length < 16) {
      throw damaged(source, "it ends before the packed kernel does");
    }
    return unpackPayload(source, payload, unpackers);
  }
  return searchPayload(source, start, unpackers);
}

function unpackPayload(source: ByteSource, payload: Uint8Array, unpackers: Unpackers): Uint8Array {
  if (beginsElf(payload)) return payload;
  const packing = packingOf(payload);
  if (packing === null) {
    throw damaged(source, "the kernel in it is packed in a way that is not known");
  }
  const { content, most } = sized(packing, payload);
  let kernel: Uint8Array;
  try {
    kernel = unpackerFor(source, packing, unpackers)(content, most);
  } catch (error) {
    if (error instanceof SpillwayError) throw error;
    throw damaged(source, `the kernel in it cannot be unpacked (${packing})`, error);
  }
  if (!beginsElf(kernel)) throw damaged(source, "what is packed in it is no ELF file");
  return kernel;
}

/**
 * All but gzip, which has it anyway, get the unpacked length behind the packed data, in four bytes: `size_append` of
 * scripts/Makefile.lib.
 */
function sized(packing: Packing, payload: Uint8Array): { content: Uint8Array; most: number } {
  const length = viewOf(payload).getUint32(payload.length - 4, true);
  const content = packing === "gzip" ? payload : payload.subarray(0, payload.length - 4);
  return { content, most: length > 0 && length <= LARGEST_KERNEL ? length : LARGEST_KERNEL };
}

function searchPayload(source: ByteSource, start: number, unpackers: Unpackers): Uint8Array {
  const bytes = source.read(start, source.size - start);
  let tries = 0;
  for (let at = 0; at < bytes.length && tries < MOST_TRIES; at++) {
    // LZMA's first bytes are too little to go by.
    const packing = packingOf(bytes, at);
    const unpack = packing === null || packing === "lzma" ? undefined : unpackers[packing];
    if (unpack === undefined) continue;
    tries++;
    try {
      const kernel = unpack(bytes.subarray(at), LARGEST_KERNEL);
      if (beginsElf(kernel)) return kernel;
    } catch (error) {
      if (error instanceof SpillwayError) throw error;
      // These bytes only looked like it.
    }
  }
  throw damaged(source, "no packed kernel was found in it");
}

/** @throws SpillwayError `SPW_PROGRAM_UNPACKER_MISSING` */
export function unpackerFor(source: Pick<ByteSource, "name">, packing: Packing, unpackers: Unpackers) {
  const unpack = unpackers[packing];
  if (unpack !== undefined) return unpack;
  throw new SpillwayError("SPW_PROGRAM_UNPACKER_MISSING", `${source.name}: packed with ${packing}, which is not read`, {
    class: "environment",
    facts: { path: source.name, packing },
    hint: "Unpack it first: the kernel's scripts/extract-vmlinux does it for a vmlinuz.",
  });
}

function beginsElf(bytes: Uint8Array): boolean {
  return ELF_MAGIC.every((byte, i) => bytes[i] === byte);
}

function damaged(source: ByteSource, what: string, cause?: unknown): SpillwayError {
  return new SpillwayError("SPW_PROGRAM_DAMAGED", `${source.name}: the boot image is damaged: ${what}`, {
    facts: { path: source.name },
    hint: "Copy it again, or install its package again.",
    cause,
  });
}
