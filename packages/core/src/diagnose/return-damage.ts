/** The extent of an overwrite that was noticed by where a return led. */
import type { Kernel, StackRange } from "../kernel/kernel.ts";
import { firstDifferentByte, lastDifferentByte } from "./bytes-of-word.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { hex } from "./evidence.ts";
import { findPattern } from "./pattern.ts";

export interface ReturnDamage {
  readonly start: bigint;
  /** One past the last byte known to be overwritten. */
  readonly end: bigint;
  readonly pattern: string | null;
}

const WINDOW = 4096n;

/**
 * Measures from the return slot upwards. What the slot held is where the CPU went: the slot itself, and what lies below it,
 * the fault that followed may have overwritten with its own registers.
 * @param was the true return address, or null where it is not known
 * @param hits return slots further up that are known to be overwritten
 */
export function measureReturn(
  kernel: Kernel,
  stack: StackRange | null,
  slot: bigint,
  found: bigint,
  was: bigint | null,
  hits: readonly bigint[],
): ReturnDamage {
  const first = was === null ? 0 : firstDifferentByte(found, was);
  const last = was === null ? 7 : lastDifferentByte(found, was);
  let end = slot + BigInt(last + 1);
  for (const hit of hits) if (hit + 8n > end) end = hit + 8n;
  let pattern: string | null = null;
  const high = stack === null || slot + WINDOW < stack.high ? slot + WINDOW : stack.high;
  if (stack !== null && last === 7) {
    const { bytes } = kernel.memory.readSparse(slot, Number(high - slot));
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).setBigUint64(0, found, true);
    const seen = findPattern(bytes, 0);
    // Zeros stand on every stack: they count as far as something else is known to have stood there.
    if (seen !== null && (found !== 0n || hits.length > 0)) pattern = seen.text;
    if (seen !== null && found !== 0n && slot + BigInt(seen.end) > end) end = slot + BigInt(seen.end);
  }
  return { start: slot + BigInt(Math.max(0, first)), end, pattern };
}

export function corruptionOfReturn(damage: ReturnDamage): NonNullable<Diagnosis["corruption"]> {
  return {
    start: hex(damage.start),
    end: hex(damage.end),
    bytes: Number(damage.end - damage.start),
    pattern: damage.pattern,
    canary: null,
  };
}
