/** A model to check: tasks, locks, extra stacks and what each task does, step by step. Described in docs/check-models.md. */

/** What happens to a task that needs an extra stack when none is free: it fails with -EIO, or it sleeps until one is. */
export type Policy = "eio" | "sleep";

/** Where something stands in the model's source: "line:column" of a text, or a path like `tasks[0].steps[2]` of a JSON document. */
export type Place = string;

/** An expression over whole numbers; comparisons and logic give 0 or 1. */
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name"; readonly name: string; readonly at: Place }
  | { readonly kind: "not" | "negate"; readonly operand: Expression }
  | { readonly kind: BinaryOperator; readonly left: Expression; readonly right: Expression };

export const BINARY_OPERATORS = ["||", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*"] as const;
export type BinaryOperator = (typeof BINARY_OPERATORS)[number];

/** One step of a task's program, or a block of steps. */
export type Step = { readonly at: Place } & (
  | { readonly kind: "lock" | "unlock"; readonly name: string }
  | {
      readonly kind: "trylock";
      readonly name: string;
      readonly body: readonly Step[];
      readonly otherwise: readonly Step[];
    }
  | { readonly kind: "take" | "give"; readonly name: string; readonly amount: number }
  /** On an extra stack; `otherwise` is what a refused task does instead, nothing where it is left out. */
  | {
      readonly kind: "enter";
      readonly policy: Policy | null;
      readonly body: readonly Step[];
      readonly otherwise: readonly Step[];
    }
  /** Queues work and waits for it: the body runs in a worker, for this task. */
  | { readonly kind: "work"; readonly name: string; readonly body: readonly Step[] }
  | { readonly kind: "section"; readonly name: string; readonly body: readonly Step[] }
  | { readonly kind: "step" | "sleep"; readonly text: string | null }
  | {
      readonly kind: "resize";
      readonly to: Expression;
      readonly unchecked: boolean;
      readonly otherwise: readonly Step[];
    }
  | { readonly kind: "set"; readonly name: string; readonly value: Expression }
  | { readonly kind: "await" | "assert"; readonly condition: Expression }
  | {
      readonly kind: "if";
      readonly condition: Expression;
      readonly body: readonly Step[];
      readonly otherwise: readonly Step[];
    }
  | { readonly kind: "choose"; readonly branches: readonly (readonly Step[])[] }
  /** For ever where `times` is null. */
  | { readonly kind: "loop"; readonly times: number | null; readonly body: readonly Step[] }
  /** Gives up: leaves the blocks around it (their stacks and workers go back) and ends the program. Locks stay held. */
  | { readonly kind: "fail" }
);

/** Identical tasks that run one program. */
export interface TaskClass {
  readonly name: string;
  readonly count: number;
  readonly steps: readonly Step[];
  readonly at: Place;
}

/** Something of which there are so many: workers of a pool, pages, tags. */
export interface Counted {
  readonly name: string;
  readonly count: number;
  readonly at: Place;
}

/** What is asked of every state (`always`), or of at least one (`reach`); or of the event that a task is refused a stack. */
export interface Property {
  readonly kind: "always" | "never" | "reach";
  /** Null: the event `refused`. */
  readonly condition: Expression | null;
  readonly at: Place;
}

export interface Named {
  readonly name: string;
  readonly at: Place;
}

export interface Model {
  readonly stacks: number;
  readonly policy: Policy;
  readonly locks: readonly Named[];
  readonly workers: readonly Counted[];
  readonly resources: readonly Counted[];
  /** Shared variables, 0 to 255, with the values they begin with. */
  readonly variables: readonly Counted[];
  readonly tasks: readonly TaskClass[];
  readonly properties: readonly Property[];
}

/** Bounds of what a model may ask for; beyond them a search would not end in any case. */
export const LIMITS = {
  /** Characters of a model's source. */
  source: 1 << 18,
  /** Tasks, all classes together. */
  tasks: 64,
  /** Extra stacks, workers of one pool, units of one resource, the value of a variable. */
  count: 255,
  /** Locks, worker pools, resources, variables, sections and task classes, together. */
  names: 64,
  /** Steps of one program, loops unrolled. */
  steps: 10_000,
  /** Blocks inside blocks. */
  nesting: 64,
  /** States of one task by itself, all classes together. */
  localStates: 65_535,
} as const;
