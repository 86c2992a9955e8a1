import { describe, expect, it } from "vitest";
import type { Task } from "../kernel/kernel.ts";
import { CANARY, STACK_HIGH, TASK, type TinyData, type TinyFunction, tinyKernel } from "../testing/tiny-kernel.ts";
import { follow } from "../unwind/unwind.ts";
import { unwindContext } from "../unwind/unwind-context.ts";
import { EvidenceLog } from "./evidence.ts";
import type { CrashFacts } from "./facts.ts";
import { judgeCanary } from "./judge-canary.ts";

// parse(): a buffer at 0x18(%rsp), its address given to helper; the canary at 0x58(%rsp); a frame of 120 bytes.
const FUNCTIONS = [
  { name: "entry", code: "4883ec08 e807000000 4883c408 c3 cccc" },
  {
    name: "parse",
    code: `4154 53 4883ec60 65488b042528000000 4889442458 31c0 488d7c2418 be40000000 e81d000000
           488b542458 65482b142528000000 7508 4883c460 5b 415c c3 e804000000`,
  },
  { name: "helper", code: "c60700 c3" },
  { name: "__stack_chk_fail", code: "55 0f0b" },
];
const SP = STACK_HIGH - 0x200n;
const AT = { buffer: SP + 0x18n, slot: SP + 0x58n, saved: SP + 0x60n, returnSlot: SP + 0x70n };
const FAIL_RETURN = 0x43;

/** mov 0xffffffffc0000000,%rax; mov %rsi,0x18(%rax); ret */
const LATE = { name: "late", code: "488b0425000000c0 48897018 c3", module: "driver" };
const LATE_REPLY = 0xffffffffc0000000n;

interface Case {
  readonly functions?: readonly TinyFunction[];
  readonly data?: readonly TinyData[];
  readonly words?: Readonly<Record<string, bigint>>;
  readonly slot: bigint;
  readonly tasks?: readonly Partial<Task>[];
  readonly reference?: bigint;
}

function judge({ words = {}, slot, tasks = [], reference = CANARY, functions = [], data = [] }: Case) {
  const { at } = tinyKernel({ functions: FUNCTIONS });
  const stack: Record<string, bigint> = {
    [AT.returnSlot.toString()]: at("entry", 9),
    [AT.slot.toString()]: slot,
    ...words,
  };
  const tiny = tinyKernel({ functions: [...FUNCTIONS, ...functions], stack, entries: ["entry"], data });
  const own = tiny.kernel.task(TASK)!;
  const kernel = Object.assign(tiny.kernel, {
    tasks: () => [own, ...tasks],
    referenceCanary: () => ({ address: 0x28n, value: reference }),
  });
  const context = unwindContext(kernel);
  const walked = follow(context, { pc: at("parse", FAIL_RETURN), exact: false, sp: SP, registers: new Map() });
  const evidence = new EvidenceLog();
  const facts: CrashFacts = {
    kernel,
    context,
    evidence,
    cpu: null,
    task: own,
    trace: { task: TASK, cpu: 0, source: "note", ...walked },
    frames: walked.frames,
    fault: null,
    detector: 0,
    panicCaller: null,
  };
  const judged = judgeCanary(facts).sort((a, b) => b.weight - a.weight);
  return { judged, best: judged[0], evidence, names: walked.frames.map((frame) => frame.function) };
}

/** The same word from `first` up to and including `last`. */
function fill(first: bigint, last: bigint, value: bigint): Record<string, bigint> {
  const words: Record<string, bigint> = {};
  for (let at = first; at <= last; at += 8n) words[at.toString()] = value;
  return words;
}

const A = 0x4141414141414141n;

describe("a failed canary check", () => {
  it("is an overflow, certain, where the data run from the buffer's start through the canary", () => {
    const { best } = judge({ words: fill(AT.buffer, AT.saved, A), slot: A });
    expect(best).toMatchObject({ kind: "stack-buffer-overflow", culprit: { function: "parse" } });
    expect(best!.weight).toBeGreaterThanOrEqual(0.9);
    expect(best!.corruption).toMatchObject({ bytes: 16, pattern: "the byte 0x41 ('A') repeated" });
    expect(best!.leads.bufferCallees).toContain("helper");
  });

  it("counts up to the last byte that was changed of a return address", () => {
    const { at } = tinyKernel({ functions: FUNCTIONS });
    const partly = (at("entry", 9) & ~0xffn) | 0x41n;
    const { best, names } = judge({
      words: { ...fill(AT.buffer, AT.saved + 8n, A), [AT.returnSlot.toString()]: partly },
      slot: A,
    });
    expect(names).toEqual(["parse", "entry"]);
    expect(best).toMatchObject({ kind: "stack-buffer-overflow", corruption: { bytes: 25 } });
  });

  it("sees an overrun that ends inside the canary", () => {
    const counting = Object.fromEntries(
      Array.from({ length: 8 }, (_, word) => [
        (AT.buffer + BigInt(word * 8)).toString(),
        Array.from({ length: 8 }, (__, byte) => BigInt(0xb0 + word * 8 + byte)).reduceRight(
          (all, one) => (all << 8n) | one,
        ),
      ]),
    );
    const { best } = judge({ words: counting, slot: (CANARY & ~0xffn) | 0xf0n });
    expect(best).toMatchObject({ kind: "stack-buffer-overflow", corruption: { bytes: 1 } });
  });

  it.each<[string, Case, string]>([
    [
      "only the slot, next to other data: a stray write",
      { words: fill(AT.buffer, AT.slot - 8n, 5n), slot: 0xc0de0015n },
      "foreign-write",
    ],
    ["the right value plus one: a stray write", { slot: CANARY + 1n }, "foreign-write"],
    [
      "the task's own canary, against a changed reference",
      { slot: CANARY, reference: CANARY + 0x100n },
      "reference-canary-changed",
    ],
  ])("%s", (_what, given, kind) => {
    expect(judge(given).best?.kind).toBe(kind);
  });

  it("is an overrun of data without a pattern where the canary's bytes are changed from its lowest on", () => {
    const { best } = judge({ words: fill(AT.buffer, AT.slot - 8n, 5n), slot: (CANARY & ~0xffffffn) | 0xd05b91n });
    expect(best?.kind).toBe("stack-buffer-overflow");
    expect(judge({ words: fill(AT.buffer, AT.slot - 8n, 5n), slot: CANARY ^ 0xff0000000000n }).best?.kind).toBe(
      "foreign-write",
    );
  });

  it("is a write from elsewhere, by name, where a module's code stores through a pointer into the frame", () => {
    const { best, evidence } = judge({
      words: fill(AT.buffer, AT.slot - 8n, 5n),
      slot: 0xc0de0015n,
      functions: [LATE],
      data: [{ name: "late_reply", address: LATE_REPLY, module: "driver", words: [AT.slot - 24n] }],
    });
    expect(best).toMatchObject({ kind: "foreign-write", culprit: { function: "late", module: "driver" } });
    expect(best!.weight).toBeGreaterThanOrEqual(0.9);
    expect(evidence.items.find((item) => item.id === "pointer-holder-1")?.text).toBe(
      `late_reply [driver] points to 0x${(AT.slot - 24n).toString(16)}, 24 bytes below the damage.`,
    );
  });

  it("leaves an overrun that runs from the buffer's start alone, whoever holds a pointer", () => {
    const { best, evidence } = judge({
      words: fill(AT.buffer, AT.saved, A),
      slot: A,
      functions: [LATE],
      data: [{ name: "late_reply", address: LATE_REPLY, module: "driver", words: [AT.slot - 24n] }],
    });
    expect(best?.kind).toBe("stack-buffer-overflow");
    expect(evidence.has("pointer-holder-1")).toBe(false);
  });

  it("says that nobody is known where no one holds a pointer", () => {
    const { evidence } = judge({ words: fill(AT.buffer, AT.slot - 8n, 5n), slot: 0xc0de0015n });
    expect(evidence.has("no-pointer-holder")).toBe(true);
  });

  it("thinks of a wiped reference where only the slot is zero", () => {
    const { judged } = judge({ words: fill(AT.buffer, AT.slot - 8n, 5n), slot: 0n });
    expect(judged.map((one) => one.kind)).toContain("reference-canary-changed");
  });

  it("does not call another task's canary an overflow", () => {
    const other = { pid: 7, comm: "other", address: TASK + 0x10000n, canary: 0x9988776655443300n };
    const { judged, evidence } = judge({ slot: other.canary, tasks: [other] });
    expect(judged.find((one) => one.kind === "stack-buffer-overflow")!.weight).toBeLessThan(0.2);
    expect(evidence.items.map((item) => item.text).join("\n")).toContain("the canary of task 7 (other)");
  });
});
