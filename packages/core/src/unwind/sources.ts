/**
 * One step outwards, by whatever the kernel has to go by: ORC; else call frame information and the function's own code; else
 * saved registers told by their look; else the chain of frame pointers. All of them only say where the return address is:
 * whether what lies there is one is for link.ts, whoever said it.
 */
import { stepByCfi } from "./cfi-step.ts";
import { stepByFramePointer } from "./frame-pointer.ts";
import { checkLink } from "./link.ts";
import { stepOutOfOddFrame } from "./odd-frame-step.ts";
import { endAtTop, stepOutOfEntry } from "./saved-registers.ts";
import { type Step, stepByCode, stepByOrc, type WalkState } from "./step.ts";
import { isAtTop, threadStart } from "./thread-start.ts";
import type { UnwindContext } from "./unwind-context.ts";

/** Takes one step from `state`. */
export function stepOut(context: UnwindContext, state: WalkState): Step {
  return stepByOrc(context, state) ?? stepWithoutOrc(context, state);
}

function stepWithoutOrc(context: UnwindContext, state: WalkState): Step {
  const steps = isFreedText(context, state) ? byCfi(context, state) : framesBy(context, state);
  // Code of the boot, of which nobody can tell any more; only where the kernel itself began is a caller there.
  if (steps.length === 0 && isFreedText(context, state)) {
    return stepByFramePointer(context, state) ?? { kind: "end", userRegs: null };
  }
  const certain = steps.find((step) => CERTAIN.includes(reachOf(context, state, step)));
  if (certain !== undefined) return certain;
  if (isStart(context, state, steps)) return { kind: "end", userRegs: null };
  const entry = isAtTop(context, state) ? endAtTop(context, state.sp) : stepOutOfEntry(context, state);
  if (entry !== null) return entry;
  const [first] = steps;
  if (first !== undefined) return steps.find((step) => reachOf(context, state, step) !== "no") ?? first;
  return stepByFramePointer(context, state) ?? stepByCode(context, state);
}

/** In code of the boot, which is gone since: what lies there now is something else. */
function isFreedText(context: UnwindContext, state: WalkState): boolean {
  return !state.exact && context.isInitText(state.pc) && context.callSite(state.pc) === null;
}

/** Links that chance does not make. */
const CERTAIN: readonly string[] = ["direct", "entry", "freed"];

type CallStep = Extract<Step, { kind: "call" }>;

/** Does a stack begin here: in the frame itself, or with a blank word where its return address would be? */
function isStart(context: UnwindContext, state: WalkState, steps: readonly CallStep[]): boolean {
  if (!state.exact && threadStart(context, state.sp - 8n) === "address") return true;
  return steps.some((step) => threadStart(context, step.cfa - 8n) === "blank");
}
/** What CFI and code say; both, where they disagree. */
function framesBy(context: UnwindContext, state: WalkState): CallStep[] {
  const steps = byCfi(context, state);
  const odd = stepOutOfOddFrame(context, state);
  if (odd !== null) return [odd, ...steps];
  const code = stepByCode(context, state);
  if (code.kind !== "call" || code.cfa === steps[0]?.cfa) return steps;
  // Inline assembler pushes and pops behind the compiler's back: at an exact address the code knows better.
  return state.exact ? [code, ...steps] : [...steps, code];
}

function byCfi(context: UnwindContext, state: WalkState): CallStep[] {
  const cfi = stepByCfi(context, state);
  if (cfi === null || cfi.signal || cfi.slot !== cfi.cfa - 8n) return [];
  return [{ kind: "call", cfa: cfi.cfa, registers: cfi.registers }];
}

/** How the return address of a step is proven. */
function reachOf(context: UnwindContext, state: WalkState, step: CallStep): string {
  const callee = context.functionAt(state.exact ? state.pc : state.pc - 1n);
  const link = checkLink(context, step.cfa - 8n, callee);
  return link.ok ? link.reach : "no";
}
