/** The extent of an overwrite: first and last byte, what the bytes are, and what of the frames they hit. */
import type { Frame } from "../unwind/backtrace.ts";
import { PT_REGS_SIZE } from "../unwind/pt-regs.ts";
import { firstDifferentByte, lastDifferentByte } from "./bytes-of-word.ts";
import type { CanaryFinding } from "./canary-finding.ts";
import { hex } from "./evidence.ts";
import { type CrashFacts, frameName } from "./facts.ts";
import { findPattern, type Pattern } from "./pattern.ts";
import { wordMeaning } from "./word.ts";

export interface Damage {
  /** First byte out of bounds that was overwritten: from the canary slot on. */
  readonly start: bigint;
  /** One past the last byte known to be overwritten. */
  readonly end: bigint;
  readonly pattern: string | null;
  /** Where the same pattern begins below the slot, inside the frame (the buffer); the slot itself where it does not. */
  readonly patternStart: bigint;
  /** Return slots that were hit, innermost first. */
  readonly returnSlots: readonly {
    readonly slot: bigint;
    readonly of: Frame;
    readonly found: bigint;
    readonly was: bigint | null;
  }[];
}

/** Bytes of stack looked at around the slot. */
const WINDOW_BELOW = 4096n;
const WINDOW_ABOVE = 16384n;

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** Measures the damage from the canary slot of `finding` upwards. */
export function measureDamage(facts: CrashFacts, finding: CanaryFinding, index: number): Damage {
  const { kernel } = facts;
  const { slot } = finding;
  const stack = finding.frame.stack;
  const low = max(finding.frame.sp, slot - WINDOW_BELOW);
  const high = min(stack?.high ?? slot + 8n, slot + WINDOW_ABOVE);
  const { bytes } = kernel.memory.readSparse(low, Number(high - low));
  const origin = Number(slot - low);
  const changed = origin + lastDifferentByte(finding.found, finding.expected) + 1;
  const pattern = meaningful(
    findPattern(bytes, origin) ?? patternFromBelow(bytes, origin, changed),
    origin,
    finding.found,
  );
  const returnSlots = hitReturnSlots(facts, index);
  let end = slot + BigInt(lastDifferentByte(finding.found, finding.expected) + 1);
  if (pattern !== null) end = max(end, patternEnd(facts, finding, low + BigInt(pattern.end)));
  for (const hit of returnSlots) {
    const last = hit.was === null ? 7 : lastDifferentByte(hit.found, hit.was);
    end = max(end, hit.slot + BigInt(last + 1));
  }
  const patternStart = pattern === null ? slot : min(slot, low + BigInt(pattern.start));
  const first = pattern === null ? BigInt(firstDifferentByte(finding.found, finding.expected)) : 0n;
  return { start: slot + first, end, pattern: pattern?.text ?? null, patternStart, returnSlots };
}

/**
 * The user's registers lie at the top of a task's stack, and are zeros in a kernel thread: a run of zeros that reaches them
 * says nothing of them.
 */
function patternEnd({ kernel }: CrashFacts, { found, frame }: CanaryFinding, end: bigint): bigint {
  const { stack } = frame;
  if (found !== 0n || stack?.kind !== "task") return end;
  const registers = stack.high - BigInt(kernel.types.sizeOf("pt_regs") ?? PT_REGS_SIZE);
  return min(end, registers);
}

/** An overrun that ends inside the canary: the pattern of the words below, if it goes on through all changed bytes. */
function patternFromBelow(bytes: Uint8Array, origin: number, changed: number): Pattern | null {
  if (origin < 16) return null;
  const pattern = findPattern(bytes, origin - 16);
  return pattern !== null && pattern.end >= changed && pattern.end < origin + 8 ? pattern : null;
}

/** Zeros stand on every stack: only when whole words of them lie below the slot as well do they show anything. */
function meaningful(pattern: Pattern | null, origin: number, found: bigint): Pattern | null {
  return pattern !== null && found === 0n && pattern.start > origin - 16 ? null : pattern;
}

/** Return slots of the detector's frame and those above whose content is not the return address that must have been there. */
function hitReturnSlots(facts: CrashFacts, index: number): Damage["returnSlots"] {
  const { frames, kernel, trace } = facts;
  const hits: { slot: bigint; of: Frame; found: bigint; was: bigint | null }[] = [];
  for (let callee = index; callee + 1 < frames.length; callee++) {
    const frame = frames[callee]!;
    const caller = frames[callee + 1]!;
    if (caller.certainty !== "inferred") break;
    const slot = trace.gap === null || frame.cfa === null ? caller.sp - 8n : frame.cfa - 8n;
    const found = kernel.memory.u64(slot);
    if (found !== null && found !== caller.address)
      hits.push({ slot, of: frame, found, was: trace.gap === null ? caller.address : null });
  }
  if (hits.length === 0 && trace.broken !== null && trace.brokenFrame === index && trace.broken.cfa !== null) {
    const slot = trace.broken.cfa - 8n;
    const found = kernel.memory.u64(slot);
    if (found !== null) hits.push({ slot, of: frames[index]!, found, was: null });
  }
  return hits;
}

/** Adds the evidence for the damage. */
export function explainDamage(facts: CrashFacts, finding: CanaryFinding, damage: Damage): void {
  const { evidence, kernel } = facts;
  if (damage.pattern !== null) {
    evidence.add(
      "damage-pattern",
      damage.patternStart,
      `From ${hex(damage.patternStart)} to ${hex(damage.end)} the stack holds ${damage.pattern}.`,
    );
  }
  if (damage.patternStart < finding.slot) {
    evidence.add(
      "damage-starts-in-frame",
      damage.patternStart,
      `It begins ${finding.slot - damage.patternStart} bytes below the canary slot, inside the frame of ${frameName(finding.frame)}.`,
    );
  }
  for (const hit of damage.returnSlots) {
    const was = hit.was === null ? "" : `; it was ${hex(hit.was)}`;
    evidence.add(
      `return-address-${hex(hit.slot)}`,
      hit.slot,
      `The return address of ${frameName(hit.of)} is overwritten: ${hex(hit.found)} (${wordMeaning(kernel, hit.found).text})${was}.`,
    );
  }
}
