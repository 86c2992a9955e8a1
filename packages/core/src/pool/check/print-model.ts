/** A model as its text, and as its JSON document: what the two parsers read. */
import { printExpression } from "./expressions.ts";
import type { Model, Step } from "./model.ts";

/** The text of a model; comments and the layout of the source are not kept. */
export function modelText(model: Model): string {
  const lines = [`stacks ${model.stacks}`, `policy ${model.policy}`];
  for (const { name } of model.locks) lines.push(`lock ${name}`);
  for (const { name, count } of model.workers) lines.push(`workers ${name} ${count}`);
  for (const { name, count } of model.resources) lines.push(`resource ${name} ${count}`);
  for (const { name, count } of model.variables) lines.push(`var ${name} = ${count}`);
  for (const { name, count, steps } of model.tasks) {
    lines.push("", `task ${name}${count === 1 ? "" : ` * ${count}`} {`, ...steps.flatMap(stepLines), "}");
  }
  if (model.properties.length > 0) lines.push("");
  for (const { kind, condition } of model.properties) {
    lines.push(`${kind} ${condition === null ? "refused" : printExpression(condition)}`);
  }
  return `${lines.join("\n")}\n`;
}

function stepLines(step: Step): string[] {
  const lines = (): string[] => {
    switch (step.kind) {
      case "take":
      case "give":
        return [`${step.kind} ${step.name}${step.amount === 1 ? "" : ` ${step.amount}`}`];
      case "enter":
        return block(step.policy === null ? "enter" : `enter ${step.policy}`, step.body, step.otherwise);
      case "trylock":
        return block(`trylock ${step.name}`, step.body, step.otherwise);
      case "work":
      case "section":
        return block(`${step.kind} ${step.name}`, step.body);
      case "step":
      case "sleep":
        return [step.text === null ? step.kind : `${step.kind} "${step.text}"`];
      case "resize": {
        const head = `resize ${printExpression(step.to)}${step.unchecked ? " unchecked" : ""}`;
        return step.otherwise.length === 0 ? [head] : block(`${head} else`, step.otherwise);
      }
      case "set":
        return [`set ${step.name} = ${printExpression(step.value)}`];
      case "await":
      case "assert":
        return [`${step.kind} ${printExpression(step.condition)}`];
      case "if":
        return block(`if ${printExpression(step.condition)}`, step.body, step.otherwise);
      case "choose":
        return step.branches.flatMap((branch, index) => {
          const [head, ...rest] = block(index === 0 ? "choose" : "or", branch);
          return [head!, ...rest];
        });
      case "loop":
        return block(step.times === null ? "loop" : `loop ${step.times}`, step.body);
      case "fail":
        return ["fail"];
      default:
        return [`${step.kind} ${step.name}`];
    }
  };
  return lines().map((line) => `  ${line}`);
}

function block(head: string, body: readonly Step[], otherwise: readonly Step[] = []): string[] {
  const lines = [`${head} {`, ...body.flatMap(stepLines)];
  if (otherwise.length > 0) lines.push("} else {", ...otherwise.flatMap(stepLines));
  return [...lines, "}"];
}

/** The JSON document of a model. */
export function modelJson(model: Model): Readonly<Record<string, unknown>> {
  const counts = (list: Model["workers"]): Record<string, number> =>
    Object.fromEntries(list.map(({ name, count }) => [name, count]));
  const stated = (kind: "always" | "never" | "reach"): string[] =>
    model.properties
      .filter((one) => one.kind === kind)
      .map(({ condition }) => (condition === null ? "refused" : printExpression(condition)));
  return {
    stacks: model.stacks,
    policy: model.policy,
    locks: model.locks.map(({ name }) => name),
    workers: counts(model.workers),
    resources: counts(model.resources),
    variables: counts(model.variables),
    tasks: model.tasks.map(({ name, count, steps }) => ({ name, count, steps: steps.map(stepJson) })),
    always: stated("always"),
    never: stated("never"),
    reach: stated("reach"),
  };
}

function stepJson(step: Step): Readonly<Record<string, unknown>> {
  const { kind } = step;
  const otherwise = "otherwise" in step && step.otherwise.length > 0 ? { else: step.otherwise.map(stepJson) } : {};
  const body = "body" in step ? step.body.map(stepJson) : [];
  switch (kind) {
    case "take":
    case "give":
      return { [kind]: step.name, ...(step.amount === 1 ? {} : { amount: step.amount }) };
    case "enter":
      return { enter: body, ...(step.policy === null ? {} : { policy: step.policy }), ...otherwise };
    case "trylock":
    case "work":
    case "section":
      return { [kind]: step.name, do: body, ...otherwise };
    case "step":
    case "sleep":
      return { [kind]: step.text };
    case "resize":
      return { resize: printExpression(step.to), ...(step.unchecked ? { unchecked: true } : {}), ...otherwise };
    case "set":
      return { set: step.name, to: printExpression(step.value) };
    case "await":
    case "assert":
      return { [kind]: printExpression(step.condition) };
    case "if":
      return { if: printExpression(step.condition), do: body, ...otherwise };
    case "choose":
      return { choose: step.branches.map((branch) => branch.map(stepJson)) };
    case "loop":
      return { loop: body, ...(step.times === null ? {} : { times: step.times }) };
    case "fail":
      return { fail: true };
    default:
      return { [kind]: step.name };
  }
}
