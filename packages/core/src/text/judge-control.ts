/** Explanations for a CPU that stood where no code is, or within an instruction: a bad return, or a bad call. */
import { hex } from "../diagnose/evidence.ts";
import { KERNEL_HALF } from "./kernel-address.ts";
import type { LogFacts } from "./log-facts.ts";
import type { LogFrame } from "./log-frames.ts";
import { placeName } from "./place-name.ts";
import { type TextHypothesis, textHypothesis } from "./text-hypothesis.ts";

export function judgeControl(facts: LogFacts): TextHypothesis[] {
  const { registers } = facts.crash;
  if (registers === null || registers.userMode || registers.pc === null || facts.arch !== "x86_64") return [];
  if (registers.pc.function !== null) return facts.code?.midInstruction === true ? [midInstruction(facts)] : [];
  const pc = registers.pc.address;
  if (pc === null) return [];
  return wildPc(facts, pc);
}

function wildPc(facts: LogFacts, pc: bigint): TextHypothesis[] {
  const { evidence, chain } = facts;
  const { registers } = facts.crash;
  const sp = registers!.sp;
  const where = pc === 0n ? "RIP is 0" : `RIP is ${hex(pc)}, where no function is`;
  evidence.add("wild-rip", pc, `${where}.`);
  const first = chain.trace?.entries.find((entry) => entry.function !== null) ?? null;
  if (first === null || (sp !== null && sp < KERNEL_HALF)) {
    return [
      textHypothesis({
        kind: "undetermined",
        weight: 0.6,
        summary: `The CPU went to ${hex(pc)}${sp === null ? "" : ` with its stack pointer at ${hex(sp)}`}, and the kernel's unwinder found no stack there: what happened before is not in the log.`,
        why: "neither RIP nor RSP leads anywhere",
      }),
    ];
  }
  const outer = chain.frames.find((frame) => frame.source === "unwinder") ?? null;
  // The word at RSP, where the log has it, is what a call left there.
  const atSp = first.address !== null && first.address === facts.crash.stackWords[0];
  const caller = atSp || first.stale ? (atSp ? first : null) : outer;
  const holder = registerWith(facts, pc);
  // After a call the return address is at RSP, and the unwinder goes on from there; after a return it is used up.
  if (caller?.function != null) {
    evidence.add(
      "called",
      sp,
      `The return address at RSP${sp === null ? "" : ` (${hex(sp)})`} is that of ${placeName(caller)}: it was a call that went wrong.`,
    );
    return [
      textHypothesis({
        kind: "not-stack-related",
        weight: 0.8,
        summary: `${placeName(caller)} called through a pointer that holds ${pc === 0n ? "NULL" : hex(pc)}; the stack is whole.`,
        why: "the caller's return address is in place, and every frame behind it",
        culprit: { function: caller.function, module: caller.module },
      }),
      returnHypothesis(facts, pc, 0.2, null),
    ];
  }
  if (outer !== null && chain.complete) return byFramePointer(facts, pc, first);
  const nearest = chain.stale.find((entry) => entry.function !== null) ?? null;
  if (holder !== null && pc !== 0n) {
    evidence.add(
      "register-with-rip",
      null,
      `${holder.toUpperCase()} holds the same address: a call or jump through it went there.`,
    );
    return [
      textHypothesis({
        kind: "not-stack-related",
        weight: 0.62,
        summary: `The CPU was sent to ${hex(pc)} through ${holder.toUpperCase()}: a function pointer was wrong${nearest === null ? "" : `, probably in ${placeName(nearest)}`}.`,
        why: `${holder.toUpperCase()} holds the address that RIP went to`,
        culprit: nearest === null ? null : { function: nearest.function!, module: nearest.module },
      }),
      returnHypothesis(facts, pc, 0.3, null),
    ];
  }
  evidence.add(
    "returned",
    sp,
    "The kernel's unwinder vouches for no frame at all: what RSP points to is no return address, as after a return.",
  );
  const text = asText(pc);
  if (text !== null) evidence.add("rip-is-text", null, `RIP holds the characters "${text}".`);
  const popped = poppedText(facts);
  if (popped !== null) evidence.add("registers-hold-text", null, popped);
  evidence.miss(
    "Which function returned, and what overwrote its return address: the words below RSP are in a dump only.",
  );
  const data = text !== null || popped !== null;
  return [
    returnHypothesis(facts, pc, data ? 0.75 : 0.6, nearest),
    textHypothesis({
      kind: "stack-buffer-overflow",
      weight: data ? 0.5 : 0.35,
      summary: "A buffer was overrun up to the return address of its function.",
      why: data
        ? "the return address was overwritten with data"
        : "an overrun buffer is what mostly overwrites a return address",
    }),
    textHypothesis({
      kind: "not-stack-related",
      weight: 0.3,
      summary: `A pointer to a function held ${hex(pc)}.`,
      why: "a call through a wrong pointer leads to such an address too, and its traces may be lost",
    }),
  ];
}

/**
 * Unwinding by frame pointers passes over the function that had not set up its frame (before 5.1, f4f34e1b82eb, it passed
 * over the caller of a NULL pointer too): the frames further out say that RBP is whole, and not how RIP went astray.
 */
function byFramePointer(
  facts: LogFacts,
  pc: bigint,
  nearest: Pick<LogFrame, "function" | "module" | "address">,
): TextHypothesis[] {
  const culprit = nearest.function === null ? null : { function: nearest.function, module: nearest.module };
  facts.evidence.add(
    "chain-behind",
    null,
    "By frame pointers the unwinder followed the stack to its end: at least the saved RBPs are whole.",
  );
  return [
    textHypothesis({
      kind: "not-stack-related",
      weight: 0.62,
      summary: `A call through a wrong pointer went to ${hex(pc)}, probably from ${placeName(nearest)}; the stack could be followed to its end.`,
      why: "the chain of frames is whole",
      culprit,
    }),
    returnHypothesis(facts, pc, 0.35, null),
  ];
}

function returnHypothesis(
  facts: LogFacts,
  pc: bigint,
  weight: number,
  nearest: Pick<LogFrame, "function" | "module"> | null,
): TextHypothesis {
  if (nearest?.function != null) {
    facts.evidence.add(
      "nearest-return",
      null,
      `The nearest return address left on the stack is of ${placeName(nearest)}: the function that returned wrongly was probably called by it.`,
    );
  }
  return textHypothesis({
    kind: "return-address-corrupted",
    weight,
    summary: `A return address was overwritten: a function returned to ${pc === 0n ? "0" : hex(pc)}, where there is no code${nearest?.function == null ? "" : `; it was probably called by ${placeName(nearest)}`}.`,
    why: "RIP leads nowhere, and RSP does not point to a caller's return address",
  });
}

/** A general register that holds `value`. */
function registerWith(facts: LogFacts, value: bigint): string | null {
  for (const [name, held] of facts.crash.registers!.registers) {
    if (held === value && /^r(?:[a-d]x|[sd]i|bp|\d+)$/.test(name)) return name;
  }
  return null;
}

/** Eight printable characters in memory's order, as a string that ran over a return address leaves; null else. */
function asText(value: bigint): string | null {
  let text = "";
  for (let shift = 0n; shift < 64n; shift += 8n) {
    const byte = Number((value >> shift) & 0xffn);
    if (byte < 0x20 || byte > 0x7e) return null;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Registers that a function restores before it returns, filled with text or with one repeated byte. */
function poppedText(facts: LogFacts): string | null {
  const registers = facts.crash.registers!.registers;
  const filled = ["rbx", "rbp", "r12", "r13", "r14", "r15"].filter((name) => {
    const value = registers.get(name);
    if (value === undefined || value === 0n) return false;
    return asText(value) !== null || value === (value & 0xffn) * 0x0101010101010101n;
  });
  return filled.length < 2
    ? null
    : `${filled.map((name) => name.toUpperCase()).join(", ")} hold data too, where a function's epilogue took them from the stack.`;
}

function midInstruction(facts: LogFacts): TextHypothesis {
  const pc = facts.crash.registers!.pc!;
  facts.evidence.add(
    "mid-instruction",
    pc.address,
    `By the code bytes, RIP is inside an instruction of ${placeName(pc)}: nothing jumps there.`,
  );
  facts.evidence.miss("Which return address or jump led there: a dump has the words below RSP.");
  return textHypothesis({
    kind: "return-address-corrupted",
    weight: 0.55,
    summary: `The CPU came into the middle of an instruction of ${placeName(pc)}: a return address or a jump was wrong.`,
    why: "RIP is not at the start of an instruction",
  });
}
