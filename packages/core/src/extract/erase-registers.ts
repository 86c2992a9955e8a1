import { PAGE_SIZE } from "../image/physical-memory.ts";
import type { Keeper } from "./keeper.ts";

const PAGE = BigInt(PAGE_SIZE);
/** The fixed part of an XSAVE area: legacy region and header (Intel SDM 1, 13.4). */
const LEAST = 576;
/** Larger areas (AMX) lie outside of the task. */
const MOST = 4096;

/** Bytes to blank inside pages, by page frame number: [offset, length] pairs. */
export type Erasures = ReadonlyMap<number, readonly (readonly [number, number])[]>;

/**
 * Where tasks keep what user space had in its vector and floating-point registers: keys of a cipher, as likely as not, and
 * nothing that the kernel's own trouble shows in. The area ends `task_struct`: `thread.fpu.__fpstate.regs` since 5.16
 * (87d0e5be0fac), with its length before it, `thread.fpu.state` before, with its length in `fpu_kernel_xstate_size`.
 */
export function userRegisters(keeper: Keeper): Erasures {
  const { types } = keeper.kernel;
  const area =
    types.member("task_struct", "thread.fpu.__fpstate.regs") ?? types.member("task_struct", "thread.fpu.state");
  const sizeAt = types.member("task_struct", "thread.fpu.__fpstate.size");
  const shared = keeper.symbol("fpu_kernel_xstate_size");
  const erasures = new Map<number, [number, number][]>();
  if (area === null) return erasures;
  for (const task of keeper.kernel.tasks()) {
    const told = sizeAt !== null ? task.address + BigInt(sizeAt.offset) : shared;
    const size = told === null ? null : keeper.space.u32(told);
    // No more than that: the next task may follow.
    const length = Math.min(size === null || size < LEAST ? LEAST : size, MOST);
    const start = task.address + BigInt(area.offset);
    for (let at = start; at < start + BigInt(length); at = (at & ~(PAGE - 1n)) + PAGE) {
      const physical = keeper.space.translate(at);
      if (physical === null) continue;
      const offset = Number(physical % PAGE);
      const left = Number(start + BigInt(length) - at);
      const pfn = Number(physical / PAGE);
      erasures.set(pfn, [...(erasures.get(pfn) ?? []), [offset, Math.min(left, PAGE_SIZE - offset)]]);
    }
  }
  return erasures;
}

/** The page, with what has to go blanked in a copy. */
export function erased(page: Uint8Array | null, pfn: number, erasures: Erasures): Uint8Array | null {
  const ranges = erasures.get(pfn);
  if (page === null || ranges === undefined) return page;
  const copy = page.slice();
  for (const [offset, length] of ranges) copy.fill(0, offset, offset + length);
  return copy;
}
