/** Which functions name an address in their code: relative to RIP, or as an absolute 32-bit displacement or immediate. */
import type { FunctionRange } from "../symbols/symbol-table.ts";
import type { CodeReader } from "./code-reader.ts";
import { textAreas } from "./direct-callers.ts";

const CHUNK = 1 << 20;
/** No kernel's text is larger; more is not text. Bytes. */
const MOST_TEXT = 1 << 28;
/** An immediate of up to so many bytes may stand between a displacement and the end of its instruction. */
const LONGEST_IMMEDIATE = 4;
/** What is named in more functions than this says nothing about any of them. */
const MOST_FUNCTIONS = 128;

/**
 * Functions of a module (or of the kernel, null) with bytes that name an address in [low, high); in the order of their
 * addresses. Bytes are not decoded: whoever asks looks at the function.
 */
export function addressUsers(
  reader: CodeReader,
  module: string | null,
  low: bigint,
  high: bigint,
): readonly FunctionRange[] {
  const found = new Map<bigint, FunctionRange>();
  for (const area of textAreas(reader, module)) {
    const size = Math.min(area.size, MOST_TEXT);
    for (let done = 0; done < size; done += CHUNK) {
      const base = area.start + BigInt(done);
      const length = Math.min(CHUNK + 3, size - done);
      const bytes = reader.memory.scan?.(base, length) ?? reader.memory.readSparse(base, length).bytes;
      for (const at of namesIn(bytes, base, low, high)) {
        const range = reader.symbols.functionAt(base + BigInt(at));
        if (range !== null) found.set(range.start, range);
        if (found.size >= MOST_FUNCTIONS) return [...found.values()];
      }
    }
  }
  return [...found.values()];
}

/** Offsets of 32-bit words that, as displacement from RIP or as sign-extended number, give an address in [low, high). */
function namesIn(bytes: Uint8Array, base: bigint, low: bigint, high: bigint): number[] {
  const found: number[] = [];
  const size = Number(high - low);
  const fromHere = low - base;
  // Beyond 2 GiB nothing is reached by either way, but for the kernel's own half of 2 GiB by the absolute one.
  const relative = fromHere > -0x80000000n && fromHere < 0x80000000n ? Number(fromHere) : null;
  const absolute = low >= 0xffffffff80000000n ? Number(BigInt.asIntN(32, low)) : null;
  const span = size + LONGEST_IMMEDIATE;
  for (let at = 0; at + 4 <= bytes.length; at++) {
    const value = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    if (relative !== null) {
      const past = at + 4 + LONGEST_IMMEDIATE + value - relative;
      if (past >= 0 && past < span) found.push(at);
    }
    if (absolute !== null && value - absolute >= 0 && value - absolute < size) found.push(at);
  }
  return found;
}
