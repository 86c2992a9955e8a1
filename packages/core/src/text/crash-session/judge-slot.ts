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
      weight: clearly && low < slot ? 0.85 : clearly ? 0.7 : 0.5,
      summary: `A buffer in the frame of ${name} was overrun: its canary's slot holds ${text === null ? hex(found) : `the text "${text}"`}${words > 1 ? `, as do ${words - 1} words around it` : ""}.`,
      why: "the slot is that of this frame, and what it holds is no canary",
      culprit,
      corruption,
    }),
  ];
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
  if (a === null) return false;
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
