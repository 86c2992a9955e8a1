/** Return addresses that earlier calls left behind: listed apart, never frames. */
import type { StaleReturn } from "./backtrace.ts";
import type { UnwindContext } from "./unwind-context.ts";

/** Words looked at; a whole 64 KiB stack. */
const MAX_WORDS = 8192;

/**
 * Words in `[low, high)` that follow a call but are not among the live return slots.
 * @param live addresses of slots that hold the return addresses of frames
 */
export function staleReturns(
  context: UnwindContext,
  low: bigint,
  high: bigint,
  live: ReadonlySet<bigint>,
): StaleReturn[] {
  const { memory, symbols } = context.kernel;
  const start = (low + 7n) & ~7n;
  const words = Math.min(MAX_WORDS, Number((high - start) >> 3n));
  if (words <= 0) return [];
  const { bytes } = memory.readSparse(start, words * 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stale: StaleReturn[] = [];
  for (let index = 0; index < words; index++) {
    // Kernel and module text lies in the top 2 GiB; a cheap test before any bigint is made.
    if (view.getUint32(index * 8 + 4, true) !== 0xffffffff) continue;
    const slot = start + BigInt(index * 8);
    if (live.has(slot)) continue;
    const address = view.getBigUint64(index * 8, true);
    if (!symbols.isText(address - 1n) || context.callSite(address) === null) continue;
    const range = context.functionAt(address - 1n);
    if (range === null) continue;
    stale.push({ function: range.name, module: range.module, offset: Number(address - range.start), address, slot });
  }
  return stale;
}
