/**
 * Places that calls and jumps lead to and that are no functions of the call graph: thunks that stand for an indirect branch or
 * a return, and the tracer's entry hook. Told by name, since their bodies differ by mitigation and are rewritten at boot; the
 * names are those that the compiler's -mindirect-branch=thunk-extern, -mfunction-return=thunk-extern and -mfentry ask for.
 */
import { GENERAL_REGISTERS } from "../code/code-columns.ts";
import type { FunctionTable } from "./function-table.ts";

/** What a branch to such a place is: `indirect` through a register, a `return`, or `nothing` at all. */
export const THUNK = { NONE: 0, INDIRECT: 1, RETURN: 2, NOTHING: 3 } as const;

/** arch/x86/lib/retpoline.S: retpolines, those of call depth tracking (6.2) and of ITS (6.15, in stable 6.1 and 6.12). */
const INDIRECT = [
  "__x86_indirect_thunk_",
  "__x86_indirect_call_thunk_",
  "__x86_indirect_jump_thunk_",
  "__x86_indirect_its_thunk_",
];

/** Return thunks, and what the kernel puts in their place at boot (same file; 5.19 on). */
const RETURNS = [
  ...[
    "__x86_return_thunk",
    "zen_return_thunk",
    "retbleed_return_thunk",
    "srso_return_thunk",
    "srso_alias_return_thunk",
  ],
  ...["srso_safe_ret", "srso_alias_safe_ret", "call_depth_return_thunk", "its_return_thunk", "__ret"],
];

/**
 * `-mfentry` and `-pg`: a NOP from boot on, or a jump to the tracer's trampoline while something traces the function, in
 * which case the text of a dump says so. As the compiler left it, it leads to a bare return.
 */
const NOTHINGS = ["__fentry__", "mcount"];

export class Thunks {
  /** One of THUNK for each function. */
  readonly kind: Uint8Array;
  /** Number of the register that an indirect thunk branches through. */
  readonly register: Int8Array;

  constructor(table: FunctionTable) {
    this.kind = new Uint8Array(table.count);
    this.register = new Int8Array(table.count).fill(-1);
    for (const prefix of INDIRECT) {
      for (const [number, register] of GENERAL_REGISTERS.entries()) {
        for (const index of table.named(prefix + register)) {
          this.kind[index] = THUNK.INDIRECT;
          this.register[index] = number;
        }
      }
    }
    for (const [kind, names] of [[THUNK.RETURN, RETURNS] as const, [THUNK.NOTHING, NOTHINGS] as const]) {
      for (const index of names.flatMap((name) => table.named(name))) {
        if (table.module[index] === null) this.kind[index] = kind;
      }
    }
  }
}
