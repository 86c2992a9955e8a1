/** Plans that `spillway plan --json` writes: which critical points, and the threshold. */
import { type PlanDocument, SpillwayError } from "@spillway/core";
import type { ModuleParameters } from "./module-parameters.ts";

/** The format of a plan that is read here (core/src/budget/plan-document.ts). */
export const PLAN_SCHEMA: PlanDocument["schema"] = "spillway/plan@1";

/** What the module calls that which a point returns. */
const RETURNS: ReadonlyMap<unknown, string> = new Map([
  ["int", "int"],
  ["long", "int"],
  ["pointer", "ptr"],
  ["bio", "bio"],
]);

/** Critical points that the module takes, its self-test's left out (SPW_MAX_POINTS). */
const MOST_POINTS = 63;

/** The module takes no threshold that leaves less of a stack, in bytes (kernel-module/switch.c, spw_threshold_set). */
const LEFT_BY_MODULE = 4096;

/** What of a plan the module is loaded with. */
export interface LoadPlan {
  /** The kernel that it was made for. */
  readonly release: string;
  readonly parameters: ModuleParameters & { readonly thresholdBytes: number; readonly points: readonly string[] };
  /** Of the points that lie in modules: which module, by the point's word. */
  readonly moduleOf: ReadonlyMap<string, string>;
  /** Paths that the plan lists as longer than the stacks allow, whatever points are chosen: they can still overflow. */
  readonly unfixable: number;
}

function bad(what: string, hint = "make one with: spillway plan --json"): SpillwayError {
  return new SpillwayError("SPW_GUARD_PLAN_INVALID", `this is no plan for the guard: ${what}`, {
    class: "input",
    hint,
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsePoint(point: unknown): string {
  if (!isObject(point) || typeof point.name !== "string" || !/^[A-Za-z_][\w.]{0,500}$/.test(point.name)) {
    throw bad("a point has no name, or one that is no function's");
  }
  const returns = RETURNS.get(point.returns);
  if (returns === undefined) throw bad(`${point.name} returns neither int, long, pointer nor bio`);
  // ftrace would take them all, also those that return something else.
  if (typeof point.sameName === "number" && point.sameName > 0) {
    throw bad(`${point.sameName + 1} functions are called ${point.name}, and a hook would take them all`);
  }
  return `${point.name}:${returns}`;
}

/**
 * Reads a plan's text.
 * @throws SpillwayError SPW_GUARD_PLAN_INVALID
 */
export function parsePlan(text: string): LoadPlan {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw bad("it is not JSON");
  }
  if (!isObject(document)) throw bad("it is no JSON object");
  if (document.schema !== PLAN_SCHEMA) {
    const schema = typeof document.schema === "string" ? document.schema.slice(0, 60) : "not given";
    throw bad(`its schema is ${schema}, and ${PLAN_SCHEMA} is wanted`);
  }
  const { kernel, thresholdBytes, points } = document;
  if (!isObject(kernel) || typeof kernel.release !== "string") throw bad("it does not say for which kernel it is");
  if (typeof thresholdBytes !== "number" || !Number.isSafeInteger(thresholdBytes) || thresholdBytes < 0) {
    throw bad("thresholdBytes is no number of bytes");
  }
  if (!Array.isArray(points)) throw bad("it has no points");
  if (points.length === 0) {
    throw bad(
      "it has no points, since what it bounds needs none",
      "spillway plan --recursion makes points that bound recursion",
    );
  }
  if (points.length > MOST_POINTS) throw bad(`it has ${points.length} points; the module takes ${MOST_POINTS}`);
  const words = points.map(parsePoint);
  const moduleOf = new Map<string, string>();
  for (const [at, { module }] of points.entries()) {
    if (typeof module === "string") moduleOf.set(words[at] as string, module);
  }
  // A lower threshold only switches sooner.
  const stackBytes = typeof document.stackBytes === "number" ? document.stackBytes : Number.POSITIVE_INFINITY;
  const threshold = Math.max(0, Math.min(thresholdBytes, stackBytes - LEFT_BY_MODULE));
  // `unfixable` lists the worst; how many there are in all stands beside it.
  const counts = isObject(document.unfixableCounts) ? Object.values(document.unfixableCounts) : [];
  const unfixable = counts.reduce((sum: number, count) => sum + (typeof count === "number" ? count : 0), 0);
  return {
    release: kernel.release,
    parameters: { thresholdBytes: threshold, points: words },
    moduleOf,
    unfixable,
  };
}

/**
 * A plan less its points in modules that are not loaded: the module would refuse them, and what is not loaded runs nowhere.
 * @returns the plan, and the points left out as `name [module]`
 * @throws SpillwayError SPW_GUARD_PLAN_INVALID where none is left
 */
export function withLoadedPoints(
  plan: LoadPlan,
  isLoaded: (module: string) => boolean,
): { readonly plan: LoadPlan; readonly left: readonly string[] } {
  const left: string[] = [];
  const points = plan.parameters.points.filter((word) => {
    const module = plan.moduleOf.get(word);
    if (module === undefined || isLoaded(module)) return true;
    left.push(`${word.split(":")[0]} [${module}]`);
    return false;
  });
  if (points.length === 0) throw bad("all its points lie in modules that are not loaded");
  return { plan: { ...plan, parameters: { ...plan.parameters, points } }, left };
}

/**
 * Refuses a plan that was made for another kernel: its points and its threshold rest on that kernel's code.
 * @throws SpillwayError SPW_GUARD_PLAN_OTHER_KERNEL
 */
export function requirePlanFor(plan: LoadPlan, release: string): void {
  if (plan.release === release) return;
  throw new SpillwayError("SPW_GUARD_PLAN_OTHER_KERNEL", `the plan is for kernel ${plan.release}, this is ${release}`, {
    class: "input",
    facts: { plan: plan.release, running: release },
    hint: "make a plan for this kernel, or take this one all the same with --force",
  });
}
