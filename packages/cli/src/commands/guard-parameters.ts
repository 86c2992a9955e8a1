import { readFileSync } from "node:fs";
import { SpillwayError } from "@spillway/core";
import type { LoadPlan, ModuleParameters } from "@spillway/guard";
import { type Command, Option } from "commander";
import type { Context } from "../context.ts";
import { loadGuard, parseWhole } from "./guard-command.ts";

/** Options that become the module's parameters. */
export interface ParameterOptions {
  readonly stacks?: string;
  readonly threshold?: string;
  readonly points?: string;
  readonly plan?: string;
  readonly mode?: "auto" | "direct" | "ipmodify";
  readonly force?: boolean;
}

/** A plan is a few KB. */
const LARGEST_PLAN = 64 << 20;

export function withParameterOptions(command: Command): Command {
  return command
    .option("--stacks <n>", "extra stacks in all (default: 2 for each CPU)")
    .option("--threshold <bytes>", "bytes of a stack in use above which to switch (default: half of it)")
    .option(
      "--points <list>",
      "critical points, with commas between them; name:int, name:ptr or name:bio where the module does not know the function",
    )
    .option("--plan <file>", "points and threshold as `spillway plan --json` chose them")
    .addOption(new Option("--mode <mode>", "how to hook functions").choices(["auto", "direct", "ipmodify"]))
    .option("-f, --force", "take a plan that was made for another kernel");
}

function readPlan(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= LARGEST_PLAN) return bytes.toString("utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") {
      throw new SpillwayError("SPW_INPUT_NOT_FOUND", `${path}: there is no such file`, { facts: { path }, cause });
    }
    throw new SpillwayError("SPW_INPUT_UNREADABLE", `${path}: it cannot be read`, { facts: { path }, cause });
  }
  throw new SpillwayError("SPW_GUARD_PLAN_INVALID", `${path}: this is far too long for a plan`, { facts: { path } });
}

/** Where the module will be loaded. */
export interface LoadPlace {
  readonly release: string;
  /** Modules that are there when it is loaded: the points of others are left out of a plan. */
  readonly modules: ReadonlySet<string>;
}

/** A plan from its file, with what is to be known of it said. */
async function planFrom(path: string, place: LoadPlace, force: boolean, { terminal }: Context): Promise<LoadPlan> {
  const { parsePlan, requirePlanFor, withLoadedPoints } = await loadGuard();
  const whole = parsePlan(readPlan(path));
  if (!force) requirePlanFor(whole, place.release);
  const { plan, left } = withLoadedPoints(whole, (module) => place.modules.has(module));
  if (left.length > 0) {
    terminal.writeError(
      `note: left out, as their modules are not loaded: ${left.join(", ")}; load the plan again when they are\n`,
    );
  }
  if (plan.unfixable > 0) {
    terminal.writeError(
      `note: the plan leaves ${plan.unfixable} paths that no point makes short enough: they can still overflow\n`,
    );
  }
  return plan;
}

/**
 * The module's parameters from the command line; what --threshold and --points say goes before the plan.
 * @throws SpillwayError SPW_USAGE, SPW_GUARD_BAD_VALUE, SPW_GUARD_PLAN_INVALID, SPW_GUARD_PLAN_OTHER_KERNEL
 */
export async function parametersFrom(
  options: ParameterOptions,
  place: LoadPlace,
  context: Context,
): Promise<ModuleParameters> {
  const { parsePoints } = await loadGuard();
  const plan = options.plan === undefined ? null : await planFrom(options.plan, place, options.force === true, context);
  const { stacks, threshold, points, mode } = options;
  return {
    ...plan?.parameters,
    ...(stacks === undefined ? {} : { stacks: parseWhole(stacks, "a number of stacks", 1) }),
    ...(threshold === undefined ? {} : { thresholdBytes: parseWhole(threshold, "a number of bytes") }),
    ...(points === undefined ? {} : { points: parsePoints(points) }),
    ...(mode === undefined ? {} : { mode }),
  };
}
