/** A model from a text in either form, and small changes to one. */

import { SpillwayError } from "../../errors.ts";
import { LIMITS, type Model, type Policy } from "./model.ts";
import { parseModelJson } from "./parse-json.ts";
import { parseModelText } from "./parse-text.ts";

/**
 * Reads a model: a JSON document where it begins with a brace, the text form otherwise.
 * @throws SpillwayError SPW_CHECK_BAD_MODEL, SPW_CHECK_TOO_LARGE
 */
export function parseModel(source: string): Model {
  const text = source.replace(/^\uFEFF/, "");
  return text.trimStart().startsWith("{") ? parseModelJson(text) : parseModelText(text);
}

/** What can be changed about a model without editing it. */
export interface ModelChanges {
  readonly stacks?: number;
  readonly policy?: Policy;
  /** How many tasks of each of these names there are. */
  readonly tasks?: ReadonlyMap<string, number>;
}

/**
 * The model with other numbers.
 * @throws SpillwayError SPW_USAGE where it has no task of a name, or a number is out of range
 */
export function changeModel(model: Model, { stacks, policy, tasks }: ModelChanges): Model {
  if (stacks !== undefined && !(stacks >= 0 && stacks <= LIMITS.count)) {
    throw usage(`there can be 0 to ${LIMITS.count} stacks, not ${stacks}`);
  }
  for (const [name, count] of tasks ?? []) {
    if (!model.tasks.some((task) => task.name === name)) {
      throw usage(`the model has no task "${name}", but ${model.tasks.map((task) => task.name).join(", ")}`);
    }
    if (!(count >= 1 && count <= LIMITS.tasks)) throw usage(`there can be 1 to ${LIMITS.tasks} tasks, not ${count}`);
  }
  return {
    ...model,
    stacks: stacks ?? model.stacks,
    policy: policy ?? model.policy,
    tasks: model.tasks.map((task) => ({ ...task, count: tasks?.get(task.name) ?? task.count })),
  };
}

function usage(message: string): SpillwayError {
  return new SpillwayError("SPW_USAGE", message, { class: "usage", hint: "see spillway check --help" });
}
