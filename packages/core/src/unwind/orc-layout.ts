import type { OrcEntry, OrcRegister } from "./orc.ts";

/**
 * The shapes that `struct orc_entry` {s16 sp_offset; s16 bp_offset; u16 flags} has had, all turned into OrcEntry.
 * Source: Linux arch/x86/include/asm/orc_types.h. Two things changed independently of each other:
 *
 * where the type bits lie, `types`
 * - "4.14" (ee9f8fce9964): sp_reg 0-3, bp_reg 4-7, type 8-9, end 10 (d31a580266ee, 4.18);
 * - "6.3" (ffb1b4a41016): type 8-9, signal 10, end 11;
 * - "6.4" (fb799447ae29): type 8-10 with "undefined" and "end" as types, signal 11;
 *
 * and what the register numbers mean, `registers`
 * - "4.14";
 * - "7.1" (1735858caa4b). Stable kernels took this one alone: Debian's 6.1.192 has it with the type bits of 4.14, and
 *   6.12.117 with those of 6.4 and with the old hash still in its header.
 */
export interface OrcLayout {
  readonly types: "4.14" | "6.3" | "6.4";
  readonly registers: "4.14" | "7.1";
}

/** All layouts, the newest first. */
export const ORC_LAYOUTS: readonly OrcLayout[] = [
  { types: "6.4", registers: "7.1" },
  { types: "6.4", registers: "4.14" },
  { types: "6.3", registers: "7.1" },
  { types: "6.3", registers: "4.14" },
  { types: "4.14", registers: "7.1" },
  { types: "4.14", registers: "4.14" },
];

/** "4.14", "6.3", "6.4", "7.1" for what those releases had; a stable kernel's mix as "4.14 with 7.1 registers". */
export function layoutName({ types, registers }: OrcLayout): string {
  if (registers === "4.14") return types;
  return types === "6.4" ? "7.1" : `${types} with 7.1 registers`;
}

/** Bytes of one `struct orc_entry`. */
export const ORC_ENTRY_SIZE = 6;

type Register = OrcRegister | null;

/** Register numbers up to 7.0; 1 is AX, which nothing has ever used. null: never written by objtool. */
const REGISTERS_4_14: readonly Register[] = [
  "undefined",
  null,
  "dx",
  "sp",
  "bp",
  "di",
  "r10",
  "r13",
  "prev-sp",
  "sp-indirect",
  "bp-indirect",
];

const REGISTERS_7_1: readonly Register[] = [
  "undefined",
  "prev-sp",
  "dx",
  "di",
  "bp",
  "sp",
  "r10",
  "r13",
  "bp-indirect",
  "sp-indirect",
];

/** What one entry says, apart from the address it covers. */
export type OrcRule = Omit<OrcEntry, "address">;

/**
 * Decodes one entry; null where the layout gives these bits no meaning (a register or type that never occurs), which is
 * how a wrong layout shows itself.
 */
export function decodeOrc(layout: OrcLayout, spOffset: number, bpOffset: number, flags: number): OrcRule | null {
  const registers = layout.registers === "7.1" ? REGISTERS_7_1 : REGISTERS_4_14;
  const spRegister = registers[flags & 0xf] ?? null;
  const bpRegister = registers[(flags >> 4) & 0xf] ?? null;
  if (spRegister === null || bpRegister === null) return null;
  if (bpRegister !== "undefined" && bpRegister !== "prev-sp" && bpRegister !== "bp") return null;
  const decoded = layout.types === "6.4" ? decodeNewType(flags) : decodeOldType(layout.types, flags);
  if (decoded === null) return null;
  let { type } = decoded;
  if (spRegister === "undefined" && type !== "end" && type !== "undefined") {
    // The old layouts had no types "undefined" and "end": no register and no end bit meant no data.
    if (layout.types === "6.4") return null;
    type = "undefined";
  }
  return { spRegister, spOffset, bpRegister, bpOffset, type, signal: decoded.signal };
}

function decodeOldType(layout: "4.14" | "6.3", flags: number): Pick<OrcRule, "type" | "signal"> | null {
  const kind = (flags >> 8) & 3;
  const signalBit = layout === "6.3" ? 0x400 : 0;
  const endBit = layout === "6.3" ? 0x800 : 0x400;
  if ((flags & ~(0x3ff | signalBit | endBit)) !== 0 || kind === 3) return null;
  const type = (flags & endBit) !== 0 ? "end" : (["call", "regs", "regs-partial"] as const)[kind]!;
  // Before there was a signal bit the kernel took frames with saved registers as interrupted ones.
  const signal = layout === "6.3" ? (flags & signalBit) !== 0 : type === "regs" || type === "regs-partial";
  return { type, signal };
}

function decodeNewType(flags: number): Pick<OrcRule, "type" | "signal"> | null {
  const type = (["undefined", "end", "call", "regs", "regs-partial"] as const)[(flags >> 8) & 7];
  if (type === undefined || flags >> 12 !== 0) return null;
  return { type, signal: (flags & 0x800) !== 0 };
}

/**
 * Hashes of orc_types.h that 6.3.10 and later put at `__start_orc_header` (b9f174c811e3), each 20 bytes in hex, and where
 * the type bits lie by them. They say nothing sure of the registers: see above.
 */
const HEADER_HASHES: ReadonlyMap<string, OrcLayout["types"]> = new Map([
  ["db84aed4103b31dd51e017f8f79783ca985c2c51", "6.3"],
  ["fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24", "6.4"],
  ["137c36ad7627c4dd55932176bb0ecdbd5041fc82", "6.4"],
]);

export const ORC_HEADER_SIZE = 20;

/** Where the type bits lie according to a kernel's `.orc_header`, or null where the hash is not one we know. */
export function typesFromHeader(header: Uint8Array): OrcLayout["types"] | null {
  let hex = "";
  for (const byte of header.subarray(0, ORC_HEADER_SIZE)) hex += byte.toString(16).padStart(2, "0");
  return HEADER_HASHES.get(hex) ?? null;
}
