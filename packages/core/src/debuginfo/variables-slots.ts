/** The variables of a function that have a place of their own in its frame. */
import type { FrameState, Variable } from "./debug-info.ts";
import { DW_AT, DW_TAG } from "./dwarf/constants.ts";
import type { Die } from "./dwarf/die.ts";
import type { VariableSource } from "./variables.ts";
import { readVariable } from "./variables.ts";
import { FrameExpressions } from "./variables-context.ts";

/** Entries of one function looked at; the largest functions of a kernel have some ten thousand. */
const MAX_ENTRIES = 100_000;
const MAX_DEPTH = 128;

/**
 * Variables that lie in a frame's memory for the whole of the function, in scope or not, those of inlined functions too. A
 * function that finds its stack damaged finds it at its end, where the block that the damage came from is over. Variables of
 * different blocks may share their place.
 */
export function stackVariablesAt(source: VariableSource, frame: FrameState): readonly Variable[] {
  const place = source.at(frame.afterCall ? frame.pc - 1n : frame.pc);
  if (place === null || frame.cfa === null) return [];
  const { file, pc } = place;
  const scopes = file.scopesAt(pc);
  const subprogram = scopes[0];
  if (subprogram === undefined) return [];
  const expressions = new FrameExpressions(source, file, frame, scopes, 0);
  const found: Variable[] = [];
  let left = MAX_ENTRIES;
  const visit = (scope: Die, func: string | null, depth: number): void => {
    for (const die of scope.children()) {
      if (left-- <= 0) return;
      if (die.tag === DW_TAG.inlinedSubroutine || die.tag === DW_TAG.lexicalBlock) {
        const inner = die.tag === DW_TAG.lexicalBlock ? func : (die.originWith(DW_AT.name)?.name ?? null);
        if (depth < MAX_DEPTH) visit(die, inner, depth + 1);
        continue;
      }
      // A location list says that it is in memory for a part of the function only.
      if (die.originWith(DW_AT.location)?.block(DW_AT.location) == null) continue;
      const variable = file.attempt(() => readVariable(die, func, pc, expressions, source.types(file)));
      if (variable?.place.kind === "memory" && inFrame(frame, variable.place.address)) found.push(variable);
    }
  };
  file.attempt(() => visit(subprogram, subprogram.originWith(DW_AT.name)?.name ?? null, 0));
  return found;
}

/** Arguments passed on the stack lie above the CFA: they are the caller's to keep. */
function inFrame(frame: FrameState, address: bigint): boolean {
  return address >= frame.sp && frame.cfa !== null && address < frame.cfa;
}
