/**
 * Frame geometry from a pasted session: is the frame that the failed check belongs to the frame that the CPU was on? It
 * comes before any talk of overwriting.
 */
import { hex } from "../../diagnose/evidence.ts";
import { type TextHypothesis, textHypothesis } from "../text-hypothesis.ts";
import type { FrameGeometry } from "./frame-geometry.ts";
import type { SessionFacts } from "./session-facts.ts";
import { systemCallName } from "./system-calls.ts";

/** Null where the geometry is as it should be, or the session does not show enough to tell. */
export function judgeGeometry(facts: SessionFacts, geometry: FrameGeometry): TextHypothesis | null {
  const { rbp, frame, canary } = geometry;
  const { evidence } = facts.log;
  const name = frame.function;
  evidence.add(
    "frame-geometry",
    geometry.callSlot,
    `${name} had RSP ${hex(geometry.rsp)} when it called ${calleeOf(facts)}: the return address lies at ${hex(geometry.callSlot)}. By its code its frame ends ${geometry.depth} bytes above, at ${hex(geometry.cfa)}.`,
  );
  if (rbp === null || rbp.actual === null || canary?.base !== "rbp") return null;
  const off = rbp.actual - rbp.expected;
  if (off === 0n) {
    evidence.add("frame-register", rbp.savedAt, `RBP was ${hex(rbp.actual)}, as that frame's must be.`);
    return null;
  }
  const distance = off < 0n ? -off : off;
  evidence.add(
    "frame-register",
    rbp.savedAt,
    `RBP must then be ${hex(rbp.expected)}. It was ${hex(rbp.actual)}, ${hex(distance)} bytes ${off > 0n ? "above" : "below"}: the callee saved it at ${hex(rbp.savedAt)} (${rbp.why}).`,
  );
  evidence.add(
    "checked-word",
    rbp.actual + canary.displacement,
    `The check reads its canary at ${displaced(canary.displacement)}: it looked at ${hex(rbp.actual + canary.displacement)}, and the slot of ${name} is at ${hex(rbp.expected + canary.displacement)}.`,
  );
  const owner = ownerOf(facts, rbp.actual);
  const whose = owner === null ? "another frame" : `the frame of a function that ${owner} called`;
  callChain(facts, geometry);
  return textHypothesis({
    kind: "frame-mismatch",
    weight: 0.88,
    summary: `The canary check of ${name} read the wrong word: RBP was ${hex(rbp.actual)} and not ${hex(rbp.expected)}. The CPU ran the end of ${name} on ${whose}; nothing need have been overwritten.`,
    why: "the return address proves where the frame is, and the register that the check found its slot by points elsewhere",
    culprit: { function: name, module: frame.module },
  });
}

/** "-0x28(%rbp)". */
function displaced(displacement: bigint): string {
  const size = displacement < 0n ? -displacement : displacement;
  return `${displacement < 0n ? "-" : ""}${hex(size)}(%rbp)`;
}

function calleeOf(facts: SessionFacts): string {
  return facts.task?.frames[facts.detector! - 1]?.function ?? "its callee";
}

/** Whose call made the frame that RBP points into: the return address right above it. */
function ownerOf(facts: SessionFacts, rbp: bigint): string | null {
  const caller = facts.task?.frames.find((frame) => frame.slot === rbp + 8n);
  if (caller === undefined) return null;
  facts.log.evidence.add(
    "frame-owner",
    caller.slot,
    `Right above ${hex(rbp)}, at ${hex(caller.slot)}, lies a return address into ${caller.function}: RBP is that of a function which ${caller.function} called.`,
  );
  return caller.function;
}

/** What the frames behind the detector say of how the task came there. */
function callChain(facts: SessionFacts, geometry: FrameGeometry): void {
  const { task, log, detector } = facts;
  if (task === null || detector === null) return;
  const behind = task.frames.slice(detector + 1);
  const caller = behind[0];
  if (caller !== undefined && caller.slot !== geometry.cfa - 8n) {
    const off = caller.slot - (geometry.cfa - 8n);
    log.evidence.add(
      "frame-does-not-fit",
      geometry.cfa - 8n,
      `crash prints ${caller.function} as the caller of ${geometry.frame.function}, with its return address at ${hex(caller.slot)}. A frame of ${geometry.frame.function} has it at ${hex(geometry.cfa - 8n)}, ${hex(off < 0n ? -off : off)} bytes ${off > 0n ? "below" : "above"}: the two frames do not fit together.`,
    );
  }
  const user = task.registers.find((one) => one.exception === null && one.values.has("orig_rax"));
  const number = user?.values.get("orig_rax");
  const call = number === undefined ? null : systemCallName(number);
  if (call === null || number === undefined) return;
  const entry = behind.find((frame) =>
    new RegExp(`^(?:__x64_|__se_|__do_|SyS_|SYSC_|)?(?:sys_)?${call}$`, "i").test(frame.function),
  );
  const chain = behind.map((frame) => frame.function).join(" <- ");
  log.evidence.add(
    "system-call",
    entry?.slot ?? null,
    entry === undefined
      ? `The task's system call is ${number} (${call}).`
      : `The task's system call is ${number} (${call}), and the frames behind it are those of that call: ${chain}.`,
  );
}
