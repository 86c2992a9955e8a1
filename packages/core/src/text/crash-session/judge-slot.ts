/** What the canary's slot holds, where the session shows it. */
import { hex } from "../../diagnose/evidence.ts";
import { type TextHypothesis, textHypothesis } from "../text-hypothesis.ts";
import type { FrameGeometry } from "./frame-geometry.ts";
import { type CrashSession, wordAt } from "./session.ts";
import type { SessionFacts } from "./session-facts.ts";

/** Words around the slot that are compared with it. */
const REACH = 512;

/**
 * Since 4.13 the canary's low byte is zero on 64-bit machines (022c204040f3, "random,stackprotect: introduce
 * get_random_canary function"): a slot whose low byte is not was overwritten, or is no slot.
 */
export function judgeSlot(facts: SessionFacts, geometry: FrameGeometry): TextHypothesis[] {
  const { session, log } = facts;
  const { slot, frame } = geometry;
  const found = slot === null ? null : wordAt(session, slot);
  if (slot === null || found === null) return [];
  const name = frame.function;
  const text = asText(found);
  const holds = text === null ? hex(found) : `${hex(found)} ("${text}")`;
  log.evidence.add("canary-slot", slot, `The canary's slot of ${name} is at ${hex(slot)} and holds ${holds}.`);
  const low = lowest(session, slot, found);
  const high = highest(session, slot, found);
  const words = Number((high - low) / 8n) + 1;
  const clearly = text !== null || words > 1;
  // A caller whose return address lies within the frame: crash took a stale word for it, or the frame is not where it seems.
  const inside = callerInside(facts, geometry);
  const unsure = inside !== null || (geometry.canary?.base === "rbp" && geometry.rbp?.actual == null);
  if (words > 1) {
    log.evidence.add(
      "damage",
      low,
      `From ${hex(low)} to ${hex(high + 8n)} the stack holds the same kind of data: ${words} words with the slot among them.`,
    );
  }
  const corruption = {
    start: hex(slot),
    end: hex(high + 8n),
    bytes: Number(high + 8n - slot),
    pattern: text === null ? (words > 1 ? `${hex(found)} repeated` : null) : "text",
    canary: { slot: hex(slot), expected: null, found: hex(found) },
  };
  const culprit = { function: name, module: frame.module };
  const judged = [
    textHypothesis({
      kind: "stack-buffer-overflow",
      weight: unsure || !clearly ? 0.55 : low < slot ? 0.85 : 0.7,
      summary: `A buffer in the frame of ${name} was overrun: its canary's slot holds ${text === null ? hex(found) : `the text "${text}"`}${words > 1 ? `, as do ${words - 1} words around it` : ""}.`,
      why: "the slot is that of this frame, and what it holds is no canary",
      culprit,
      corruption,
    }),
  ];
  if (unsure) {
    judged.push(
      textHypothesis({
        kind: "frame-mismatch",
        weight: 0.45,
        summary: `The canary check of ${name} read a word that is not its own slot.`,
        why:
          inside === null
            ? "the check goes by RBP, and what RBP was is not in the session"
            : `crash prints a return address into ${inside} within what would be the frame of ${name}`,
        culprit,
      }),
    );
    if (inside !== null)
      log.evidence.miss(`The code of ${inside} (dis -r), which would tell where its callee's frame is.`);
  }
  if (words === 1) {
    judged.push(
      textHypothesis({
        kind: "foreign-write",
        weight: 0.45,
        summary: `Something outside ${name} wrote over its canary.`,
        why: "the words around the slot hold nothing of the kind",
        corruption,
      }),
    );
  }
  return judged;
}

/** The next frame that crash prints, if its return address lies below where this frame has its own. */
function callerInside(facts: SessionFacts, geometry: FrameGeometry): string | null {
  const next = facts.task?.frames[facts.detector! + 1];
  return next !== undefined && next.slot < geometry.cfa - 8n ? next.function : null;
}

/** Eight printable characters; null for anything else. */
function asText(word: bigint): string | null {
  let text = "";
  for (let shift = 0n; shift < 64n; shift += 8n) {
    const byte = Number((word >> shift) & 0xffn);
    if (byte < 0x20 || byte > 0x7e) return null;
    text += String.fromCharCode(byte);
  }
  return text;
}

function alike(a: bigint | null, b: bigint): boolean {
  // Zeros are what unused stack holds.
  if (a === null || b === 0n) return false;
  return a === b || (asText(b) !== null && asText(a) !== null);
}

function lowest(session: CrashSession, slot: bigint, found: bigint): bigint {
  let at = slot;
  for (let words = 0; words < REACH && alike(wordAt(session, at - 8n), found); words++) at -= 8n;
  return at;
}

function highest(session: CrashSession, slot: bigint, found: bigint): bigint {
  let at = slot;
  for (let words = 0; words < REACH && alike(wordAt(session, at + 8n), found); words++) at += 8n;
  return at;
}
