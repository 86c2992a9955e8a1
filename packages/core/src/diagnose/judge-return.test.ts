import { describe, expect, it } from "vitest";
import { STACK_HIGH, TEXT, type TinyData, tinyKernel } from "../testing/tiny-kernel.ts";
import { factsOf, frameAt, words } from "./facts.fixture.ts";
import { judgeReturn } from "./judge-return.ts";

/** caller() calls note(), which stores nothing, and copy(), which stores through its first argument. */
const FUNCTIONS = [
  { name: "caller", code: "e80b000000 e807000000 c3 9090909090" },
  { name: "note", code: "c3" },
  { name: "copy", code: "c60700 c3" },
  { name: "late", code: "488b0425000000c0 488930 c3", module: "driver" },
];
const AFTER_NOTE = 5n;
const AFTER_COPY = 10n;
const SLOT = STACK_HIGH - 0x100n;
const NOWHERE = 0x7272727272727272n;

function judge(found: bigint, was: bigint, data: readonly TinyData[] = [], more: Record<string, bigint> = {}) {
  const { kernel } = tinyKernel({ functions: FUNCTIONS, data, stack: more });
  const lost = frameAt(kernel, found, SLOT + 8n, { function: null, module: null, cfa: SLOT + 8n, interrupted: true });
  const caller = frameAt(kernel, TEXT + was, SLOT + 8n, { certainty: "inferred", why: "" });
  const facts = factsOf(kernel, {
    frames: [lost, caller],
    fault: 0,
    trace: {
      broken: {
        callee: null,
        cfa: SLOT + 8n,
        found,
        reason: "no code there",
        registers: new Map(),
        state: { pc: found, exact: true, sp: SLOT + 8n, registers: new Map() },
      },
      brokenFrame: 0,
      returned: kernel.symbols.functionAt(TEXT + 16n),
    },
  });
  return { facts, judged: judgeReturn(facts).sort((a, b) => b.weight - a.weight) };
}

describe("a return that led astray", () => {
  it("is told with the extent of what was overwritten", () => {
    const { judged, facts } = judge(NOWHERE, AFTER_NOTE);
    expect(judged[0]).toMatchObject({ kind: "return-address-corrupted", corruption: { bytes: 8, canary: null } });
    expect(words(facts)).toContain("instead of 0xffffffff81000005");
  });

  it("is the fault of the one callee that stores through what it is given, where nothing tells them apart", () => {
    expect(judge(NOWHERE, AFTER_NOTE).judged[0]!.culprit).toMatchObject({ function: "copy" });
  });

  it("believes what is left of the address", () => {
    const { judged } = judge((TEXT + AFTER_NOTE) ^ 0x100n, AFTER_NOTE);
    expect(judged[0]!.culprit).toMatchObject({ function: "note" });
    expect(judged[0]!.corruption).toMatchObject({ bytes: 1 });
  });

  it("is a write from elsewhere where a module keeps a pointer there and stores through it", () => {
    const data = [{ name: "late_result", address: 0xffffffffc0000000n, module: "driver", words: [SLOT - 16n] }];
    const { judged } = judge(0x100000000n, AFTER_COPY, data);
    expect(judged[0]).toMatchObject({ kind: "foreign-write", culprit: { function: "late", module: "driver" } });
    expect(judged.map((one) => one.kind)).toContain("return-address-corrupted");
  });

  it("is nothing to talk of where the chain is whole", () => {
    const { kernel } = tinyKernel({ functions: FUNCTIONS });
    const frame = frameAt(kernel, TEXT + AFTER_NOTE, SLOT, { interrupted: true });
    expect(judgeReturn(factsOf(kernel, { frames: [frame], fault: 0 }))).toEqual([]);
  });

  it("is seen by the CPU standing inside an instruction, one byte from where a call returns", () => {
    const { kernel } = tinyKernel({ functions: FUNCTIONS });
    const frame = frameAt(kernel, TEXT + AFTER_COPY - 2n, SLOT, { interrupted: true });
    const facts = factsOf(kernel, { frames: [frame], fault: 0 });
    expect(judgeReturn(facts)[0]).toMatchObject({
      kind: "return-address-corrupted",
      corruption: { start: `0x${(SLOT - 8n).toString(16)}`, bytes: 1 },
    });
  });
});
