/** What is counted in a state, and under which names expressions know it. */
import { namesIn, parseExpression } from "./expressions.ts";
import { type Expression, LIMITS, type Model, type Place, type Step } from "./model.ts";
import { badModel, tooLarge } from "./model-error.ts";

/**
 * Columns of counts. Those of tasks come first: each is the sum of what the tasks hold, so it follows from their states alone.
 * Then those that are states of their own: the number of stacks and the variables.
 */
export type Column = {
  readonly name: string;
} & (
  | { readonly kind: "stacks" }
  | { readonly kind: "lock" }
  | { readonly kind: "workers" | "resource"; readonly capacity: number }
  /** Counts tasks in a section, tasks that ended, tasks that stand before `enter` and would sleep. */
  | { readonly kind: "section" | "done" | "wanting" }
  | { readonly kind: "total" | "variable"; readonly initial: number }
);

/** The column of the extra stacks in use. */
export const IN_USE = 0;

export interface Columns {
  readonly columns: readonly Column[];
  /** So many columns, from the first on, are sums over the tasks. */
  readonly taskColumns: number;
  /** The column of the number of stacks. */
  readonly total: number;
  /** The column of tasks that stand before an `enter` that would sleep. */
  readonly wanting: number;
  find(name: string, kinds: readonly Column["kind"][], at: Place): number;
  /** Replaces names that stand for an expression, and complains of unknown ones. */
  resolve(expression: Expression): Expression;
  /** The column of a name in an expression that was resolved. */
  columnOf(name: string, at: Place): number;
}

/** Names of expressions that are computed from others. */
const DERIVED: ReadonlyMap<string, Expression> = new Map([
  ["free", parseExpression("total - in_use", "")],
  ["waiting", parseExpression("wanting * (in_use >= total)", "")],
]);

const RESERVED = new Set([
  "in_use",
  "total",
  "wanting",
  "refused",
  "done",
  "unchecked",
  "or",
  "else",
  ...DERIVED.keys(),
]);

const WORDS: Readonly<Record<Column["kind"], string>> = {
  stacks: "extra stacks",
  lock: "lock",
  workers: "worker pool",
  resource: "resource",
  section: "section",
  done: "task",
  wanting: "count",
  total: "count",
  variable: "variable",
};

/**
 * Names everything that is counted in a model.
 * @throws SpillwayError SPW_CHECK_BAD_MODEL for names that clash, SPW_CHECK_TOO_LARGE
 */
export function columnsOf(model: Model): Columns {
  const columns: Column[] = [{ kind: "stacks", name: "in_use" }];
  const byName = new Map<string, number>([["in_use", IN_USE]]);
  const declare = (column: Column, at: Place): void => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(column.name)) throw badModel(at, `"${column.name}" is no name`);
    if (RESERVED.has(column.name)) throw badModel(at, `"${column.name}" has a meaning of its own and cannot be a name`);
    if (byName.has(column.name)) throw badModel(at, `"${column.name}" is declared twice`);
    if (byName.size > LIMITS.names) throw tooLarge(at, `more than ${LIMITS.names} names`);
    byName.set(column.name, columns.length);
    columns.push(column);
  };
  for (const { name, at } of model.locks) declare({ kind: "lock", name }, at);
  for (const { name, count, at } of model.workers) declare({ kind: "workers", name, capacity: count }, at);
  for (const { name, count, at } of model.resources) declare({ kind: "resource", name, capacity: count }, at);
  for (const { name, at } of sectionsOf(model)) {
    const known = byName.get(name);
    if (known === undefined || columns[known]!.kind !== "section") declare({ kind: "section", name }, at);
  }
  for (const { name, at } of model.tasks) declare({ kind: "done", name }, at);
  const wanting = columns.length;
  columns.push({ kind: "wanting", name: "wanting" });
  const taskColumns = columns.length;
  const total = columns.length;
  columns.push({ kind: "total", name: "total", initial: model.stacks });
  for (const { name, count, at } of model.variables) declare({ kind: "variable", name, initial: count }, at);
  byName.set("wanting", wanting);
  byName.set("total", total);

  const columnOf = (name: string, at: Place): number => {
    const ofTask = name.endsWith(".done");
    const column = byName.get(ofTask ? name.slice(0, -".done".length) : name);
    if (column === undefined || ofTask !== (columns[column]!.kind === "done")) {
      const hint = column !== undefined && !ofTask ? `: tasks are counted by "${name}.done"` : "";
      throw badModel(at, `nothing is known of "${name}"${hint}`);
    }
    return column;
  };
  const resolve = (expression: Expression): Expression => {
    if (expression.kind === "name") {
      const derived = DERIVED.get(expression.name);
      if (derived !== undefined) return derived;
      columnOf(expression.name, expression.at);
      return expression;
    }
    if (expression.kind === "number") return expression;
    if ("operand" in expression) return { ...expression, operand: resolve(expression.operand) };
    return { ...expression, left: resolve(expression.left), right: resolve(expression.right) };
  };
  return {
    columns,
    taskColumns,
    total,
    wanting,
    resolve,
    columnOf,
    find(name, kinds, at) {
      const column = byName.get(name);
      if (column === undefined || !kinds.includes(columns[column]!.kind)) {
        throw badModel(at, `there is no ${kinds.map((kind) => WORDS[kind]).join(" or ")} "${name}"`);
      }
      return column;
    },
  };
}

/** Does this expression read what is a state of its own and not a sum over the tasks? */
export function usesName(expression: Expression, name: string): boolean {
  return namesIn(expression).some((one) => one.name === name);
}

/** The sections that programs name. */
function sectionsOf(model: Model): { name: string; at: Place }[] {
  const found: { name: string; at: Place }[] = [];
  const visit = (steps: readonly Step[]): void => {
    for (const step of steps) {
      if (step.kind === "section") found.push(step);
      for (const block of blocksOf(step)) visit(block);
    }
  };
  for (const task of model.tasks) visit(task.steps);
  return found;
}

/** The blocks of steps inside a step. */
export function blocksOf(step: Step): readonly (readonly Step[])[] {
  if (step.kind === "choose") return step.branches;
  const blocks: (readonly Step[])[] = [];
  if ("body" in step) blocks.push(step.body);
  if ("otherwise" in step) blocks.push(step.otherwise);
  return blocks;
}
