/**
 * Call frame information (CFI) of DWARF, normalised: whether it lies in .debug_frame or in .eh_frame, consumers see rows.
 * Sources: DWARF 5, section 6.4; Linux Standard Base 5.0, "Exception Frames", for what .eh_frame does differently.
 */

/** Where the canonical frame address (CFA) is. Registers by DWARF number (x86_64 psABI, figure 3.36). */
export type CfaRule =
  | { readonly kind: "register"; readonly register: number; readonly offset: number }
  | { readonly kind: "expression"; readonly expression: Uint8Array };

/** Where the caller's value of a register is. Offsets in bytes. */
export type RegisterRule =
  /** Lost in this function. */
  | { readonly kind: "undefined" }
  | { readonly kind: "same" }
  /** In memory at CFA + offset. */
  | { readonly kind: "offset"; readonly offset: number }
  /** CFA + offset itself. */
  | { readonly kind: "value-offset"; readonly offset: number }
  | { readonly kind: "register"; readonly register: number }
  /** In memory where the expression leads. */
  | { readonly kind: "expression"; readonly expression: Uint8Array }
  /** What the expression comes to. */
  | { readonly kind: "value-expression"; readonly expression: Uint8Array };

/** What holds at one address of the code. */
export interface CfiRow {
  readonly cfa: CfaRule;
  /** Registers that no rule names are not listed: callee-saved ones are then unchanged. */
  readonly registers: ReadonlyMap<number, RegisterRule>;
  /** DWARF number of the column that stands for the return address; 16 on x86_64. */
  readonly returnAddress: number;
  /** Augmentation `S`: the frame was interrupted, so that the return address is an exact IP. */
  readonly signal: boolean;
}

export interface CfiTable {
  /** The row in force at an exact address (kernel or module), or null where there is no CFI. */
  find(pc: bigint): CfiRow | null;
}
