import { ByteWriter } from "../../debuginfo/testing/byte-writer.ts";

export interface MadeSegment {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** Bytes in memory; those of the file where left out. */
  readonly size?: number;
  readonly physical?: bigint;
}

export interface MadeImage {
  readonly segments: readonly MadeSegment[];
  /** `e_type`; ET_EXEC where left out. */
  readonly type?: number;
  readonly machine?: number;
}

/** An ELF file with program headers and nothing else: what a boot image holds, without its section headers. */
export function makeKernelImage({ segments, type = 2, machine = 62 }: MadeImage): Uint8Array {
  const out = new ByteWriter().u8(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1).align(16);
  out.u16(type).u16(machine).u32(1).u64(0).u64(64).u64(0);
  out.u32(0).u16(64).u16(56).u16(segments.length).u16(64).u16(0).u16(0);
  let at = 64 + segments.length * 56;
  for (const { address, bytes, size, physical } of segments) {
    out.u32(1).u32(7).u64(at).u64(address);
    out.u64(physical ?? address & 0x7fffffffn).u64(bytes.length);
    out.u64(size ?? bytes.length).u64(4096);
    at += bytes.length;
  }
  for (const { bytes } of segments) out.append(bytes);
  return out.bytes;
}

/** The table that follows a kernel in a boot image: lists of places, each behind a zero. */
export function relocationTable(...lists: readonly (readonly bigint[])[]): Uint8Array {
  const out = new ByteWriter();
  for (const list of lists) {
    out.u32(0);
    for (const place of list) out.u32(Number(place & 0xffffffffn));
  }
  return out.bytes;
}

export interface MadeBootImage {
  /** Packed, with whatever belongs behind it. */
  readonly payload: Uint8Array;
  /** Boot protocol; 2.15 where left out. */
  readonly version?: number;
  /** Sectors of real-mode code as the header tells them; 0 stands for 4. */
  readonly sectors?: number;
}

/** A boot image of x86: the header's fields that a reader goes by, and the payload some way into the protected-mode code. */
export function makeBootImage({ payload, version = 0x20f, sectors = 2 }: MadeBootImage): Uint8Array {
  const offset = 0x40;
  const out = new ByteWriter().append(new Uint8Array(0x1f1)).u8(sectors);
  out
    .append(new Uint8Array(0x1fe - out.length))
    .u16(0xaa55)
    .u16(0x6aeb);
  out
    .u32(0x53726448)
    .u16(version)
    .append(new Uint8Array(0x248 - 0x208));
  out.u32(version >= 0x208 ? offset : 0).u32(version >= 0x208 ? payload.length : 0);
  const start = ((sectors || 4) + 1) * 512;
  out.append(new Uint8Array(start + offset - out.length)).append(payload);
  return out.append(new Uint8Array(64)).bytes;
}

/** Content and its length behind it, as the build appends it. */
export function withLength(packed: Uint8Array, length: number): Uint8Array {
  return new ByteWriter().append(packed).u32(length).bytes;
}
