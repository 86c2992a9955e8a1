import { SpillwayError } from "@spillway/core";

/** The module's parameters; what is left out has the module's own default. */
export interface ModuleParameters {
  /** Extra stacks in all. */
  readonly stacks?: number;
  /** Bytes of a stack in use above which to switch. */
  readonly thresholdBytes?: number;
  /** Critical points: `name`, or `name:int`, `name:long`, `name:ptr`, `name:bio` for one that the module does not know. */
  readonly points?: readonly string[];
  readonly mode?: HookMode;
}

/** How functions are hooked; auto takes what goes. */
export const HOOK_MODES = ["auto", "direct", "ipmodify"] as const;
export type HookMode = (typeof HOOK_MODES)[number];

/** What the module takes as a point: letters of C, and maybe what it returns. */
const POINT = /^[A-Za-z_][\w.]*(:(int|long|ptr|bio))?$/;

/**
 * A list of points with commas between them, as a person gives it.
 * @throws SpillwayError SPW_GUARD_BAD_VALUE
 */
export function parsePoints(list: string): string[] {
  const points = list.split(",").map((word) => word.trim());
  for (const point of points) {
    if (POINT.test(point)) continue;
    throw new SpillwayError("SPW_GUARD_BAD_VALUE", `"${point}" is no critical point`, {
      class: "usage",
      facts: { points: list },
      hint: "give functions as name, or as name:int, name:long, name:ptr or name:bio by what they return, with commas between them",
    });
  }
  return points;
}

/** `name=value` words, as insmod, modprobe and modprobe.d take them. */
export function parameterWords(parameters: ModuleParameters): string[] {
  const { stacks, thresholdBytes, points, mode } = parameters;
  const words: string[] = [];
  if (stacks !== undefined) words.push(`stacks=${stacks}`);
  if (thresholdBytes !== undefined) words.push(`threshold=${thresholdBytes}`);
  if (points !== undefined) words.push(`points=${points.join(",")}`);
  if (mode !== undefined) words.push(`mode=${mode}`);
  return words;
}
