/**
 * Frames of split-off parts: gcc moves unlikely code of `f` into `f.cold`, which is jumped to with the frame of `f` built. What
 * `f` had pushed at those jumps is where the part begins.
 */
import type { CodeReader, FunctionCode } from "./code-reader.ts";
import { type FrameState, frameLayout, frameLayoutFrom } from "./frame-layout.ts";

const COLD = /^(.+)\.cold(\.\d+)?$/;

const layouts = new WeakMap<FunctionCode, readonly (FrameState | null)[]>();

/** As `frameLayout`; of a `.cold` part as it follows from the function that jumps there. */
export function frameLayoutOf(reader: CodeReader, code: FunctionCode): readonly (FrameState | null)[] {
  const name = COLD.exec(code.range.name);
  if (name === null) return frameLayout(code);
  let layout = layouts.get(code);
  if (layout === undefined) {
    // Several files may have a function of that name: only the right one jumps here.
    const parents = reader.symbols.allByName(name[1]!).filter((symbol) => symbol.module === code.range.module);
    const seeds = parents.flatMap((parent) => seedsFrom(reader.functionAt(parent.address), code));
    layout = seeds.length === 0 ? frameLayout(code) : frameLayoutFrom(code, seeds);
    layouts.set(code, layout);
  }
  return layout;
}

/** Where a function jumps into the part, with its frame there: a jump changes nothing of it. */
function seedsFrom(parent: FunctionCode | null, part: FunctionCode): { index: number; state: FrameState }[] {
  if (parent === null) return [];
  const states = frameLayout(parent);
  return parent.instructions.flatMap(({ target }, at) => {
    const index = target === null ? -1 : part.indexAt(target);
    const state = states[at] ?? null;
    return index < 0 || state === null ? [] : [{ index, state }];
  });
}
