/** `struct alt_instr` (arch/x86/include/asm/alternative.h): what may replace what when the kernel boots. */
import type { AddressSpace } from "../memory/address-space.ts";
import { signedAddress, unsignedAddress } from "../symbols/kallsyms-addresses.ts";
import type { Alternative } from "./program.ts";

/**
 * The shapes that it has had, each packed: s32 instr_offset, s32 repl_offset, each from its own place, then
 * - u16 cpuid, u8 instrlen, u8 replacementlen: up to 4.0, and again 5.13 (23c1ad538f4f) to 6.2;
 * - the same and u8 padlen, which instrlen includes: 4.1 (4332195c5615) to 5.12;
 * - u16 cpuid, u16 flags, then both lengths: 6.3 on (5d1dd961e743).
 */
interface Layout {
  readonly size: number;
  /** Of `instrlen`; `replacementlen` follows it. */
  readonly lengths: number;
}
const LAYOUTS: readonly Layout[] = [
  { size: 14, lengths: 12 },
  { size: 12, lengths: 10 },
  { size: 13, lengths: 10 },
];

/** Kernels have some ten thousand. */
const LARGEST = 1 << 23;
/** The longest sequence is well below what a byte can count. */
const IMAGE_START = -0x80000000;

/**
 * Reads the table, whose layout is the one by which each entry leads from an instruction that is there to a replacement that is.
 * @returns null where none does
 */
export function readAlternatives(memory: AddressSpace, start: bigint, end: bigint): Alternative[] | null {
  const length = Number(end - start);
  if (length === 0) return [];
  if (!(length > 0 && length <= LARGEST)) return null;
  const bytes = memory.read(start, length);
  if (bytes === null) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const base = signedAddress(start);
  for (const layout of LAYOUTS) {
    if (length % layout.size !== 0) continue;
    const found = readAs(layout, view, base, memory);
    if (found !== null) return found;
  }
  return null;
}

function readAs(layout: Layout, view: DataView, base: number, memory: AddressSpace): Alternative[] | null {
  const found: Alternative[] = [];
  for (let at = 0; at < view.byteLength; at += layout.size) {
    const site = base + at + view.getInt32(at, true);
    const replacement = base + at + 4 + view.getInt32(at + 4, true);
    const length = view.getUint8(at + layout.lengths);
    const replacementLength = view.getUint8(at + layout.lengths + 1);
    // The build pads the site to the longer of the two.
    if (length === 0 || replacementLength > length || site >= 0 || site < IMAGE_START || replacement >= 0) return null;
    const one = { site: unsignedAddress(site), length, replacement: unsignedAddress(replacement), replacementLength };
    // An empty replacement may stand at the very end of its section.
    if (memory.translate(one.site) === null) return null;
    if (replacementLength > 0 && memory.translate(one.replacement) === null) return null;
    found.push(one);
  }
  return found;
}
