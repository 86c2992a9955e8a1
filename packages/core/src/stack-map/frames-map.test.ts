import { describe, expect, it } from "vitest";
import type { Diagnosis, DiagnosisFrame } from "../diagnose/diagnosis.ts";
import { framesMap } from "./frames-map.ts";

const LOW = 0xffffc90000010000n;
const HIGH = LOW + 0x4000n;
const hex = (value: bigint): string => `0x${value.toString(16)}`;

function frame(name: string, sp: bigint | null, inlined = false): DiagnosisFrame {
  const address = hex(0xffffffff81000000n);
  return {
    function: name,
    module: null,
    offset: 4,
    address,
    sp: sp === null ? null : hex(sp),
    certainty: "inferred",
    inlined,
    why: null,
  };
}

function diagnosis(frames: readonly DiagnosisFrame[], more: Partial<Diagnosis> = {}): Diagnosis {
  return {
    stack: { kind: "task", low: hex(LOW), high: hex(HIGH), usedBytes: 0x100 },
    frames,
    corruption: null,
    evidence: [],
    panic: { message: null, cpu: null, pid: null, comm: null, task: null },
    ...more,
  } as unknown as Diagnosis;
}

const regions = (one: Diagnosis) =>
  framesMap(one)?.stacks[0]?.regions.map((region) => `${region.bytes} ${region.label}`);

describe("framesMap", () => {
  it("lays the frames out by their stack pointers", () => {
    const frames = [frame("inner", HIGH - 0x100n), frame("part", HIGH - 0xc0n, true), frame("outer", HIGH - 0xc0n)];
    expect(regions(diagnosis(frames))).toEqual([
      `${0x4000 - 0x100} not in the text`,
      "64 inner+0x4",
      "0 outer+0x4",
      "192 above the outermost frame",
    ]);
  });

  it.each<[string, Diagnosis]>([
    ["the stack is not known", diagnosis([frame("a", LOW), frame("b", LOW + 8n)], { stack: null })],
    ["no frame's place is known", diagnosis([frame("a", null), frame("b", null)])],
    ["only one frame's place is known", diagnosis([frame("a", HIGH - 64n), frame("b", null)])],
    ["the frames are on another stack", diagnosis([frame("a", 8n), frame("b", 16n)])],
  ])("draws nothing where %s", (_why, one) => {
    expect(framesMap(one)).toBeNull();
  });

  it("shows the canary slot, the one word that the document holds", () => {
    const slot = HIGH - 0xe0n;
    const canary = { slot: hex(slot), expected: "0x1100", found: "0x4141" };
    const one = diagnosis([frame("inner", HIGH - 0x100n), frame("outer", HIGH - 0xc0n)], {
      corruption: { start: hex(slot), end: hex(slot + 8n), bytes: 8, pattern: null, canary },
      evidence: [{ id: "canary-mismatch", address: hex(slot), text: "" }],
    });
    const inner = framesMap(one)!.stacks[0]!.regions[1]!;
    expect(inner).toMatchObject({ damaged: true, evidence: ["canary-mismatch"] });
    expect(inner.words).toMatchObject([{ address: hex(slot), kind: "canary", state: "bad", expected: "0x1100" }]);
  });
});
