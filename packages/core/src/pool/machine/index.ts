/** What the front ends use of the comparison of stack designs. */
export { MAX_SEED } from "../random/random-stream.ts";
export type { Estimate } from "../statistics/interval.ts";
export { PAGE_BYTES } from "./buddy.ts";
export { type BudgetProfileOptions, profileFromBudget } from "./budget-profile.ts";
export { type CompareOptions, compareDesigns } from "./compare-designs.ts";
export { DEFAULT_PROFILE } from "./default-profile.ts";
export { shareBeyond } from "./depths.ts";
export { DEFAULT_DESIGNS, type Design, type PoolSettings, parseDesign, stackMemory, thresholdOf } from "./design.ts";
export type {
  DepthTail,
  DesignResult,
  Frequency,
  MachineDocument,
  TasksResult,
} from "./machine-document.ts";
export { parseLevels } from "./parse-levels.ts";
export { type MachineProfile, readProfile, withPoints } from "./profile.ts";
export { RECLAIM_PAGES, type Watermarks, watermarksOf, type ZoneSettings } from "./zone-memory.ts";
