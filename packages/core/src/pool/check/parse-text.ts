/** A model's text, read. */
import { readExpression } from "./expressions.ts";
import {
  type Counted,
  LIMITS,
  type Model,
  type Named,
  type Policy,
  type Property,
  type Step,
  type TaskClass,
} from "./model.ts";
import { badModel } from "./model-error.ts";
import { type Token, TokenReader, tokenize } from "./tokens.ts";

/** What a declaration adds to. */
interface Draft {
  stacks: number | null;
  policy: Policy | null;
  readonly locks: Named[];
  readonly workers: Counted[];
  readonly resources: Counted[];
  readonly variables: Counted[];
  readonly tasks: TaskClass[];
  readonly properties: Property[];
}

/**
 * Reads a model from its text; names are not looked up yet (`validateModel` does).
 * @throws SpillwayError SPW_CHECK_BAD_MODEL with line and column, SPW_CHECK_TOO_LARGE
 */
export function parseModelText(source: string): Model {
  const reader = new TokenReader(tokenize(source));
  const draft: Draft = {
    stacks: null,
    policy: null,
    locks: [],
    workers: [],
    resources: [],
    variables: [],
    tasks: [],
    properties: [],
  };
  while (reader.token.kind !== "end") {
    if (!reader.accept(";")) readDeclaration(reader, draft);
  }
  return { ...draft, stacks: draft.stacks ?? 0, policy: draft.policy ?? "eio" };
}

const DECLARATIONS = "stacks, policy, lock, workers, resource, var, task, always, never or reach";

function readDeclaration(reader: TokenReader, draft: Draft): void {
  const token = reader.word(DECLARATIONS);
  const counted = (what: string, least: number): Counted => {
    const { text: name, at } = reader.word(`the name of ${what}`);
    if (what === "a variable") reader.expect("=");
    return { name, at, count: reader.number("how many", least, LIMITS.count) };
  };
  switch (token.text) {
    case "stacks":
      if (draft.stacks !== null) throw badModel(token.at, "the number of stacks was given before");
      draft.stacks = reader.number("the number of stacks", 0, LIMITS.count);
      return;
    case "policy":
      if (draft.policy !== null) throw badModel(token.at, "the policy was given before");
      draft.policy = readPolicy(reader);
      return;
    case "lock":
      do {
        const { text: name, at } = reader.word("the name of a lock");
        draft.locks.push({ name, at });
      } while (reader.accept(","));
      return;
    case "workers":
      draft.workers.push(counted("a worker pool", 0));
      return;
    case "resource":
      draft.resources.push(counted("a resource", 0));
      return;
    case "var":
      draft.variables.push(counted("a variable", 0));
      return;
    case "task":
      draft.tasks.push(readTask(reader));
      return;
    case "always":
    case "never":
    case "reach":
      draft.properties.push(readProperty(reader, token, token.text));
      return;
    default:
      throw badModel(token.at, `expected ${DECLARATIONS}, found "${token.text}"`);
  }
}

function readPolicy(reader: TokenReader): Policy {
  if (reader.accept("eio")) return "eio";
  if (reader.accept("sleep")) return "sleep";
  throw reader.wrong('"eio" or "sleep"');
}

function readProperty(reader: TokenReader, { at }: Token, kind: Property["kind"]): Property {
  if (kind !== "always" && reader.accept("refused")) return { kind, condition: null, at };
  return { kind, condition: readExpression(reader), at };
}

function readTask(reader: TokenReader): TaskClass {
  const { text: name, at } = reader.word("the name of the task");
  const count = reader.accept("*") ? reader.number("how many tasks", 1, LIMITS.tasks) : 1;
  return { name, count, at, steps: readBlock(reader, 0) };
}

function readBlock(reader: TokenReader, depth: number): Step[] {
  const { at } = reader.expect("{");
  if (depth > LIMITS.nesting) throw badModel(at, "blocks that are nested too deeply");
  const steps: Step[] = [];
  while (!reader.accept("}")) {
    if (!reader.accept(";")) steps.push(readStep(reader, depth));
  }
  return steps;
}

const STEPS =
  "a step (lock, unlock, trylock, take, give, enter, work, section, step, sleep, resize, set, await, assert, if, choose, loop, fail) or }";

function readStep(reader: TokenReader, depth: number): Step {
  const { text: kind, at } = reader.word(STEPS);
  const name = (what: string): string => reader.word(`the name of ${what}`).text;
  const block = (): Step[] => readBlock(reader, depth + 1);
  const otherwise = (): Step[] => (reader.accept("else") ? block() : []);
  switch (kind) {
    case "lock":
    case "unlock":
      return { kind, at, name: name("a lock") };
    case "trylock":
      return { kind, at, name: name("a lock"), body: block(), otherwise: otherwise() };
    case "take":
    case "give":
      return {
        kind,
        at,
        name: name("a resource"),
        amount: reader.token.kind === "number" ? reader.number("how many", 1, LIMITS.count) : 1,
      };
    case "enter": {
      const policy = reader.is("{") ? null : readPolicy(reader);
      return { kind, at, policy, body: block(), otherwise: otherwise() };
    }
    case "work":
      return { kind, at, name: name("a worker pool"), body: block() };
    case "section":
      return { kind, at, name: name("the section"), body: block() };
    case "step":
    case "sleep":
      return { kind, at, text: reader.token.kind === "text" ? reader.take().text : null };
    case "resize": {
      const to = readExpression(reader);
      return { kind, at, to, unchecked: reader.accept("unchecked"), otherwise: otherwise() };
    }
    case "set": {
      const variable = name("a variable");
      reader.expect("=");
      return { kind, at, name: variable, value: readExpression(reader) };
    }
    case "await":
    case "assert":
      return { kind, at, condition: readExpression(reader) };
    case "if":
      return { kind, at, condition: readExpression(reader), body: block(), otherwise: otherwise() };
    case "choose": {
      const branches = [block()];
      while (reader.accept("or")) branches.push(block());
      return { kind, at, branches };
    }
    case "loop": {
      const times = reader.token.kind === "number" ? reader.number("how often", 1, LIMITS.steps) : null;
      return { kind, at, times, body: block() };
    }
    case "fail":
      return { kind, at };
    default:
      throw badModel(at, `expected ${STEPS}, found "${kind}"`);
  }
}
