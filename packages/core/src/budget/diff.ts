/** What a kernel update costs: two budgets compared, and the decisions that gates take from one or both. */
import type { BudgetCycle, BudgetDocument, EntryKind } from "./budget-document.ts";
import { atLevel, BUDGET_LEVELS, type BudgetLevel, type ByLevel, byLevel } from "./levels.ts";

export const BUDGET_DIFF_SCHEMA = "spillway/budget-diff@1";

/** Of old and new, null where there is none. */
interface Change {
  readonly old: number | null;
  readonly new: number | null;
  /** New less old; what is not there counts as 0. */
  readonly growth: number;
}

export interface EntryChange {
  readonly name: string;
  readonly kind: EntryKind;
  readonly module: string | null;
  readonly bounds: ByLevel<Change>;
}

export interface FrameChange extends Change {
  readonly name: string;
  readonly module: string | null;
}

export interface DeepestEntry {
  readonly name: string;
  readonly module: string | null;
  readonly bytes: number;
}

export interface BudgetDiff {
  readonly schema: typeof BUDGET_DIFF_SCHEMA;
  readonly old: BudgetDocument["kernel"];
  readonly new: BudgetDocument["kernel"];
  /** The deepest entry on a task's stack before and after; null where there is none. */
  readonly deepest: ByLevel<{ readonly old: DeepestEntry | null; readonly new: DeepestEntry | null }>;
  /** Entries with another bound at any level, those that are new or gone among them; the most grown (slot-matched) first. */
  readonly entries: readonly EntryChange[];
  /** Functions with another frame, in both budgets; the most grown first. */
  readonly frames: readonly FrameChange[];
  /** Functions in one budget only. */
  readonly added: number;
  readonly removed: number;
  /** Cycles of the new budget with a function in them that was in no cycle of that level before. */
  readonly newCycles: readonly {
    readonly level: BudgetLevel;
    readonly functions: readonly string[];
    readonly roundBytes: number;
  }[];
}

/** Of a cycle's new functions, so many are named. */
const LISTED = 20;

/**
 * Compares by names: of functions that share name and module the largest frames, of entries that share kind, name and module the
 * deepest. Addresses play no part, and so ids are compared by their names.
 */
export function diffBudgets(old: BudgetDocument, current: BudgetDocument): BudgetDiff {
  const frames = compared(framesOf(old), framesOf(current));
  return {
    schema: BUDGET_DIFF_SCHEMA,
    old: old.kernel,
    new: current.kernel,
    deepest: byLevel((level) => ({ old: deepestOf(old, level), new: deepestOf(current, level) })),
    entries: entryChanges(old, current),
    frames: frames
      .filter((frame) => frame.old !== null && frame.new !== null && frame.growth !== 0)
      .sort((a, b) => b.growth - a.growth || (a.name < b.name ? -1 : 1)),
    added: frames.filter((frame) => frame.old === null).length,
    removed: frames.filter((frame) => frame.new === null).length,
    newCycles: newCycles(old, current),
  };
}

function deepestOf({ entries }: BudgetDocument, level: BudgetLevel): DeepestEntry | null {
  const onTasks = entries.filter(({ stack }) => stack === "task");
  const deepest = onTasks.toSorted((a, b) => atLevel(b.bounds, level) - atLevel(a.bounds, level))[0];
  if (deepest === undefined) return null;
  return { name: deepest.name, module: deepest.module, bytes: atLevel(deepest.bounds, level) };
}

type Named = { readonly name: string; readonly module: string | null };

function framesOf(document: BudgetDocument): Map<string, Named & { bytes: number }> {
  const frames = new Map<string, Named & { bytes: number }>();
  for (const { name, module, frameBytes } of document.functions) {
    const key = `${module ?? ""} ${name}`;
    const known = frames.get(key);
    frames.set(key, { name, module, bytes: Math.max(frameBytes, known?.bytes ?? 0) });
  }
  return frames;
}

function compared(old: ReturnType<typeof framesOf>, current: ReturnType<typeof framesOf>): FrameChange[] {
  return [...new Set([...old.keys(), ...current.keys()])].map((key) => {
    const before = old.get(key);
    const after = current.get(key);
    const { name, module } = (after ?? before) as Named;
    return { name, module, ...change(before?.bytes ?? null, after?.bytes ?? null) };
  });
}

function change(old: number | null, current: number | null): Change {
  return { old, new: current, growth: (current ?? 0) - (old ?? 0) };
}

function entryChanges(old: BudgetDocument, current: BudgetDocument): EntryChange[] {
  const keyed = (document: BudgetDocument) => {
    const entries = new Map<string, Named & { kind: EntryKind; bounds: ByLevel<number> }>();
    for (const { name, module, kind, bounds } of document.entries) {
      const key = `${kind} ${module ?? ""} ${name}`;
      const known = entries.get(key)?.bounds;
      entries.set(key, {
        name,
        module,
        kind,
        bounds: byLevel((level) => Math.max(atLevel(bounds, level), known === undefined ? 0 : atLevel(known, level))),
      });
    }
    return entries;
  };
  const before = keyed(old);
  const after = keyed(current);
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((key) => {
      const was = before.get(key);
      const is = after.get(key);
      const { name, module, kind } = (is ?? was) as Named & { kind: EntryKind };
      const bounds = byLevel((level) =>
        change(
          was === undefined ? null : atLevel(was.bounds, level),
          is === undefined ? null : atLevel(is.bounds, level),
        ),
      );
      return { name, kind, module, bounds };
    })
    .filter(({ bounds }) => BUDGET_LEVELS.some((level) => atLevel(bounds, level).growth !== 0))
    .sort((a, b) => b.bounds.slotMatched.growth - a.bounds.slotMatched.growth || (a.name < b.name ? -1 : 1));
}

function nameOfId(id: string): string {
  return id.replace(/@0x[0-9a-f]+$/, "");
}

function newCycles(old: BudgetDocument, current: BudgetDocument): BudgetDiff["newCycles"] {
  const inCycle = new Map<BudgetLevel, Set<string>>(BUDGET_LEVELS.map((level) => [level, new Set()]));
  for (const { level, functions } of old.cycles) for (const id of functions) inCycle.get(level)?.add(nameOfId(id));
  return current.cycles.flatMap(({ level, functions, roundBytes }: BudgetCycle) => {
    const fresh = functions.filter((id) => inCycle.get(level)?.has(nameOfId(id)) !== true);
    return fresh.length === 0 ? [] : [{ level, functions: fresh.slice(0, LISTED), roundBytes }];
  });
}

/** What a gate decided, and why not. */
export interface Judgement {
  readonly ok: boolean;
  readonly reasons: readonly string[];
}

export interface BudgetLimit {
  /** No entry on a task's stack may be deeper. The stack's size where it is left out. */
  readonly maxBytes?: number;
  readonly level?: BudgetLevel;
}

/** Holds the entries of a budget that lie on task stacks to a limit. */
export function judgeBudget(
  document: Pick<BudgetDocument, "entries" | "stackBytes">,
  limit: BudgetLimit = {},
): Judgement {
  const level = limit.level ?? "slot-matched";
  const maxBytes = limit.maxBytes ?? document.stackBytes;
  const judged = document.entries.filter((entry) => entry.stack === "task" || entry.kind === "other");
  // Of a kernel that is damaged or hides its symbols: a gate that saw nothing must not open.
  if (judged.length === 0) return { ok: false, reasons: ["no entry on a task's stack was found"] };
  const reasons = judged
    .filter((entry) => atLevel(entry.bounds, level) > maxBytes)
    .sort((a, b) => atLevel(b.bounds, level) - atLevel(a.bounds, level))
    .map((entry) => `${entry.name} can take ${atLevel(entry.bounds, level)} bytes, more than ${maxBytes} (${level})`);
  return { ok: reasons.length === 0, reasons };
}

export interface DiffLimit {
  /** No entry may have grown by more; 0 where it is left out. */
  readonly growthBytes?: number;
  /** No entry that is new or has grown may be deeper. */
  readonly maxBytes?: number;
  readonly level?: BudgetLevel;
}

/**
 * Holds what changed to limits. An entry that is new has not grown.
 * @param current the new budget: one that has no entries keeps no limit
 */
export function judgeDiff(
  diff: BudgetDiff,
  limit: DiffLimit = {},
  current: Pick<BudgetDocument, "entries"> | null = null,
): Judgement {
  if (current?.entries.length === 0) return { ok: false, reasons: ["the new budget has no entries"] };
  const level = limit.level ?? "slot-matched";
  const growthBytes = limit.growthBytes ?? 0;
  const reasons: string[] = [];
  for (const entry of diff.entries) {
    const { old, new: now, growth } = atLevel(entry.bounds, level);
    if (now === null || growth <= 0) continue;
    if (old !== null && growth > growthBytes) {
      reasons.push(
        `${entry.name} grew by ${growth} bytes, from ${old} to ${now}; ${growthBytes} are allowed (${level})`,
      );
    }
    if (limit.maxBytes !== undefined && now > limit.maxBytes) {
      reasons.push(`${entry.name} can take ${now} bytes, more than ${limit.maxBytes} (${level})`);
    }
  }
  return { ok: reasons.length === 0, reasons };
}
