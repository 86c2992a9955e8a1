import { describe, expect, it } from "vitest";
import type { FunctionCode } from "../code/code-reader.ts";
import { CANARY, STACK_HIGH, TASK, TEXT, tinyKernel } from "../testing/tiny-kernel.ts";
import { unwindContext } from "../unwind/unwind-context.ts";
import type { CanaryFinding } from "./canary-finding.ts";
import { factsOf, frameAt, words } from "./facts.fixture.ts";
import { judgeChangedReference, judgeEarlierReference } from "./judge-reference.ts";

const OLD = 0x9988776655443300n;
/** Stores its canary at 8(%rsp) of a frame of 16 bytes, and calls what comes next. */
const PROTECTED = "4883ec10 65488b042528000000 4889442408 31c0";
const CALL = "e801000000 c3";
/** mov %rax,%gs:0x28; ret */
const WRITES_REFERENCE = "6548890425 28000000 c3";
/** mov %rax,%gs:(%rdi); ret */
const WRITES_COMPUTED = "65488907 c3";
const NOTHING = "c3";

interface Given {
  readonly found: bigint;
  readonly callee?: { readonly name: string; readonly code: string; readonly module?: string };
  /** What the frame of the caller, which is protected too, holds as its canary. */
  readonly outer?: bigint;
  readonly reference?: bigint;
  readonly owner?: bigint;
}

function given({
  found,
  callee = { name: "nothing", code: NOTHING },
  outer = CANARY,
  reference = CANARY,
  owner,
}: Given) {
  const functions = [{ name: "victim", code: PROTECTED + CALL }, callee, { name: "caller", code: PROTECTED + CALL }];
  const sp = STACK_HIGH - 0x100n;
  const slot = sp + 8n;
  const outerSp = sp + 0x18n;
  const { kernel, at } = tinyKernel({
    functions,
    stack: { [slot.toString()]: found, [(outerSp + 8n).toString()]: outer },
  });
  const own = kernel.task(TASK)!;
  const other = { ...own, address: TASK + 0x10000n, pid: 7, comm: "other", canary: owner ?? null };
  Object.assign(kernel, { tasks: () => [own, other] });
  const past = BigInt(PROTECTED.replace(/ /g, "").length / 2 + 5);
  const frames = [
    frameAt(kernel, at("victim") + past, sp, { cfa: sp + 0x18n }),
    frameAt(kernel, at("caller") + past, outerSp, { cfa: outerSp + 0x18n }),
  ];
  const facts = factsOf(kernel, { frames, detector: 0 });
  const finding: CanaryFinding = {
    frame: frames[0]!,
    code: unwindContext(kernel).reader.functionAt(TEXT) as FunctionCode,
    cfa: sp + 0x18n,
    slot,
    base: "rsp",
    readFrom: null,
    found,
    reference,
    taskCanary: CANARY,
    expected: CANARY,
  };
  return { facts, finding };
}

function earlier(options: Given) {
  const { facts, finding } = given(options);
  return { judged: judgeEarlierReference(facts, finding), text: () => words(facts) };
}

describe("a reference canary that was changed", () => {
  it("is certain where the slot holds what the task says it must", () => {
    const { facts, finding } = given({ found: CANARY, reference: CANARY + 0x100n });
    expect(judgeChangedReference(facts, finding)).toMatchObject({ kind: "reference-canary-changed", weight: 0.97 });
    const agreeing = given({ found: OLD });
    expect(judgeChangedReference(agreeing.facts, agreeing.finding)).toBeNull();
  });

  it.each<[string, { name: string; code: string; module?: string }, string | null]>([
    [
      "a module's function that writes per-CPU memory at an address it computes",
      { name: "add", code: WRITES_COMPUTED, module: "driver" },
      "add",
    ],
    ["nobody, where only the kernel's own function does so", { name: "add", code: WRITES_COMPUTED }, null],
    ["a function that names the reference itself, whoever it is", { name: "renew", code: WRITES_REFERENCE }, "renew"],
    ["nobody, where nothing writes", { name: "nothing", code: NOTHING, module: "driver" }, null],
  ])("is the fault of %s", (_who, callee, name) => {
    const { facts, finding } = given({ found: CANARY, reference: 0n, callee });
    expect(judgeChangedReference(facts, finding)?.culprit?.function ?? null).toBe(name);
  });

  it("is certain where callers hold the same old value", () => {
    const { judged, text } = earlier({ found: OLD, outer: OLD });
    expect(judged!.weight).toBeGreaterThanOrEqual(0.9);
    expect(text()).toContain("holds the same value 0x9988776655443300 as its canary");
  });

  it("is certain where what the function calls writes the reference", () => {
    const { judged } = earlier({ found: OLD, callee: { name: "renew", code: WRITES_REFERENCE } });
    expect(judged).toMatchObject({ culprit: { function: "renew" } });
    expect(judged!.weight).toBeGreaterThanOrEqual(0.9);
  });

  it("is likely where the slot holds another task's canary, whole", () => {
    const { judged } = earlier({ found: OLD, owner: OLD });
    expect(judged).toMatchObject({ kind: "reference-canary-changed", weight: 0.7 });
    expect(judged!.summary).toContain("task 7 (other)");
  });

  it("is likely where the function switches tasks between its store and its check", () => {
    const { judged, text } = earlier({ found: 0n, callee: { name: "__switch_to_asm", code: NOTHING } });
    expect(judged).toMatchObject({ kind: "reference-canary-changed", weight: 0.75 });
    expect(text()).toContain("The frames further out (caller) hold the right canary");
  });

  it("is barely thought of for a zero, and not at all for any other word", () => {
    expect(earlier({ found: 0n }).judged!.weight).toBeLessThan(0.5);
    expect(earlier({ found: OLD }).judged).toBeNull();
  });
});
