/** What overwritten bytes look like, and how far the same pattern reaches. */
import { isPrintable } from "./word.ts";

export interface Pattern {
  /** In words, for `corruption.pattern`. */
  readonly text: string;
  /** First byte of the bytes given that follows the pattern. */
  readonly start: number;
  /** One past the last. */
  readonly end: number;
}

interface Rule {
  readonly name: string;
  /** Does the byte at `index` follow from those around the origin? */
  readonly fits: (bytes: Uint8Array, index: number, origin: number) => boolean;
  readonly describe: (bytes: Uint8Array, start: number, end: number) => string;
}

const REPEATED_BYTE: Rule = {
  name: "repeated byte",
  fits: (bytes, index, origin) => bytes[index] === bytes[origin],
  describe: (bytes, start) => {
    const byte = bytes[start]!;
    const shown = isPrintable(byte) && byte >= 0x20 ? ` ('${String.fromCharCode(byte)}')` : "";
    return `the byte 0x${byte.toString(16).padStart(2, "0")}${shown} repeated`;
  },
};

const TEXT: Rule = {
  name: "text",
  fits: (bytes, index) => isPrintable(bytes[index]!),
  describe: (bytes, start, end) => {
    const shown = String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 32)));
    return `text ${JSON.stringify(shown)}${end - start > 32 ? "…" : ""}`;
  },
};

const COUNTING_BYTES: Rule = {
  name: "counting bytes",
  fits: (bytes, index, origin) => ((bytes[index]! - bytes[origin]! - (index - origin)) & 0xff) === 0,
  describe: (bytes, start, end) =>
    `bytes that count up from 0x${hexByte(bytes[start]!)} to 0x${hexByte(bytes[end - 1]!)}`,
};

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** A group of `width` bytes that repeats, or whose little-endian value grows by a fixed step. */
function repeatedGroup(width: number): Rule {
  return {
    name: `repeated ${width}-byte value`,
    fits: (bytes, index, origin) => {
      const twin = origin + ((((index - origin) % width) + width) % width);
      return twin < bytes.length && bytes[index] === bytes[twin];
    },
    describe: (bytes, start) =>
      `the ${width}-byte value ${[...bytes.subarray(start, start + width)].map(hexByte).join(" ")} repeated`,
  };
}

function countingGroup(width: number): Rule {
  const value = (bytes: Uint8Array, at: number) => {
    let result = 0;
    for (let byte = Math.min(width, 6) - 1; byte >= 0; byte--) result = result * 256 + bytes[at + byte]!;
    return result;
  };
  return {
    name: `counting ${width}-byte values`,
    fits: (bytes, index, origin) => {
      const group = Math.floor((index - origin) / width);
      const at = origin + group * width;
      if (at < 0 || at + width > bytes.length || origin + 2 * width > bytes.length) return false;
      const step = value(bytes, origin + width) - value(bytes, origin);
      return step !== 0 && Math.abs(step) < 0x10000 && value(bytes, at) === value(bytes, origin) + group * step;
    },
    describe: (bytes, start) => `${width}-byte values that count (from ${value(bytes, start)})`,
  };
}

/** 64-bit values that grow by any fixed step, wrapping around. */
const PROGRESSION: Rule = {
  name: "progression of 8-byte values",
  fits: (bytes, index, origin) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const at = origin + Math.floor((index - origin) / 8) * 8;
    if (at < 0 || at + 8 > bytes.length || origin + 16 > bytes.length) return false;
    const step = view.getBigUint64(origin + 8, true) - view.getBigUint64(origin, true);
    if (step === 0n) return false;
    const wanted = view.getBigUint64(origin, true) + BigInt((at - origin) / 8) * step;
    return view.getBigUint64(at, true) === BigInt.asUintN(64, wanted);
  },
  describe: () => "8-byte values that grow by a fixed step",
};

/** Simplest first: among rules that reach equally far, the earlier one names it. */
const RULES: readonly Rule[] = [
  REPEATED_BYTE,
  COUNTING_BYTES,
  TEXT,
  repeatedGroup(2),
  repeatedGroup(4),
  repeatedGroup(8),
  countingGroup(2),
  countingGroup(4),
  countingGroup(8),
  PROGRESSION,
];

/**
 * The pattern around `origin` (an index into `bytes`, 8-byte aligned relative to the stack), or null where the bytes follow
 * none. It must hold over the whole word at `origin`, and over more than that word: eight like bytes alone may be chance,
 * but not a repeated byte.
 */
export function findPattern(bytes: Uint8Array, origin: number): Pattern | null {
  let best: { rule: Rule; start: number; end: number } | null = null;
  for (const rule of RULES) {
    if (!holds(rule, bytes, origin, origin, origin + 8)) continue;
    let start = origin;
    while (start > 0 && rule.fits(bytes, start - 1, origin)) start--;
    let end = origin + 8;
    while (end < bytes.length && rule.fits(bytes, end, origin)) end++;
    const enough = rule === REPEATED_BYTE || rule === COUNTING_BYTES || rule === TEXT ? 8 : 24;
    if (end - start < enough) continue;
    if (best === null || end - start > (best.end - best.start) * 1.25) best = { rule, start, end };
  }
  if (best === null) return null;
  return { text: best.rule.describe(bytes, best.start, best.end), start: best.start, end: best.end };
}

function holds(rule: Rule, bytes: Uint8Array, origin: number, start: number, end: number): boolean {
  for (let index = start; index < end; index++)
    if (index >= bytes.length || !rule.fits(bytes, index, origin)) return false;
  return true;
}
