/** What `spillway check --json` prints. Described in docs/check-models.md. */
import type { Policy } from "./model.ts";

/** `incomplete`: a bound on states or memory was reached before anything wrong was found, so nothing is proven. */
export type CheckVerdict = "holds" | "deadlock" | "violated" | "incomplete";

/** One task in a state. */
export interface TaskState {
  readonly task: string;
  /** What it holds: "an extra stack", "lock agf". */
  readonly holds: readonly string[];
  /** What it waits for; null where it can go on or has ended. */
  readonly waitsFor: string | null;
  readonly ended: boolean;
}

export interface CheckState {
  readonly inUse: number;
  readonly total: number;
  readonly variables: Readonly<Record<string, number>>;
  readonly tasks: readonly TaskState[];
}

export interface TraceStep {
  /** From 1. */
  readonly step: number;
  /** The task that acts. */
  readonly task: string;
  /** What it does, in words that follow its name. */
  readonly action: string;
  /** Where the step stands in the model: "line:column", or a path in a JSON document. */
  readonly at: string;
  /** The state after the step. */
  readonly state: CheckState;
}

export interface CheckedProperty {
  /** As the model states it, or what is asked of every model. */
  readonly text: string;
  /** Null: not known, because the search ended before. */
  readonly holds: boolean | null;
}

/** What the verdict is about, and nothing beyond. */
export interface CheckBounds {
  readonly tasks: Readonly<Record<string, number>>;
  readonly stacks: number;
  readonly policy: Policy;
  readonly locks: number;
  readonly workers: Readonly<Record<string, number>>;
  readonly resources: Readonly<Record<string, number>>;
}

export interface CheckDocument {
  readonly schema: "spillway/check@1";
  readonly verdict: CheckVerdict;
  /** Why, in a sentence; null where everything holds. */
  readonly reason: string | null;
  /** A deadlock in words, a sentence for each task in the cycle of waiting. */
  readonly cycle: readonly string[];
  /** States generated: the first, and one for each transition taken. */
  readonly states: number;
  readonly distinct: number;
  /** Steps to the farthest state, by shortest ways. */
  readonly depth: number;
  /** Shortest way to the failure; empty where there is none. */
  readonly trace: readonly TraceStep[];
  readonly properties: readonly CheckedProperty[];
  /** Places in the model that no task ever comes to: what is proven says nothing of them. */
  readonly neverReached: readonly string[];
  readonly bounds: CheckBounds;
  readonly symmetry: boolean;
  /** Memory that the states took at the end, bytes. */
  readonly memoryBytes: number;
}
