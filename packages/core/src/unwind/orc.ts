import type { OrcRun } from "./orc-run.ts";
import type { OrcSection } from "./orc-section.ts";

/**
 * ORC unwind data, normalised: whatever numbering the kernel uses (4.14, 6.3, 6.4, 7.1 layouts), consumers see this.
 * Linux arch/x86/include/asm/orc_types.h.
 */
export type OrcRegister =
  | "undefined"
  | "prev-sp"
  | "dx"
  | "di"
  | "bp"
  | "sp"
  | "r10"
  | "r13"
  | "bp-indirect"
  | "sp-indirect";

export interface OrcEntry {
  /** First address the entry covers. */
  readonly address: bigint;
  /** How to find the previous frame's stack pointer (the CFA): register + spOffset, dereferenced for `*-indirect`. */
  readonly spRegister: OrcRegister;
  readonly spOffset: number;
  /** How to find the caller's RBP; `undefined`: RBP was not touched. */
  readonly bpRegister: OrcRegister;
  readonly bpOffset: number;
  /** `call`: return address at CFA-8. `regs`: a full pt_regs at CFA. `regs-partial`: an IRET frame at CFA.
   * `undefined`: no ORC data here. `end`: the outermost frame (user entry, kernel thread start). */
  readonly type: "call" | "regs" | "regs-partial" | "undefined" | "end";
  /** The frame was interrupted: its IP is exact, not a return address. */
  readonly signal: boolean;
}

export interface OrcTable {
  /** The entry in force at `pc` (kernel or module), or null where there is no ORC data. */
  find(pc: bigint): OrcEntry | null;
  /** Which layout was recognised, for reports ("4.14", "6.3", "6.4", "7.1", or a mix such as "4.14 with 7.1 registers"). */
  readonly layout: string;
  /**
   * Adds the entries in force from `start` to `end` (kernel or one module) to `into`; none where there is no ORC data. For
   * passes over all code; see `collectOrc`, which does without where a table has no such method.
   */
  collect?(start: bigint, end: bigint, into: OrcRun): void;
  /**
   * The same with modules beside it that are not loaded but placed.
   * @param placed their tables: null for a module without one, undefined for an address in none of them
   */
  withPlaced?(placed: (pc: bigint) => OrcSection | null | undefined): OrcTable;
}
