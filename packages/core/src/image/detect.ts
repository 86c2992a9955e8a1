/**
 * What a file is, by its first bytes. Detection only: nothing is parsed further than it takes to tell formats apart and to
 * say, in plain words, what a file is that is no dump.
 */

import type { ByteSource } from "../bytes/byte-source.ts";
import { asciiField, viewOf } from "../bytes/read.ts";
import { SpillwayError } from "../errors.ts";
import { KDUMP_SIGNATURE } from "./kdump/kdump-header.ts";

export type DumpFormat = "elf" | "kdump" | "flattened";

export const FLATTENED_SIGNATURE = "makedumpfile\0\0\0\0";

const ET_CORE = 4;
const EM_X86_64 = 62;

const ELF_TYPES: Readonly<Record<number, string>> = {
  1: "an ELF object file or kernel module",
  2: "an ELF executable (a vmlinux?)",
  3: "an ELF shared object or executable",
};

/** `include/uapi/linux/elf-em.h` and the gABI's registry. */
const ELF_MACHINES: Readonly<Record<number, string>> = {
  2: "SPARC",
  3: "i386",
  8: "MIPS",
  15: "PA-RISC",
  20: "PowerPC",
  21: "PowerPC 64",
  22: "s390",
  40: "ARM",
  43: "SPARC v9",
  50: "IA-64",
  183: "arm64 (AArch64)",
  243: "RISC-V",
  258: "LoongArch",
};

/** Signatures of what people have in hand instead of a dump. Offset 0 unless `at` says otherwise. */
const OTHERS: readonly {
  readonly bytes: string;
  readonly at?: number;
  readonly what: string;
  readonly hint?: string;
}[] = [
  { bytes: "\x1f\x8b", what: "a gzip file", hint: "Unpack it first: gunzip." },
  { bytes: "\xfd7zXZ\0", what: "an xz file", hint: "Unpack it first: unxz." },
  { bytes: "\x28\xb5\x2f\xfd", what: "a zstd file", hint: "Unpack it first: unzstd." },
  { bytes: "BZh", what: "a bzip2 file", hint: "Unpack it first: bunzip2." },
  { bytes: "\x04\x22\x4d\x18", what: "an lz4 file", hint: "Unpack it first: unlz4." },
  { bytes: "\x89LZO", what: "an lzop file", hint: "Unpack it first: lzop -d." },
  { bytes: "PK\x03\x04", what: "a zip archive", hint: "Unpack it first: unzip." },
  { bytes: "7z\xbc\xaf\x27\x1c", what: "a 7z archive", hint: "Unpack it first." },
  { bytes: "ustar", at: 257, what: "a tar archive", hint: "Unpack it first: tar -xf." },
  { bytes: "DISKDUMP", what: "a diskdump of the years before kdump", hint: "Only its successor, kdump, can be read." },
  { bytes: "\xed\x23\x8f\x61\x73\x01\x19\xa8", what: "an LKCD dump", hint: "Only ELF and kdump files can be read." },
  {
    bytes: "QEVM",
    what: "a saved QEMU machine (virsh save, migration)",
    hint: "Use dump-guest-memory or virsh dump --memory-only.",
  },
  { bytes: "LibvirtQemudSave", what: "a machine saved by libvirt", hint: "Use virsh dump --memory-only instead." },
  { bytes: "QFI\xfb", what: "a qcow2 disk image" },
  { bytes: "PAGEDU64", what: "a Windows crash dump" },
  { bytes: "PAGEDUMP", what: "a Windows crash dump" },
  { bytes: "hibr", what: "a Windows hibernation file" },
  { bytes: "EMiL", what: "a LiME memory image", hint: "Only ELF and kdump files can be read." },
  { bytes: "SWAPSPACE2", at: 4086, what: "a swap area" },
  {
    bytes: "HdrS",
    at: 0x202,
    what: "a bootable kernel image (bzImage)",
    hint: "Give the dump; no kernel image is needed.",
  },
  { bytes: "\xca\xfe\xba\xbe", what: "a Mach-O or Java class file" },
  { bytes: "MZ", what: "a Windows executable or an EFI kernel image" },
  { bytes: "!<arch>\n", what: "an ar archive or Debian package" },
  { bytes: "SQLite format 3", what: "an SQLite database" },
];

/**
 * Tells the format of a dump.
 *
 * @throws SpillwayError `SPW_IMAGE_EMPTY`, `SPW_IMAGE_UNKNOWN_FORMAT`, `SPW_IMAGE_WRONG_ARCH`
 */
export function detectFormat(source: ByteSource): DumpFormat {
  if (source.size === 0) {
    throw new SpillwayError("SPW_IMAGE_EMPTY", `${source.name}: the file is empty`, {
      hint: "The dump was not written; look for what stopped it in the crash kernel's console.",
    });
  }
  const head = source.read(0, 4104);
  if (startsWith(head, 0, KDUMP_SIGNATURE)) return "kdump";
  if (startsWith(head, 0, FLATTENED_SIGNATURE)) return "flattened";
  if (startsWith(head, 0, "\x7fELF")) {
    refuseOtherElf(source, head);
    return "elf";
  }
  throw unknownFormat(source, head);
}

function refuseOtherElf(source: ByteSource, head: Uint8Array): void {
  if (head.length < 20) {
    throw new SpillwayError("SPW_IMAGE_TRUNCATED", `${source.name}: only ${head.length} bytes of an ELF file`, {
      facts: { size: head.length, needed: 64 },
      hint: "The copy of the dump was cut short; copy it again.",
    });
  }
  const view = viewOf(head);
  const little = head[5] !== 2;
  const type = view.getUint16(16, little);
  const machine = view.getUint16(18, little);
  const bits = head[4] === 1 ? 32 : 64;
  const machineName = ELF_MACHINES[machine] ?? `ELF machine ${machine}`;
  if (type !== ET_CORE) {
    const what = ELF_TYPES[type] ?? `an ELF file of type ${type}`;
    throw new SpillwayError("SPW_IMAGE_UNKNOWN_FORMAT", `${source.name}: ${what}, not a memory dump`, {
      facts: { elfType: type, machine },
      hint: "Give the dump itself; neither vmlinux nor debug information is needed.",
    });
  }
  if (machine !== EM_X86_64 || !little) {
    throw new SpillwayError(
      "SPW_IMAGE_WRONG_ARCH",
      `${source.name}: an ELF core of ${machineName}${little ? "" : ", big-endian"}; only x86_64 can be read so far`,
      { facts: { machine: machineName, elfMachine: machine } },
    );
  }
  if (bits !== 64) {
    throw new SpillwayError(
      "SPW_IMAGE_WRONG_ARCH",
      `${source.name}: a 32-bit ELF core, which cannot hold a 64-bit kernel's memory`,
      {
        facts: { machine: "32-bit x86_64 ELF", elfMachine: machine },
        hint: "With makedumpfile or vmcore-dmesg, ask for ELF64.",
      },
    );
  }
}

function unknownFormat(source: ByteSource, head: Uint8Array): SpillwayError {
  for (const other of OTHERS) {
    if (!startsWith(head, other.at ?? 0, other.bytes)) continue;
    const options = other.hint === undefined ? {} : { hint: other.hint };
    return new SpillwayError("SPW_IMAGE_UNKNOWN_FORMAT", `${source.name}: ${other.what}, not a memory dump`, {
      ...options,
      facts: { looksLike: other.what },
    });
  }
  const what = describe(head);
  return new SpillwayError("SPW_IMAGE_UNKNOWN_FORMAT", `${source.name}: ${what}, not a memory dump`, {
    facts: { looksLike: what, firstBytes: hex(head.subarray(0, 8)) },
    hint: "Kernel dumps are ELF cores or kdump-compressed files, flattened or not.",
  });
}

function describe(head: Uint8Array): string {
  if (head.every((byte) => byte === 0)) return "nothing but zeros at its start";
  const text = head.subarray(0, 512);
  if (text.every((byte) => byte === 9 || byte === 10 || byte === 13 || byte === 27 || (byte >= 32 && byte !== 127))) {
    return `text that begins with "${asciiField(text, 0, 24)
      .split(/[\r\n]/)[0]!
      .replace(/[^ -~]/g, "?")}"`;
  }
  return `an unknown format that begins with bytes ${hex(head.subarray(0, 8))}`;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** `signature` holds one character a byte. */
function startsWith(bytes: Uint8Array, offset: number, signature: string): boolean {
  if (offset + signature.length > bytes.length) return false;
  for (let i = 0; i < signature.length; i++) if (bytes[offset + i] !== signature.charCodeAt(i)) return false;
  return true;
}
