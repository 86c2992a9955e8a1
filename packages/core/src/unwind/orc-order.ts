/**
 * The order of ORC entries: by address; of several for one address, those that end a section (without data) first, so that a
 * look-up finds what follows (arch/x86/kernel/unwind_orc.c, `orc_sort_cmp`).
 * @param entries numbers of those that are to be ordered; they are ordered in place
 * @param starts by number: address, from wherever
 * @param flags by number: the entry's last two bytes, 0 where it has no data
 */
export function orderOrc(entries: Uint32Array, starts: ArrayLike<number>, flags: ArrayLike<number>): Uint32Array {
  const hasData = (i: number): number => (flags[i] === 0 ? 0 : 1);
  return entries.sort((a, b) => starts[a]! - starts[b]! || hasData(a) - hasData(b) || a - b);
}
