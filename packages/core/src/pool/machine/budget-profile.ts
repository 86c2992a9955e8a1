/** A profile out of a budget: the deepest paths that `spillway budget --json` found are what tasks and interrupts go through. */
import type { BudgetDocument, BudgetEntry, PathStep } from "../../budget/budget-document.ts";
import { KNOWN_POINTS } from "../../budget/plan/known-points.ts";
import { SpillwayError } from "../../errors.ts";
import { DEFAULT_PROFILE } from "./default-profile.ts";
import type { Handler, Level, MachineProfile } from "./profile.ts";

export interface BudgetProfileOptions {
  /** Names of entries in the budget: system calls, work items and the like for tasks; interrupts and softirqs for what hits them. */
  readonly entries: readonly string[];
  /** The chance that an operation goes on from one level to the next. A budget says how deep it can go, not how often. */
  readonly deeper: number;
  /** Functions that are critical points besides those that `plan` knows. */
  readonly points: readonly string[];
}

/** STACK_END_MAGIC: thread_info is not on the stack on x86_64 (since 4.9). */
const RESERVED_BYTES = 8;
/** CPU time at a level, and of handlers: a budget has no times. */
const MICROS = 10;

/**
 * Each entry's slot-matched deepest path, cut into levels where a critical point stands and where the path goes into another module.
 * @throws SpillwayError SPW_MACHINE_NO_ENTRY, SPW_BUDGET_INVALID
 */
export function profileFromBudget(document: BudgetDocument, options: BudgetProfileOptions): MachineProfile {
  const chosen = options.entries.map((name) => {
    const found = document.entries.find((entry) => entry.name === name || entry.function === name);
    if (found === undefined) noEntry(document, name);
    return found;
  });
  const onTasks = chosen.filter(({ kind }) => kind !== "interrupt" && kind !== "softirq");
  if (onTasks.length === 0) noEntry(document, null);
  const hard = handlersOf(chosen, "interrupt");
  const soft = handlersOf(chosen, "softirq");
  const { interrupts } = DEFAULT_PROFILE;
  const hardMost = Math.max(0, ...hard.map(({ bytes }) => bytes[1]));
  return {
    ...DEFAULT_PROFILE,
    name: `budget of ${document.kernel.release ?? document.kernel.name}`,
    source: `slot-matched deepest paths of ${options.entries.join(", ")}; how often what happens is assumed`,
    reservedBytes: RESERVED_BYTES,
    start: Object.fromEntries(onTasks.map((entry) => [levelName(entry, 0), 1 / onTasks.length])),
    levels: onTasks.flatMap((entry) => levelsOf(entry, options)),
    interrupts: {
      perSecond: hard.length === 0 && soft.length === 0 ? 0 : interrupts.perSecond,
      entryBytes: entryBytes(document),
      hard: { bytes: [hardMost, hardMost], micros: MICROS },
      nested: false,
      softChance: soft.length === 0 ? 0 : interrupts.softChance,
      soft,
    },
  };
}

function noEntry(document: BudgetDocument, name: string | null): never {
  const known = document.entries.slice(0, 6).map((entry) => entry.name);
  const what =
    name === null ? "no entry of a task was named" : `the budget has no entry ${JSON.stringify(name.slice(0, 60))}`;
  throw new SpillwayError("SPW_MACHINE_NO_ENTRY", what, {
    class: "missing",
    facts: { entry: name },
    hint: `it has ${document.entries.length}${known.length > 0 ? `, among them ${known.join(", ")}` : ""}`,
  });
}

function pathOf(entry: BudgetEntry): readonly PathStep[] {
  const path: unknown = entry.path;
  const whole = (value: unknown) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
  const isStep = (step: Partial<PathStep> | null) => typeof step?.function === "string" && whole(step.bytes);
  if (!Array.isArray(path) || path.length === 0 || !path.every(isStep) || !whole(entry.baseBytes)) {
    throw new SpillwayError("SPW_BUDGET_INVALID", `the entry ${entry.name} of the budget has no path`, {
      facts: { entry: entry.name },
      hint: "spillway budget INPUT --json prints budgets whose entries have their deepest paths",
    });
  }
  return path as PathStep[];
}

function levelName(entry: BudgetEntry, at: number): string {
  return `${entry.name}/${at}`;
}

function levelsOf(entry: BudgetEntry, { deeper, points }: BudgetProfileOptions): Level[] {
  const parts: { bytes: number; point: boolean }[] = [{ bytes: entry.baseBytes, point: false }];
  const path = pathOf(entry);
  path.forEach((step, at) => {
    const point = at > 0 && (KNOWN_POINTS.has(step.function) || points.includes(step.function));
    const elsewhere = at > 0 && step.module !== path[at - 1]!.module;
    if (point || elsewhere) parts.push({ bytes: 0, point });
    parts.at(-1)!.bytes += step.bytes;
  });
  return parts.map(({ bytes, point }, at) => ({
    name: levelName(entry, at),
    bytes: [bytes, bytes],
    micros: MICROS,
    point,
    sleeps: true,
    next: at + 1 < parts.length ? { [levelName(entry, at + 1)]: deeper } : {},
  }));
}

function handlersOf(entries: readonly BudgetEntry[], kind: "interrupt" | "softirq"): Handler[] {
  return entries
    .filter((entry) => entry.kind === kind)
    .map(({ bounds }) => ({ bytes: [bounds.slotMatched, bounds.slotMatched], micros: MICROS }));
}

/** What an interrupt leaves on the stack that it hits before it goes on with its own: the most of all that do. */
function entryBytes({ interrupts }: BudgetDocument): number {
  const entries = Array.isArray(interrupts) ? interrupts.filter(({ extent }) => extent === "entry") : [];
  const bytes = entries.map((one) => one.bytes?.slotMatched).filter((value) => Number.isSafeInteger(value));
  return Math.max(0, ...bytes);
}
