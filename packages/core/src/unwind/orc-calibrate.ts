import { decodeOrc, ORC_LAYOUTS, type OrcLayout } from "./orc-layout.ts";

/** Raw fields of one ORC entry. */
export interface RawOrc {
  readonly spOffset: number;
  readonly bpOffset: number;
  readonly flags: number;
}

/**
 * Tells the layout from what the table holds, not from the release: distributions backport the format
 * (RHEL 9.6 has the 6.4 layout in a 5.14 kernel), and not from the header's hash, which Debian's 6.12.117 contradicts.
 *
 * What every kernel's table shows: most entries are "call" with the CFA at SP or BP plus a positive multiple of 8, and
 * values that a layout reserves never occur. 4.14 and 6.3 differ in one bit only, so entries of the entry code (`special`)
 * decide: there 6.3 marks saved registers as signal frames (bit 10 beside a type) and ends stacks with bit 11, while the
 * 4.14 layout uses bit 10 for the end, which has neither register nor type.
 *
 * @param sample entries from several places of the table
 * @param special entries of the system call and exception entry code
 * @param typesByHeader what the header's hash says of the type bits, to settle what the content leaves open
 * @returns null where no layout makes sense of the table
 */
export function calibrateOrc(
  sample: readonly RawOrc[],
  special: readonly RawOrc[],
  typesByHeader: OrcLayout["types"] | null,
): OrcLayout | null {
  let best: OrcLayout | null = null;
  let bestScore = 0.5; // less than half of the entries sane: this is no ORC table
  for (const layout of ORC_LAYOUTS) {
    const score = sanity(layout, sample);
    if (score > bestScore) {
      best = layout;
      bestScore = score;
    }
  }
  if (best === null || best.types === "6.4") return best;
  let for63 = 0;
  let for414 = 0;
  for (const { flags } of [...special, ...sample]) {
    const hasRegister = (flags & 0xf) !== 0;
    const hasType = (flags & 0x300) !== 0;
    if ((flags & 0x800) !== 0) for63++;
    else if ((flags & 0x400) !== 0 && (hasType || hasRegister)) for63++;
    else if ((flags & 0x400) !== 0) for414++;
  }
  if (for63 === for414) return { types: typesByHeader === "6.3" ? "6.3" : "4.14", registers: best.registers };
  return { types: for63 > for414 ? "6.3" : "4.14", registers: best.registers };
}

/** Share of entries that say something a compiler's code can be like; gaps without data count neither way. */
function sanity(layout: OrcLayout, sample: readonly RawOrc[]): number {
  let sane = 0;
  let counted = 0;
  for (const { spOffset, bpOffset, flags } of sample) {
    if (flags === 0) continue;
    counted++;
    const rule = decodeOrc(layout, spOffset, bpOffset, flags);
    if (rule === null) continue;
    if (rule.type === "call" && (rule.spRegister === "sp" || rule.spRegister === "bp")) {
      const savedBp = rule.bpRegister === "undefined" || (rule.bpRegister === "prev-sp" && bpOffset <= -16);
      if (spOffset > 0 && spOffset % 8 === 0 && savedBp) sane++;
    }
  }
  return counted === 0 ? 0 : sane / counted;
}
