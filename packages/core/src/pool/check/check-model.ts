/** Checks a model: searches all its states, and says what was found. */
import { type Automaton, compileModel, GUARD } from "./automaton.ts";
import { explainDeadlock } from "./blocked.ts";
import type {
  CheckBounds,
  CheckDocument,
  CheckedProperty,
  CheckState,
  CheckVerdict,
  TraceStep,
} from "./check-document.ts";
import type { Bounds, Explorer, Violation } from "./explorer.ts";
import { printExpression } from "./expressions.ts";
import type { Model, Property } from "./model.ts";
import { type SearchEnd, search } from "./search.ts";
import { hasEnded, holdingsOf, type Slots, taskName, unitName, valuesOf, waitOf } from "./state-view.ts";
import { describe, type Move, traceTo } from "./trace.ts";

export const DEFAULT_BOUNDS: Bounds = { states: 10_000_000, bytes: 2 ** 30 };

export interface CheckOptions {
  /** Take identical tasks for one another; on by default. */
  readonly symmetry?: boolean;
  readonly bounds?: Partial<Bounds>;
  /** See all states even where something is wrong; the failure that is reported is the nearest all the same. */
  readonly keepGoing?: boolean;
  /** Told from time to time how many states are done and known. */
  readonly progress?: (done: number, known: number) => void;
}

/**
 * Checks a model against what is asked of every model, and against its own properties.
 * @throws SpillwayError SPW_CHECK_BAD_MODEL, SPW_CHECK_TOO_LARGE
 */
export function checkModel(model: Model, options: CheckOptions = {}): CheckDocument {
  const automaton = compileModel(model);
  const symmetry = options.symmetry ?? true;
  const { explorer, end, depth } = search(automaton, {
    symmetry,
    bounds: { ...DEFAULT_BOUNDS, ...options.bounds },
    keepGoing: options.keepGoing ?? false,
    ...(options.progress === undefined ? {} : { progress: options.progress }),
  });
  const { generated: states, store } = explorer;
  const counts = { states, distinct: store.count, depth };
  const memoryBytes = store.bytes;
  const moves = movesTo(explorer, end);
  const last = moves.at(-1)?.slots ?? firstSlots(explorer);
  const isComplete = end.kind === "exhausted";
  const unmet = automaton.properties.filter(
    ({ property }, index) => property.kind === "reach" && explorer.met[index] === 0,
  );
  return {
    schema: "spillway/check@1",
    verdict: isComplete && unmet.length > 0 ? "violated" : VERDICTS[end.kind],
    reason: isComplete && unmet.length > 0 ? unmetReason(unmet[0]!.property) : reasonOf(automaton, end, moves, options),
    cycle: end.kind === "deadlock" ? explainDeadlock(automaton, last) : [],
    ...counts,
    trace: traceSteps(automaton, moves, firstSlots(explorer)),
    properties: judged(explorer, end),
    neverReached: isComplete ? neverReached(explorer) : [],
    bounds: boundsOf(model),
    symmetry,
    memoryBytes,
  };
}

const VERDICTS: Readonly<Record<SearchEnd["kind"], CheckVerdict>> = {
  exhausted: "holds",
  bound: "incomplete",
  deadlock: "deadlock",
  "never-free": "violated",
  violation: "violated",
};

function firstSlots(explorer: Explorer): Slots {
  explorer.load(0);
  return explorer.slots.slice();
}

function movesTo(explorer: Explorer, end: SearchEnd): Move[] {
  if (end.kind === "deadlock" || end.kind === "never-free") return traceTo(explorer, end.state, null);
  if (end.kind !== "violation") return [];
  const { source, task, transition } = end.violation;
  return traceTo(explorer, source, transition < 0 ? null : [task, transition]);
}

/** The property as the model states it. */
export function printProperty({ kind, condition }: Property): string {
  return `${kind} ${condition === null ? "refused" : printExpression(condition)}`;
}

function unmetReason(property: Property): string {
  return `no state is like that: ${printProperty(property)}. What holds in this model may hold because nothing happens in it.`;
}

function reasonOf(automaton: Automaton, end: SearchEnd, moves: readonly Move[], options: CheckOptions): string | null {
  switch (end.kind) {
    case "exhausted":
      return null;
    case "bound": {
      const { states, bytes } = { ...DEFAULT_BOUNDS, ...options.bounds };
      return `the search reached its bound of ${states} states or ${Math.round(bytes / 2 ** 20)} MiB: nothing wrong so far, and nothing proven`;
    }
    case "deadlock":
      return end.partial ? "some tasks can never go on, while others do" : "no task can go on";
    case "never-free":
      return "from here on there is no way back to a state in which nothing is held";
    case "violation":
      return violationReason(automaton, end.violation, moves);
  }
}

function violationReason(automaton: Automaton, violation: Violation, moves: readonly Move[]): string {
  const last = moves.at(-1);
  const who = last === undefined ? "" : taskName(automaton, last.task);
  switch (violation.kind) {
    case "assertion":
      return `${who}: an assertion fails`;
    case "not-held":
      return `${who} releases what it does not hold`;
    case "ends-holding": {
      const held = holdingsOf(automaton, last!.slots, last!.task).map((one) =>
        unitName(automaton, one.column, one.amount),
      );
      const refused = moves.some(
        (one) => one.task === last!.task && automaton.transitions.refuses[one.transition] === 1,
      );
      return `${who} ${refused ? "was refused a stack and " : ""}ends holding ${held.join(", ")}`;
    }
    case "over-total":
      return "more stacks are in use than there are";
    case "out-of-range":
      return `${who} sets a variable to a value that is not between 0 and 255`;
    case "always": {
      const { property } = automaton.properties[violation.property]!;
      return `it is not so: ${printProperty(property)}`;
    }
  }
}

function traceSteps(automaton: Automaton, moves: readonly Move[], first: Slots): TraceStep[] {
  return moves.map((move, index) => {
    const before = moves[index - 1]?.slots ?? first;
    const program = automaton.programs[automaton.transitions.ofClass[move.transition]!]!;
    return {
      step: index + 1,
      task: taskName(automaton, move.task),
      action: describe(automaton, move.transition, before),
      at: program.instructions[automaton.transitions.instruction[move.transition]!]!.at,
      state: stateOf(automaton, move.slots),
    };
  });
}

function stateOf(automaton: Automaton, slots: Slots): CheckState {
  const values = valuesOf(automaton, slots);
  const { columns, total } = automaton.columns;
  return {
    inUse: values[0]!,
    total: values[total]!,
    variables: Object.fromEntries(
      columns.flatMap(({ kind, name }, column) => (kind === "variable" ? [[name, values[column]!]] : [])),
    ),
    tasks: automaton.tasks.map((_class, task) => {
      const waits = waitOf(automaton, slots, values, task);
      const unit = waits !== null && waits.instruction.kind === "acquire" ? waits.instruction : null;
      const condition = waits !== null && "condition" in waits.instruction ? waits.instruction.condition : null;
      return {
        task: taskName(automaton, task),
        holds: holdingsOf(automaton, slots, task).map(({ column, amount }) => unitName(automaton, column, amount)),
        waitsFor:
          unit !== null
            ? unitName(automaton, unit.column, unit.amount)
            : condition !== null
              ? printExpression(condition)
              : null,
        ended: hasEnded(automaton, slots, task),
      };
    }),
  };
}

/** What is asked of every model, then the model's own properties. */
function judged({ automaton, met }: Explorer, end: SearchEnd): CheckedProperty[] {
  const isComplete = end.kind === "exhausted";
  const broken = end.kind === "violation" ? end.violation : null;
  const asked = (text: string, isBroken: boolean): CheckedProperty => ({
    text,
    holds: isBroken ? false : isComplete ? true : null,
  });
  return [
    asked("no deadlock", end.kind === "deadlock"),
    asked(
      "a task that ends, refused or not, holds nothing; none releases what it does not hold",
      broken?.kind === "ends-holding" || broken?.kind === "not-held",
    ),
    asked("never more stacks in use than there are", broken?.kind === "over-total"),
    asked(
      "always a way back to nothing held and no stack in use",
      end.kind === "never-free" || end.kind === "deadlock",
    ),
    ...(automaton.transitions.fault.includes(1) ? [asked("assertions", broken?.kind === "assertion")] : []),
    ...automaton.properties.map(({ property }, index): CheckedProperty => {
      const text = printProperty(property);
      if (property.kind !== "reach") return asked(text, broken?.property === index);
      return { text, holds: met[index] === 1 ? true : isComplete ? false : null };
    }),
  ];
}

/** Places whose transitions were never taken. An assertion that never failed is none of them. */
function neverReached({ automaton, taken }: Explorer): string[] {
  const { transitions, programs } = automaton;
  const reached = new Set<string>();
  const places = new Set<string>();
  for (const [at, wasTaken] of taken.entries()) {
    const program = programs[transitions.ofClass[at]!]!;
    const instruction = program.instructions[transitions.instruction[at]!]!;
    if (instruction.kind === "assert" && transitions.guard[at] === GUARD.fails) continue;
    places.add(instruction.at);
    if (wasTaken === 1) reached.add(instruction.at);
  }
  return [...places].filter((place) => !reached.has(place));
}

function boundsOf({ tasks, stacks, policy, locks, workers, resources }: Model): CheckBounds {
  const counts = (list: readonly { readonly name: string; readonly count: number }[]): Record<string, number> =>
    Object.fromEntries(list.map(({ name, count }) => [name, count]));
  return {
    tasks: counts(tasks),
    stacks,
    policy,
    locks: locks.length,
    workers: counts(workers),
    resources: counts(resources),
  };
}
