import { PAGE_SIZE } from "../image/physical-memory.ts";
import { vmcoreNumber } from "../symbols/vmcoreinfo.ts";
import { PageStructs } from "./page-structs.ts";
import type { RecordedKernel } from "./recorded-kernel.ts";
import { UserTables } from "./user-tables.ts";

const PAGE = BigInt(PAGE_SIZE);
/** Parts of the image that are given back at the end of the boot (the second: where memory is not encrypted). */
const GIVEN_BACK = [
  ["__init_begin", "__init_end"],
  ["__start_bss_decrypted_unused", "__end_bss_decrypted"],
] as const;

export interface UserPages {
  /** Page frames among the candidates that belong to user space. */
  readonly user: readonly number[];
  /** Page frames among the candidates that belong to nobody, and may hold what a process left there. */
  readonly free: readonly number[];
  /** Page tables of processes that were read. */
  readonly tables: number;
  /** What could not be checked, in words. */
  readonly unchecked: readonly string[];
}

/**
 * Which of the candidate page frames are, or were, user memory? Asked in two independent ways, and either answer suffices:
 * the user half of every process's page tables, and what the kernel's own `struct page` says of the frame. Frames that the
 * kernel's image still has for itself never are, although some (vDSO, vvar, the zero page) are mapped into every process.
 * @param step is told now and then how many page tables were read
 */
export function findUserPages(
  recorded: RecordedKernel,
  candidates: ReadonlySet<number>,
  step: (tables: number) => void,
): UserPages {
  const { kernel, unrecorded, location } = recorded;
  const structs = PageStructs.open(kernel, unrecorded);
  const image = imageFrames(recorded);
  const suspects: number[] = [];
  const user = new Set<number>();
  const free = new Set<number>();
  let unknown = 0;
  for (const pfn of candidates) {
    const use = structs?.use(pfn) ?? null;
    if (image.has(pfn) && (use === null || use === "reserved")) continue;
    suspects.push(pfn);
    if (use === null) unknown++;
    else if (use === "user") user.add(pfn);
    else if (use === "free") free.add(pfn);
  }
  const mask = BigInt.asUintN(64, vmcoreNumber(location.vmcoreinfo, "sme_mask") ?? 0n);
  const tables = new UserTables(unrecorded.physical, suspects, mask, step);
  const pgd = kernel.types.member("mm_struct", "pgd");
  const spaces = new Set<bigint>();
  for (const task of kernel.tasks()) if (task.mm !== null) spaces.add(task.mm);
  let unread = 0;
  for (const mm of spaces) {
    const top = pgd === null ? null : unrecorded.u64(mm + BigInt(pgd.offset));
    const physical = top === null ? null : unrecorded.translate(top);
    if (physical === null) unread++;
    else tables.walk(Number(physical / PAGE), location.levels);
  }
  for (const pfn of tables.found) user.add(pfn);
  const unchecked: string[] = [];
  if (unread > 0) unchecked.push(`the page tables of ${unread} of ${spaces.size} processes are not in the dump`);
  if (tables.missing > 0) unchecked.push(`${tables.missing} page tables of processes are not in the dump`);
  if (tables.cut) unchecked.push(`only the first ${tables.tables} page tables of processes were read`);
  if (unknown > 0) unchecked.push(`what the kernel says of ${unknown} of ${suspects.length} pages is not in the dump`);
  return { user: [...user], free: [...free], tables: tables.tables, unchecked };
}

/** Frames of the kernel's image, as the kernel maps it, without the parts given back: those are anybody's memory since. */
function imageFrames({ kernel, unrecorded }: RecordedKernel): ReadonlySet<number> {
  const address = (name: string) => kernel.symbols.byName(name, null)?.address ?? null;
  const frames = new Set<number>();
  const start = address("_stext") ?? address("_text");
  const end = address("_end");
  if (start === null || end === null || end - start > 1n << 30n) return frames;
  const holes = GIVEN_BACK.map(([from, to]) => [address(from) ?? 0n, address(to) ?? 0n] as const);
  for (let at = start & ~(PAGE - 1n); at < end; at += PAGE) {
    if (holes.some(([from, to]) => at >= from && at < to)) continue;
    const physical = unrecorded.translate(at);
    if (physical !== null) frames.add(Number(physical / PAGE));
  }
  return frames;
}
