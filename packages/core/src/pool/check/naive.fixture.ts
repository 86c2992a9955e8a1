/**
 * The search again, the plain way: states are objects and texts, programs are walked as they are written, nothing is compiled,
 * packed or reduced. Only for holding the real one against; it shares no code with it but the model's types.
 */
import type { Expression, Model, Step } from "./model.ts";

interface NaiveTask {
  /** What is left to do, outermost first; `leave` ends a block. */
  readonly todo: readonly Todo[];
  readonly held: Readonly<Record<string, number>>;
  readonly ended: boolean;
}

type Todo = Step | { readonly kind: "leave"; readonly unit: string; readonly at: string };

interface NaiveState {
  readonly tasks: readonly NaiveTask[];
  readonly total: number;
  readonly variables: Readonly<Record<string, number>>;
}

export interface NaiveResult {
  readonly states: number;
  readonly distinct: number;
  readonly verdict: "holds" | "deadlock" | "violated";
  /** Steps to the failure; 0 where there is none. */
  readonly length: number;
}

const STACK = "in_use";

/** All states, breadth first; for models without sections and goals. Stops after the level of the first failure, as the real one does. */
export function naiveCheck(model: Model, keepGoing = false): NaiveResult {
  const first: NaiveState = {
    tasks: model.tasks.flatMap(({ count, steps }) =>
      Array.from({ length: count }, () => settle({ todo: steps, held: {}, ended: false })),
    ),
    total: model.stacks,
    variables: Object.fromEntries(model.variables.map(({ name, count }) => [name, count])),
  };
  const seen = new Map<string, NaiveState>([[JSON.stringify(first), first]]);
  const next = new Map<string, string[]>();
  let level = [first];
  let states = 1;
  let failure: Pick<NaiveResult, "verdict" | "length"> | null = null;
  for (let depth = 0; level.length > 0; depth++) {
    const following: NaiveState[] = [];
    let deadlock = false;
    let violation = false;
    for (const state of level) {
      const moves = movesOf(model, state);
      states += moves.length;
      if (moves.length === 0 && state.tasks.some(({ ended }) => !ended)) deadlock = true;
      const keys: string[] = [];
      for (const { after, wrong } of moves) {
        if (wrong) violation = true;
        if (after === null) continue;
        const key = JSON.stringify(after);
        keys.push(key);
        if (seen.has(key)) continue;
        seen.set(key, after);
        following.push(after);
      }
      next.set(JSON.stringify(state), keys);
    }
    if (deadlock) failure ??= { verdict: "deadlock", length: depth };
    else if (violation) failure ??= { verdict: "violated", length: depth + 1 };
    if (failure !== null && !keepGoing) break;
    level = following;
  }
  const counts = { states, distinct: seen.size };
  if (failure !== null) return { ...counts, ...failure };
  return { ...counts, verdict: alwaysFree(seen, next) ? "holds" : "deadlock", length: 0 };
}

/** Can every state reach one in which nothing is held? */
function alwaysFree(seen: ReadonlyMap<string, NaiveState>, next: ReadonlyMap<string, readonly string[]>): boolean {
  const before = new Map<string, string[]>();
  for (const [from, to] of next) for (const key of to) before.set(key, [...(before.get(key) ?? []), from]);
  const work = [...seen].filter(([, { tasks }]) => tasks.every(({ held }) => isEmpty(held))).map(([key]) => key);
  const free = new Set(work);
  for (let key = work.pop(); key !== undefined; key = work.pop()) {
    for (const from of before.get(key) ?? []) {
      if (free.has(from)) continue;
      free.add(from);
      work.push(from);
    }
  }
  return free.size === seen.size;
}

function isEmpty(held: Readonly<Record<string, number>>): boolean {
  return Object.keys(held).length === 0;
}

/** Goes into loops that run for ever, which takes no step of its own. */
function settle(task: NaiveTask): NaiveTask {
  const [head, ...rest] = task.todo;
  if (head === undefined) return { ...task, ended: true };
  if (head.kind !== "loop") return task;
  if (head.times === null) return settle({ ...task, todo: [...head.body, head] });
  const again = head.times === 1 ? [] : [{ ...head, times: head.times - 1 }];
  return settle({ ...task, todo: [...head.body, ...again, ...rest] });
}

interface NaiveMove {
  /** Null where the step cannot be completed. */
  readonly after: NaiveState | null;
  readonly wrong: boolean;
}

function movesOf(model: Model, state: NaiveState): NaiveMove[] {
  return state.tasks.flatMap((task, index) => {
    const [head, ...rest] = task.todo;
    if (head === undefined) return [];
    const used = (unit: string): number => state.tasks.reduce((sum, one) => sum + (one.held[unit] ?? 0), 0);
    const capacity = (unit: string): number =>
      unit === STACK
        ? state.total
        : ([...model.workers, ...model.resources].find(({ name }) => name === unit)?.count ?? 1);
    const value = (expression: Expression): number => evaluate(expression, state, used);
    const to = (
      todo: readonly Todo[],
      unit: string | null = null,
      change = 0,
      more: Partial<NaiveState> = {},
    ): NaiveMove => {
      const held = { ...task.held };
      if (unit !== null) {
        held[unit] = (held[unit] ?? 0) + change;
        if (held[unit] === 0) delete held[unit];
      }
      const sorted = Object.fromEntries(Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1)));
      const now = settle({ todo, held: sorted, ended: false });
      const tasks = state.tasks.with(index, now);
      return { after: { ...state, ...more, tasks }, wrong: now.ended && !isEmpty(now.held) };
    };
    const get = (unit: string, amount: number, then: readonly Todo[], full: readonly Todo[] | null): NaiveMove[] => {
      if (used(unit) + amount <= capacity(unit)) return [to(then, unit, amount)];
      return full === null ? [] : [to(full)];
    };
    const put = (unit: string, amount: number): NaiveMove[] =>
      (task.held[unit] ?? 0) < amount ? [{ after: null, wrong: true }] : [to(rest, unit, -amount)];
    switch (head.kind) {
      case "lock":
        return get(head.name, 1, rest, null);
      case "unlock":
        return put(head.name, 1);
      case "trylock":
        return get(head.name, 1, [...head.body, ...rest], [...head.otherwise, ...rest]);
      case "take":
        return get(head.name, head.amount, rest, null);
      case "give":
        return put(head.name, head.amount);
      case "enter": {
        const inside: Todo[] = [...head.body, { kind: "leave", unit: STACK, at: head.at }, ...rest];
        const eio = (head.policy ?? model.policy) === "eio";
        return get(STACK, 1, inside, eio ? [...head.otherwise, ...rest] : null);
      }
      case "work":
        return get(head.name, 1, [...head.body, { kind: "leave", unit: head.name, at: head.at }, ...rest], null);
      case "leave":
        return put(head.unit, 1);
      case "step":
      case "sleep":
        return [to(rest)];
      case "choose":
        return head.branches.map((branch) => to([...branch, ...rest]));
      case "fail":
        return [
          to(rest.flatMap((one) => (one.kind === "leave" ? [{ ...one, at: `${one.at} after ${head.at}` }] : []))),
        ];
      case "set":
        return [to(rest, null, 0, { variables: { ...state.variables, [head.name]: value(head.value) } })];
      case "await":
        return value(head.condition) === 0 ? [] : [to(rest)];
      case "assert":
        return value(head.condition) === 0 ? [{ after: null, wrong: true }] : [to(rest)];
      case "if":
        return [to([...(value(head.condition) === 0 ? head.otherwise : head.body), ...rest])];
      case "resize": {
        const total = value(head.to);
        const taken = total >= 0 && total <= 255 && (head.unchecked || used(STACK) <= total);
        if (!taken) return [to([...head.otherwise, ...rest])];
        const move = to(rest, null, 0, { total });
        return [{ ...move, wrong: move.wrong || used(STACK) > total }];
      }
      default:
        throw new Error(`the naive search knows no ${head.kind}`);
    }
  });
}

function evaluate(expression: Expression, state: NaiveState, used: (unit: string) => number): number {
  const of = (one: Expression): number => evaluate(one, state, used);
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "name":
      if (expression.name === "total") return state.total;
      if (expression.name === "free") return state.total - used(STACK);
      return state.variables[expression.name] ?? used(expression.name);
    case "not":
      return of(expression.operand) === 0 ? 1 : 0;
    case "negate":
      return -of(expression.operand);
    case "&&":
      return of(expression.left) !== 0 && of(expression.right) !== 0 ? 1 : 0;
    case "||":
      return of(expression.left) !== 0 || of(expression.right) !== 0 ? 1 : 0;
    case "+":
      return of(expression.left) + of(expression.right);
    case "-":
      return of(expression.left) - of(expression.right);
    case "*":
      return of(expression.left) * of(expression.right);
    case "==":
      return Number(of(expression.left) === of(expression.right));
    case "!=":
      return Number(of(expression.left) !== of(expression.right));
    case "<":
      return Number(of(expression.left) < of(expression.right));
    case ">":
      return Number(of(expression.left) > of(expression.right));
    case "<=":
      return Number(of(expression.left) <= of(expression.right));
    case ">=":
      return Number(of(expression.left) >= of(expression.right));
  }
}
