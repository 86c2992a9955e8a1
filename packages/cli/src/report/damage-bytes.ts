/** The bytes around the damage, in lines of 16, as hexdumps show them. */
import type { Diagnosis, StackMap } from "@spillway/core";

export interface DamageLine {
  readonly address: bigint;
  /** Null for what is not in the dump. */
  readonly bytes: readonly (number | null)[];
}

/** Lines of the dump, and how many bytes were left out before one; the damage is [from, to). */
export interface DamageBytes {
  readonly from: bigint;
  readonly to: bigint;
  readonly lines: readonly (DamageLine | { readonly leftOut: number })[];
}

const LINE = 16n;
/** Lines at either end of a long dump; what lies between is the same by the pattern, and in the map. */
const SHOWN = 24;
const MAX_BYTES = 0x1_0000n;

/** The damaged bytes with a line around them, from where the data that ran over begin; null where no words are known. */
export function damageBytes(diagnosis: Diagnosis, map: StackMap | null): DamageBytes | null {
  const { corruption } = diagnosis;
  if (corruption === null || map === null) return null;
  const from = BigInt(corruption.start);
  const to = BigInt(corruption.end);
  if (to <= from || to - from > MAX_BYTES) return null;
  const buffer = diagnosis.evidence.find((item) => item.id === "damage-pattern")?.address ?? null;
  const first = buffer !== null && BigInt(buffer) < from && from - BigInt(buffer) < 0x1000n ? BigInt(buffer) : from;
  const start = (first & ~(LINE - 1n)) - LINE;
  const end = ((to + LINE - 1n) & ~(LINE - 1n)) + LINE;
  const bytes = bytesOf(map, start, end);
  if (bytes.every((byte) => byte === null)) return null;
  const total = bytes.length / Number(LINE);
  const lines: DamageBytes["lines"][number][] = [];
  for (let index = 0; index < total; index++) {
    if (total > SHOWN * 2 && index === SHOWN) {
      lines.push({ leftOut: (total - SHOWN * 2) * Number(LINE) });
      index = total - SHOWN;
    }
    const at = index * Number(LINE);
    lines.push({ address: start + BigInt(at), bytes: bytes.slice(at, at + Number(LINE)) });
  }
  return { from, to, lines };
}

/** The bytes of the map's words in `[start, end)`. */
function bytesOf(map: StackMap, start: bigint, end: bigint): (number | null)[] {
  const bytes: (number | null)[] = new Array(Number(end - start)).fill(null);
  for (const stack of map.stacks) {
    for (const word of stack.regions.flatMap((region) => region.words)) {
      const base = BigInt(word.address);
      const last = base + BigInt(word.count * 8);
      if (word.value === null || base >= end || last <= start) continue;
      const value = BigInt(word.value);
      for (let at = base > start ? base : start; at < (last < end ? last : end); at++) {
        bytes[Number(at - start)] = Number((value >> (((at - base) % 8n) * 8n)) & 0xffn);
      }
    }
  }
  return bytes;
}

/** Two hexadecimal digits, or `??`. */
export function hexByte(byte: number | null): string {
  return byte === null ? "??" : byte.toString(16).padStart(2, "0");
}

/** The character of a byte, a dot where it has none. */
export function textByte(byte: number | null): string {
  return byte !== null && byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
}
