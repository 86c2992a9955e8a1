/**
 * How well an overrun from a buffer in the detector's own frame explains the damage. An overrun is contiguous: it begins in
 * the buffer, goes through all that lies behind it, and ends somewhere. What is isolated, or begins inside the canary, or
 * leaves sound data just below it, was written otherwise.
 */
import { firstDifferentByte, lastDifferentByte } from "./bytes-of-word.ts";
import type { CanaryFinding } from "./canary-finding.ts";
import type { Damage } from "./damage.ts";
import type { CrashFacts } from "./facts.ts";
import { findPattern } from "./pattern.ts";
import { canaryOwner, wordMeaning } from "./word.ts";
import type { BufferUse } from "./writer.ts";

/** A header or an already consumed part may stand at a buffer's start before the data that repeat. Bytes. */
const FILL_SLACK = 16n;
/** A value that differs from the true one by less was counted up or down, not overrun. */
const NEAR = 0x10000n;
/** Elements of one array of pointers mostly point into one object or slab. Bytes. */
const NEIGHBOURHOOD = 1n << 20n;
/** Bytes below the slot in which data of their own are looked for. */
const BELOW = 256;

export function overflowWeight(
  facts: CrashFacts,
  finding: CanaryFinding,
  damage: Damage,
  buffer: BufferUse | null,
): number {
  const { kernel, task } = facts;
  const { found, expected, slot } = finding;
  if (canaryOwner(kernel, found, task?.address ?? null) !== null) return 0.15;
  if (damage.patternStart < slot) {
    // Data that begin where a buffer begins leave no doubt; others may have been written across the frame from elsewhere.
    if (buffer === null) return 0.7;
    return distance(buffer.address, damage.patternStart) <= FILL_SLACK ? 0.97 : 0.8;
  }
  if (distance(found, expected) < NEAR) return 0.2;
  if (damage.end > slot + 8n) return damage.returnSlots.length > 0 ? 0.92 : 0.8;
  return buffer === null ? 0.3 : aloneWeight(facts, finding);
}

/** Nothing but the slot is known to be changed, and no pattern joins it to what lies below. */
function aloneWeight(facts: CrashFacts, finding: CanaryFinding): number {
  const { found, expected } = finding;
  if (found === 0n) return 0.4;
  // The canary's lowest byte is zero, and may have been overwritten by another zero.
  if (firstDifferentByte(found, expected) > 1) return 0.25;
  if (lastDifferentByte(found, expected) < 7) return 0.85;
  if (sameKindBelow(facts, finding)) return 0.75;
  return ownDataBelow(facts, finding) ? 0.35 : 0.6;
}

/** Is the word below, the buffer's last, of the same kind, and for pointers and numbers from the same neighbourhood? */
function sameKindBelow({ kernel }: CrashFacts, { slot, found }: CanaryFinding): boolean {
  const below = kernel.memory.u64(slot - 8n);
  if (below === null || below === 0n) return false;
  const kind = wordMeaning(kernel, found).class;
  if (wordMeaning(kernel, below).class !== kind) return false;
  return kind === "text" || kind === "repeated-byte" || distance(found, below) < NEIGHBOURHOOD;
}

/** Do the words just below follow a pattern of their own that ends where the slot begins? Then they are what was there. */
function ownDataBelow({ kernel }: CrashFacts, { slot, frame }: CanaryFinding): boolean {
  const length = Math.min(BELOW, Number(slot - frame.sp)) & ~7;
  if (length < 16) return false;
  const { bytes } = kernel.memory.readSparse(slot - BigInt(length), length);
  if (bytes.subarray(length - 8).every((byte) => byte === 0)) return false;
  const pattern = findPattern(bytes, length - 8);
  return pattern !== null && pattern.end - pattern.start >= 16;
}

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a;
}
