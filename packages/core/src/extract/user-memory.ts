import { PAGE_SIZE } from "../image/physical-memory.ts";
import { vmcoreNumber } from "../symbols/vmcoreinfo.ts";
import { PageStructs } from "./page-structs.ts";
import type { RecordedKernel } from "./recorded-kernel.ts";
import { UserTables } from "./user-tables.ts";

const PAGE = BigInt(PAGE_SIZE);

export interface UserPages {
  /** Page frames among the candidates that belong to user space. */
  readonly found: readonly number[];
  /** Page tables of processes that were read. */
  readonly tables: number;
  /** What could not be checked, in words. */
  readonly unchecked: readonly string[];
}

/**
 * Which of the candidate page frames are user memory? Asked in two independent ways, and either answer suffices: the user
 * half of every process's page tables, and what the kernel's own `struct page` says of the frame. Frames of the kernel's
 * image are never user memory, although some (vDSO, vvar, the zero page) are mapped into every process.
 * @param step is told now and then how many page tables were read
 */
export function findUserPages(
  recorded: RecordedKernel,
  candidates: ReadonlySet<number>,
  step: (tables: number) => void,
): UserPages {
  const { kernel, unrecorded, location } = recorded;
  const image = imageFrames(recorded);
  const suspects = [...candidates].filter((pfn) => !image.has(pfn));
  const unchecked: string[] = [];
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
  const structs = PageStructs.open(kernel, unrecorded);
  const found = new Set(tables.found);
  let unknown = 0;
  for (const pfn of suspects) {
    const answer = structs?.isUserMemory(pfn) ?? null;
    if (answer === null) unknown++;
    else if (answer) found.add(pfn);
  }
  if (unread > 0) unchecked.push(`the page tables of ${unread} of ${spaces.size} processes are not in the dump`);
  if (tables.missing > 0) unchecked.push(`${tables.missing} page tables of processes are not in the dump`);
  if (tables.cut) unchecked.push(`only the first ${tables.tables} page tables of processes were read`);
  if (unknown > 0) unchecked.push(`what the kernel says of ${unknown} of ${suspects.length} pages is not in the dump`);
  return { found: [...found], tables: tables.tables, unchecked };
}

/**
 * Frames of the kernel's image, as the kernel maps it. Its init part has been given back by the end of the boot and may be
 * anybody's memory since, mapped here or not.
 */
function imageFrames({ kernel, unrecorded }: RecordedKernel): ReadonlySet<number> {
  const address = (name: string) => kernel.symbols.byName(name, null)?.address ?? null;
  const frames = new Set<number>();
  const start = address("_stext") ?? address("_text");
  const end = address("_end");
  if (start === null || end === null || end - start > 1n << 30n) return frames;
  const initStart = address("__init_begin") ?? 0n;
  const initEnd = address("__init_end") ?? 0n;
  for (let at = start & ~(PAGE - 1n); at < end; at += PAGE) {
    if (at >= initStart && at < initEnd) continue;
    const physical = unrecorded.translate(at);
    if (physical !== null) frames.add(Number(physical / PAGE));
  }
  return frames;
}
