/** Ways of using locks and extra stacks together, as models of any size, and how many stacks each needs before sleeping is safe. */
import { type CheckDocument, checkModel, type Policy, parseModel } from "../../packages/core/src/index.ts";

export interface Pattern {
  readonly name: string;
  readonly what: string;
  /** Nesting levels below which the pattern is none. */
  readonly leastDepth: number;
  /** The tasks of a model, as text. */
  readonly tasks: (tasks: number, depth: number) => string;
  /** The fewest stacks with which no set of tasks can wait for each other, as we reckon it; the grid is there to prove it wrong. */
  readonly stacks: (tasks: number, depth: number) => number;
  readonly formula: string;
}

/** Steps on so many extra stacks, one inside the other; `refused`: what follows an -EIO. */
function nested(depth: number, inside: string, refused = ""): string {
  return `${"enter { ".repeat(depth)}${inside} ${`} ${refused} `.repeat(depth)}`;
}

export const PATTERNS: readonly Pattern[] = [
  {
    name: "no lock",
    what: "stacks only",
    leastDepth: 1,
    tasks: (tasks, depth) => `task t * ${tasks} { ${nested(depth, "step")} }`,
    stacks: (tasks, depth) => tasks * (depth - 1) + 1,
    formula: "T(D-1) + 1",
  },
  {
    name: "lock inside",
    what: "all stacks, then the lock: whoever holds it needs no stack any more",
    leastDepth: 1,
    tasks: (tasks, depth) => `lock l task t * ${tasks} { ${nested(depth, "lock l step unlock l")} }`,
    stacks: (tasks, depth) => tasks * (depth - 1) + 1,
    formula: "T(D-1) + 1",
  },
  {
    name: "lock outside",
    what: "the lock, then all stacks: one task at a time",
    leastDepth: 1,
    tasks: (tasks, depth) => `lock l task t * ${tasks} { lock l ${nested(depth, "step")} unlock l }`,
    stacks: (_tasks, depth) => depth,
    formula: "D",
  },
  {
    name: "one of two locks outside",
    what: "either of two locks, then all stacks: two tasks at a time",
    leastDepth: 1,
    tasks: (tasks, depth) => {
      const way = (lock: string) => `{ lock ${lock} ${nested(depth, "step")} unlock ${lock} }`;
      return `lock l, k task t * ${tasks} { choose ${way("l")} or ${way("k")} }`;
    },
    stacks: (tasks, depth) => Math.min(tasks, 2) * (depth - 1) + 1,
    formula: "min(T, 2) (D-1) + 1",
  },
  {
    name: "lock between",
    what: "one stack, the lock, then the other stacks",
    leastDepth: 2,
    tasks: (tasks, depth) => `lock l task t * ${tasks} { enter { lock l ${nested(depth - 1, "step")} unlock l } }`,
    stacks: (tasks, depth) => tasks - 1 + depth,
    formula: "T - 1 + D",
  },
  {
    name: "one of two locks between",
    what: "one stack, either of two locks, then the other stacks",
    leastDepth: 2,
    tasks: (tasks, depth) => {
      const way = (lock: string) => `{ lock ${lock} ${nested(depth - 1, "step")} unlock ${lock} }`;
      return `lock l, k task t * ${tasks} { enter { choose ${way("l")} or ${way("k")} } }`;
    },
    stacks: (tasks, depth) => {
      const inside = Math.min(tasks, 2);
      return tasks - inside + inside * (depth - 1) + 1;
    },
    formula: "T - m + m(D-1) + 1, m = min(T, 2)",
  },
  {
    name: "both orders",
    what: "one task takes the lock before its stacks, the others after (rfc-sleep)",
    leastDepth: 1,
    tasks: (tasks, depth) =>
      `lock l task f { lock l ${nested(depth, "step")} unlock l }
       ${tasks > 1 ? `task t * ${tasks - 1} { ${nested(depth, "lock l step unlock l")} }` : ""}`,
    stacks: (tasks, depth) => tasks * depth,
    formula: "T D",
  },
  {
    name: "lock kept",
    what: "the lock is taken on the stacks and kept when they go back, and stacks are needed again (xfs-2012)",
    leastDepth: 1,
    tasks: (tasks, depth) =>
      `lock l task t * ${tasks} { ${nested(depth, "lock l step", "else { fail }")} ${nested(depth, "step")} unlock l }`,
    stacks: (tasks, depth) => tasks * depth,
    formula: "T D",
  },
];

/** Checks one pattern at one size. */
export function checkPattern(
  pattern: Pattern,
  tasks: number,
  depth: number,
  stacks: number,
  policy: Policy,
): CheckDocument {
  return checkModel(parseModel(`stacks ${stacks} policy ${policy} ${pattern.tasks(tasks, depth)}`));
}

/** The fewest stacks from which on, up to `most`, everything holds; null where not even `most` are enough. */
export function fewestStacks(verdicts: readonly CheckDocument["verdict"][]): number | null {
  const bad = verdicts.findLastIndex((verdict) => verdict !== "holds");
  return bad === verdicts.length - 1 ? null : bad + 2;
}

/** Verdicts with 1, 2, … stacks, up to one more than could ever be in use. */
export function verdictsByStacks(
  pattern: Pattern,
  tasks: number,
  depth: number,
  policy: Policy,
): CheckDocument["verdict"][] {
  return Array.from(
    { length: tasks * depth + 1 },
    (_, index) => checkPattern(pattern, tasks, depth, index + 1, policy).verdict,
  );
}
