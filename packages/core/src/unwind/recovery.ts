/** What reconstruction gives: inferred frames, and the proven rest that they lead to. */
import type { FunctionRange } from "../symbols/symbol-table.ts";
import type { WalkState } from "./step.ts";
import type { Walk } from "./walk.ts";

export interface InferredFrame {
  readonly state: WalkState;
  readonly cfa: bigint | null;
  readonly why: string;
  /** Only that the function was entered is known, not where in it the call was; `state.pc` is then its first address. */
  readonly entered?: boolean;
}

export interface Recovery {
  /** Frames whose return addresses were destroyed, innermost first. */
  readonly inferred: readonly InferredFrame[];
  /** The proven rest, to the end of the stack. Its first frame is the last inferred one's caller. */
  readonly rest: Walk;
  /** Where frames are missing between the last inferred one (or the callee) and the rest: words, else null. */
  readonly gap: string | null;
  /**
   * CFA that the intact stack proves for the callee, where it is not the one its unwind data gives: its code runs on a frame
   * that its own entry did not build. Null in all other cases.
   */
  readonly displaced: bigint | null;
  /**
   * The function whose return went astray, where the CPU was found in no function (it returned to a bad address): what the
   * recovered caller called there. Null in all other cases.
   */
  readonly returned: FunctionRange | null;
}

/** A walk without its first frame, which is told otherwise. */
export function dropFirst(walk: Walk): Walk {
  return { ...walk, frames: walk.frames.slice(1) };
}
