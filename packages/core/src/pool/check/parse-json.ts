/** A model as a JSON document, read. The same things as in the text, under the same names. */
import { parseExpression } from "./expressions.ts";
import { jsonErrorAt } from "./json-error.ts";
import {
  type Counted,
  type Expression,
  LIMITS,
  type Model,
  type Place,
  type Policy,
  type Property,
  type Step,
} from "./model.ts";
import { badModel, tooLarge } from "./model-error.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a model from a JSON document; names are not looked up yet.
 * @throws SpillwayError SPW_CHECK_BAD_MODEL with the line and column of bad JSON, or the path of a bad value; SPW_CHECK_TOO_LARGE
 */
export function parseModelJson(source: string): Model {
  if (source.length > LIMITS.source) throw tooLarge(null, `a model of more than ${LIMITS.source >> 10} KiB of text`);
  let document: unknown;
  try {
    document = JSON.parse(source);
  } catch {
    throw badJson(source);
  }
  const model = fields(document, "", [
    "stacks",
    "policy",
    "locks",
    "workers",
    "resources",
    "variables",
    "tasks",
    "always",
    "never",
    "reach",
  ]);
  const tasks = list(model.tasks ?? [], "tasks").map((task, index) => {
    const at = `tasks[${index}]`;
    const { name, count, steps } = fields(task, at, ["name", "count", "steps"]);
    return {
      at,
      name: text(name, `${at}.name`),
      count: whole(count ?? 1, `${at}.count`, 1, LIMITS.tasks),
      steps: readSteps(steps, `${at}.steps`, 0),
    };
  });
  return {
    stacks: whole(model.stacks ?? 0, "stacks", 0, LIMITS.count),
    policy: readPolicy(model.policy ?? "eio", "policy"),
    locks: list(model.locks ?? [], "locks").map((name, index) => {
      const at = `locks[${index}]`;
      return { at, name: text(name, at) };
    }),
    workers: readCounts(model.workers ?? {}, "workers"),
    resources: readCounts(model.resources ?? {}, "resources"),
    variables: readCounts(model.variables ?? {}, "variables"),
    tasks,
    properties: (["always", "never", "reach"] as const).flatMap((kind) => readProperties(model[kind] ?? [], kind)),
  };
}

function badJson(source: string): Error {
  const offset = jsonErrorAt(source) ?? source.length;
  const before = source.slice(0, offset);
  const line = before.split("\n").length;
  const column = offset - before.lastIndexOf("\n");
  const found =
    offset < source.length
      ? `"${String.fromCodePoint(source.codePointAt(offset)!)}" cannot stand here`
      : "it ends too early";
  return badModel(`${line}:${column}`, `this is no JSON: ${found}`);
}

function fields(value: unknown, at: Place, known: readonly string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw badModel(at, "expected an object");
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw badModel(at, `nothing is known of "${unknown}" here; there may be ${known.join(", ")}`);
  return value as Fields;
}

function list(value: unknown, at: Place): readonly unknown[] {
  if (!Array.isArray(value)) throw badModel(at, "expected a list");
  return value;
}

function text(value: unknown, at: Place): string {
  if (typeof value !== "string") throw badModel(at, "expected a text");
  return value;
}

function flag(value: unknown, at: Place): boolean {
  if (typeof value !== "boolean") throw badModel(at, "expected true or false");
  return value;
}

function whole(value: unknown, at: Place, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw badModel(at, `expected a whole number between ${least} and ${most}`);
  }
  return value;
}

function readPolicy(value: unknown, at: Place): Policy {
  if (value !== "eio" && value !== "sleep") throw badModel(at, 'expected "eio" or "sleep"');
  return value;
}

function readCounts(value: unknown, at: Place): Counted[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badModel(at, "expected an object of names and numbers");
  }
  return Object.entries(value).map(([name, count]) => {
    const here = `${at}.${name}`;
    return { at: here, name, count: whole(count, here, 0, LIMITS.count) };
  });
}

function readProperties(value: unknown, kind: Property["kind"]): Property[] {
  return list(value, kind).map((one, index) => {
    const at = `${kind}[${index}]`;
    const condition = text(one, at);
    const isEvent = kind !== "always" && condition.trim() === "refused";
    return { kind, at, condition: isEvent ? null : parseExpression(condition, at) };
  });
}

/** An expression is a text, or just a number. */
function readExpression(value: unknown, at: Place): Expression {
  if (typeof value === "number") return { kind: "number", value: whole(value, at, 0, 1_000_000) };
  return parseExpression(text(value, at), at);
}

function readSteps(value: unknown, at: Place, depth: number): Step[] {
  if (depth > LIMITS.nesting) throw badModel(at, "blocks that are nested too deeply");
  return list(value, at).map((step, index) => readStep(step, `${at}[${index}]`, depth));
}

const KINDS: Readonly<Record<Step["kind"], readonly string[]>> = {
  lock: [],
  unlock: [],
  trylock: ["do", "else"],
  take: ["amount"],
  give: ["amount"],
  enter: ["policy", "else"],
  work: ["do"],
  section: ["do"],
  step: [],
  sleep: [],
  resize: ["unchecked", "else"],
  set: ["to"],
  await: [],
  assert: [],
  if: ["do", "else"],
  choose: [],
  loop: ["times"],
  fail: [],
};

function isKind(key: string): key is Step["kind"] {
  return Object.hasOwn(KINDS, key);
}

function readStep(value: unknown, at: Place, depth: number): Step {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw badModel(at, "expected an object");
  const kind = Object.keys(value).find(isKind);
  if (kind === undefined) throw badModel(at, `expected a step: an object with one of ${Object.keys(KINDS).join(", ")}`);
  const step = fields(value, at, [kind, ...KINDS[kind]]);
  const main = step[kind];
  const here = `${at}.${kind}`;
  const block = (key: string): Step[] => readSteps(step[key] ?? [], `${at}.${key}`, depth + 1);
  const name = (): string => text(main, here);
  switch (kind) {
    case "lock":
    case "unlock":
      return { kind, at, name: name() };
    case "trylock":
      return { kind, at, name: name(), body: block("do"), otherwise: block("else") };
    case "take":
    case "give":
      return { kind, at, name: name(), amount: whole(step.amount ?? 1, `${at}.amount`, 1, LIMITS.count) };
    case "enter": {
      const policy = step.policy === undefined ? null : readPolicy(step.policy, `${at}.policy`);
      return { kind, at, policy, body: block("enter"), otherwise: block("else") };
    }
    case "work":
    case "section":
      return { kind, at, name: name(), body: block("do") };
    case "step":
    case "sleep":
      return { kind, at, text: main === null ? null : name() };
    case "resize": {
      const unchecked = flag(step.unchecked ?? false, `${at}.unchecked`);
      return { kind, at, to: readExpression(main, here), unchecked, otherwise: block("else") };
    }
    case "set":
      return { kind, at, name: name(), value: readExpression(step.to, `${at}.to`) };
    case "await":
    case "assert":
      return { kind, at, condition: readExpression(main, here) };
    case "if":
      return { kind, at, condition: readExpression(main, here), body: block("do"), otherwise: block("else") };
    case "choose": {
      const branches = list(main, here).map((branch, index) => readSteps(branch, `${here}[${index}]`, depth + 1));
      if (branches.length === 0) throw badModel(here, "expected at least one way to choose");
      return { kind, at, branches };
    }
    case "loop": {
      const times = step.times === undefined ? null : whole(step.times, `${at}.times`, 1, LIMITS.steps);
      return { kind, at, times, body: block("loop") };
    }
    case "fail":
      return { kind, at };
  }
}
