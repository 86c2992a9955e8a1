import type { Diagnosis } from "../diagnose/diagnosis.ts";
import type { DumpImage } from "../image/dump-image.ts";
import { type Erasures, userRegisters } from "./erase-registers.ts";
import { keepAnswers } from "./keep-answers.ts";
import { keepForDebuggers } from "./keep-for-debuggers.ts";
import { keepKernelData } from "./keep-kernel-data.ts";
import { keepModules } from "./keep-modules.ts";
import { keepStacks } from "./keep-stacks.ts";
import { keepText } from "./keep-text.ts";
import { Keeper } from "./keeper.ts";
import { openRecordedKernel, type RecordedKernel } from "./recorded-kernel.ts";
import { findUserPages, type UserPages } from "./user-memory.ts";

/** What is being done, for a person who waits. `total` is 0 where it is not known. */
export type ExtractProgress = (step: string, done: number, total: number) => void;

export interface Selection {
  readonly recorded: RecordedKernel;
  /** Page frames to keep, in no order. */
  readonly pages: ReadonlySet<number>;
  readonly user: UserPages;
  /** What has to be blanked inside the pages kept. */
  readonly erasures: Erasures;
  readonly diagnosis: Diagnosis;
}

/**
 * Chooses the pages of a dump that a diagnosis needs, and those that crash and drgn need to start; takes out again what
 * turns out to be user memory.
 * @throws SpillwayError `SPW_KERNEL_NOT_FOUND`
 */
export function selectPages(image: DumpImage, progress: ExtractProgress): Selection {
  progress("finding the kernel", 0, 0);
  const recorded = openRecordedKernel(image);
  const keeper = new Keeper(recorded);
  progress("diagnosing", 0, 0);
  const answers = keepAnswers(keeper, (done, total) => progress("walking stacks", done, total));
  progress("choosing pages", 0, 0);
  const stacks = keepStacks(keeper);
  keepText(keeper, stacks, answers);
  keepModules(keeper);
  keepKernelData(keeper);
  keepForDebuggers(keeper);
  const pages = new Set(recorded.record.kept);
  const user = findUserPages(recorded, pages, (done) => progress("looking for user memory", done, 0));
  for (const pfn of [...user.user, ...user.free]) pages.delete(pfn);
  return { recorded, pages, user, erasures: userRegisters(keeper), diagnosis: answers.diagnosis };
}
