/** What advice follows from. No dump is needed: a log gives the same, with less in it. */
import type { Diagnosis } from "../diagnose/diagnosis.ts";
import type { KernelOptions } from "../kernel/option-state.ts";

/** A diagnosis before its advice. */
export type Findings = Pick<
  Diagnosis,
  | "input"
  | "panic"
  | "verdict"
  | "alternatives"
  | "stack"
  | "frames"
  | "recursion"
  | "stale"
  | "corruption"
  | "evidence"
  | "missing"
>;

export interface AdviceContext {
  readonly options: KernelOptions;
  /** Loaded modules that taint the kernel, with their letters ("OE", "PO", "K"). */
  readonly taintedModules: readonly { readonly name: string; readonly taints: string }[];
  /** The kernel's own taint letters, as an oops prints them ("G      W  OE"); null where not known. */
  readonly taints: string | null;
  /** The kernel's log, line by line; read only by the rules that ask for it. */
  readonly log: () => readonly string[];
  /** What makedumpfile was told to leave out (its `-d`); null where not known or nothing was. */
  readonly dumpLevel: number | null;
  /** Codes of what is wrong with the dump file. */
  readonly imageProblems: readonly string[];
  readonly leads: Leads;
}

/** What the judgement knows beside the document. */
export interface Leads {
  /** Functions that get the address of the buffer that was overrun; left out where the code was not looked at. */
  readonly bufferCallees?: readonly string[];
}
