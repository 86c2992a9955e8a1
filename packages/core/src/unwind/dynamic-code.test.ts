import { describe, expect, it } from "vitest";
import { STACK_HIGH, tinyKernel } from "../testing/tiny-kernel.ts";
import { follow } from "./unwind.ts";
import { unwindContext } from "./unwind-context.ts";

// entry calls middle, whose first instruction calls a trampoline 0x1000000 above the text, which calls tracer.
const FUNCTIONS = [
  { name: "entry", code: "4883ec08 e807000000 4883c408 c3 cccc" }, //             call middle at +4, returns to +9
  { name: "middle", code: "e8ebffff00 4883ec20 4883c420 c3 cccccccccccc" }, //    call of the trampoline, returns to +5
  { name: "other", code: "4883ec08 e8f7ffffff 4883c408 c3 cccc" }, //             a call that goes to itself
  { name: "tracer", code: "4883ec08 f390 4883c408 c3" },
];

/** Stack of a CPU in tracer+4: tracer's return slot, then words of the trampoline's frame, then what `above` gives. */
function walk(frame: (at: (name: string, offset?: number) => bigint) => readonly bigint[]) {
  const { at } = tinyKernel({ functions: FUNCTIONS });
  const trampoline = at("middle", 5) + 0xffffebn;
  const low = STACK_HIGH - 0x100n;
  const words = [0n, trampoline + 0x99n, ...frame(at)];
  const stack = Object.fromEntries(words.map((word, index) => [(low + BigInt(index) * 8n).toString(), word]));
  const { kernel } = tinyKernel({ functions: FUNCTIONS, stack, entries: ["entry"] });
  const protection = (address: bigint) => ({ executable: address >= trampoline && address < trampoline + 0x1000n });
  Object.assign(kernel.memory, { protection });
  const result = follow(unwindContext(kernel), {
    pc: at("tracer", 4),
    exact: true,
    sp: low,
    registers: new Map(),
  });
  return result.frames.map(({ function: name, certainty }) => `${name}${certainty === "proven" ? "" : "?"}`);
}

describe("a walk through a trampoline", () => {
  const WHOLE = ["tracer", null, "middle", "entry"].map(String);

  it("finds the traced function by its entry's call", () => {
    expect(walk((at) => [1n, 2n, at("middle", 5), at("entry", 9)])).toEqual(WHOLE);
  });

  it("takes neither the copy in the tracer's registers nor the stale words above it", () => {
    expect(walk((at) => [at("middle", 5), at("other", 9), 3n, at("middle", 5), at("entry", 9)])).toEqual(WHOLE);
    expect(walk((at) => [at("middle", 5), 0x10n, 0n, at("middle", 5), at("entry", 9)])).toEqual(WHOLE);
  });

  it("takes the highest copy where the traced function's own return address is destroyed", () => {
    const chain = walk((at) => [at("middle", 5), at("other", 9), 3n, at("middle", 5), 0x4141414141414141n]);
    expect(chain.slice(0, 4)).toEqual(["tracer", "null", "middle", "entry?"]);
  });
});
