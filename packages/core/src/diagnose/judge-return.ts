/** Hypotheses about a return that led astray: its address was overwritten, by whose code, or from elsewhere. */
import { callSitesIn } from "../code/call-site.ts";
import { followPointer } from "../code/pointer-flow.ts";
import type { FunctionRange } from "../symbols/symbol-table.ts";
import { equalBytes } from "../unwind/candidates.ts";
import { hex } from "./evidence.ts";
import { type CrashFacts, frameName } from "./facts.ts";
import { findOutsideWriter } from "./foreign-write.ts";
import { type Hypothesis, hypothesis } from "./hypothesis.ts";
import { outsideWrite } from "./judge-foreign.ts";
import { corruptionOfReturn, measureReturn } from "./return-damage.ts";

export function judgeReturn(facts: CrashFacts): Hypothesis[] {
  const { trace, fault } = facts;
  const { broken } = trace;
  if (broken === null) return strayReturn(facts);
  if (broken.dynamic === true || broken.cfa === null || fault === null || trace.brokenFrame !== fault.index) return [];
  // Where the slot cannot be read nobody knows what it holds.
  return broken.found === null ? [] : brokenReturn(facts, broken.cfa - 8n, broken.found);
}

/** A link broken at the very place where the CPU went astray. */
function brokenReturn(facts: CrashFacts, slot: bigint, found: bigint): Hypothesis[] {
  const { trace, fault, evidence, frames, kernel } = facts;
  const broken = trace.broken!;
  const caller = frames[fault!.index + 1];
  const was = caller !== undefined && trace.gap === null ? caller.address : null;
  const should = was === null || was === found ? "" : ` instead of ${hex(was)}`;
  evidence.add("return-address", slot, `The return address at ${hex(slot)} was ${hex(found)}${should}.`);
  const whose = broken.callee ?? whoReturned(facts, was, found) ?? trace.returned;
  const name = whose === null ? "a function" : rangeName(whose);
  const went =
    broken.callee === null
      ? `${name} returned to ${hex(found)}, where there is no code`
      : `the return address of ${name} is not one that its call can have left`;
  const stack = caller?.stack ?? fault!.frame.stack;
  const damage =
    was === found ? null : measureReturn(kernel, stack, slot, found, was, hitSlots(facts, fault!.index + 1));
  const corruption = damage === null ? null : corruptionOfReturn(damage);
  const outside = damage === null ? null : findOutsideWriter(facts, { ...damage, from: damage.start });
  const weight = whose === null ? 0.6 : 0.8;
  const own = hypothesis({
    kind: "return-address-corrupted",
    weight: outside === null ? weight : Math.min(weight, 1 - outside.strength / 2),
    summary: `A return address was overwritten: ${went}.`,
    why: broken.reason,
    culprit: whose === null ? null : { function: whose.name, module: whose.module },
    stack,
    corruption,
  });
  if (outside === null) return [own];
  const what = whose === null ? "a frame, over its return address" : `the frame of ${name}, over its return address`;
  return [outsideWrite({ what, stack, corruption }, outside, outside.strength), own];
}

function rangeName({ name, module }: FunctionRange): string {
  return module === null ? name : `${name} [${module}]`;
}

/**
 * All calls of one function leave their return address in the same slot: where nothing of it is left, the call that went
 * before cannot be told by it. Of the functions called, the one that stores through a pointer it is given can have done it.
 */
function whoReturned(facts: CrashFacts, was: bigint | null, found: bigint): FunctionRange | null {
  const { context } = facts;
  if (was === null || equalBytes(found, was) > 0) return null;
  const callees = new Map<bigint, FunctionRange>();
  for (const site of callSitesIn(context.reader, was - 1n)) {
    const range = site.target === null ? null : context.functionAt(site.target);
    if (range !== null && !/^__stack_chk_fail|^__fentry__/.test(range.name)) callees.set(range.start, range);
  }
  if (callees.size < 2) return null;
  const writers = [...callees.values()].filter((range) =>
    ["rdi", "rsi", "rdx"].some((register) => {
      const entry = new Map([[register, "pointer" as const]]);
      return followPointer(context.reader, range.start, { entry, holder: null })?.kind === "stores";
    }),
  );
  return writers.length === 1 ? writers[0]! : null;
}

/** Return slots from a frame outwards that hold something else than the return address that was inferred for them. */
function hitSlots({ frames, kernel, trace }: CrashFacts, from: number): bigint[] {
  const hits: bigint[] = [];
  if (trace.gap !== null) return hits;
  for (let index = from + 1; index < frames.length; index++) {
    const frame = frames[index]!;
    if (frame.certainty !== "inferred") break;
    if (kernel.memory.u64(frame.sp - 8n) !== frame.address) hits.push(frame.sp - 8n);
  }
  return hits;
}

/** Bytes that a changed return address still shares with the true one. */
const SHARED_BYTES = 7;

/**
 * The CPU stood between two instructions' starts: no jump of the compiler's leads there. Where one call in the same
 * function, at the same stack depth, returns to nearly that address, its return address was changed.
 */
function strayReturn(facts: CrashFacts): Hypothesis[] {
  const { fault, context, evidence } = facts;
  if (fault === null) return [];
  const { frame } = fault;
  const code = context.reader.functionAt(frame.address);
  if (code === null || code.indexAt(frame.address) >= 0) return [];
  evidence.add(
    "mid-instruction",
    frame.address,
    `RIP is ${hex(frame.address)}, inside an instruction of ${frameName(frame)}: nothing jumps there.`,
  );
  const near = callSitesIn(context.reader, frame.address).find(
    (site) => equalBytes(site.returnAddress, frame.address) >= SHARED_BYTES,
  );
  const callee = near?.target == null ? null : context.functionAt(near.target);
  if (near !== undefined) {
    evidence.add(
      "near-return",
      near.returnAddress,
      `A call of ${callee?.name ?? "a function"} returns to ${hex(near.returnAddress)}, one byte different.`,
    );
  }
  // The function that returned has taken its return address off the stack: it lay just below RSP.
  const slot = frame.sp - 8n;
  const damage =
    near === undefined || frame.stack === null
      ? null
      : measureReturn(facts.kernel, frame.stack, slot, frame.address, near.returnAddress, []);
  const own = hypothesis({
    kind: "return-address-corrupted",
    weight: near === undefined ? 0.55 : 0.8,
    summary:
      near === undefined
        ? `The CPU came into the middle of an instruction of ${frameName(frame)}: a return address or a jump was wrong.`
        : `${callee?.name ?? "A function"} returned into the middle of an instruction of ${frameName(frame)}: one byte of its return address was changed.`,
    why: "RIP is not at the start of an instruction",
    culprit: callee === null ? null : { function: callee.name, module: callee.module },
    stack: frame.stack,
    corruption: damage === null ? null : corruptionOfReturn(damage),
  });
  const outside = damage === null ? null : findOutsideWriter(facts, { ...damage, from: damage.start });
  if (outside === null) return [own];
  const what = `the frame of ${callee?.name ?? "a function"}, over its return address`;
  return [
    outsideWrite({ what, stack: frame.stack, corruption: own.corruption }, outside, outside.strength),
    { ...own, weight: Math.min(own.weight, 1 - outside.strength / 2) },
  ];
}
