/** The way to a state, step by step. */
import type { Automaton } from "./automaton.ts";
import type { Explorer } from "./explorer.ts";
import { printExpression } from "./expressions.ts";
import type { Instruction } from "./instructions.ts";
import { isEnabled, type Slots, unitName, valuesOf } from "./state-view.ts";

/** One step: which task took which transition, and the state after it. */
export interface Move {
  readonly task: number;
  readonly transition: number;
  readonly slots: Slots;
}

/**
 * The shortest way from the first state to state `target`, and one transition further where one is given. Under symmetry, states
 * were kept with identical tasks in sorted order; here each task keeps its name from step to step.
 */
export function traceTo(
  explorer: Explorer,
  target: number,
  last: readonly [task: number, transition: number] | null,
): Move[] {
  const { automaton, store } = explorer;
  const chain: number[] = [];
  for (let state = target; state !== 0; state = store.parents[state]!) chain.push(state);
  explorer.load(0);
  let slots: Slots = explorer.slots.slice();
  const moves: Move[] = [];
  for (const state of chain.reverse()) {
    explorer.load(state);
    const wanted = canonical(explorer, explorer.slots);
    const move = movesFrom(automaton, slots).find((one) => canonical(explorer, one.slots) === wanted)!;
    moves.push(move);
    slots = move.slots;
  }
  if (last === null) return moves;
  // The task of the kept state; here, any that stands where it stands.
  explorer.load(target);
  const [task, transition] = last;
  const stands = explorer.slots[task]!;
  const candidates = movesFrom(automaton, slots, true).filter((one) => one.transition === transition);
  moves.push(candidates.find((one) => slots[one.task] === stands)!);
  return moves;
}

/** A state's slots as a text that is equal for states that are kept as one. */
function canonical({ automaton, symmetry }: Explorer, slots: Slots): string {
  if (!symmetry) return slots.join(" ");
  const { tasks, programs } = automaton;
  const sorted = programs.map((_program, ofClass) =>
    [...slots.subarray(tasks.indexOf(ofClass), tasks.lastIndexOf(ofClass) + 1)].sort((a, b) => a - b).join(" "),
  );
  return [...sorted, ...slots.subarray(tasks.length)].join(" ");
}

/** Everything that can happen in a state. */
function movesFrom(automaton: Automaton, slots: Slots, faulty = false): Move[] {
  const { tasks, programs, firstTransition, transitions, expressions, globals } = automaton;
  const values = valuesOf(automaton, slots);
  const moves: Move[] = [];
  for (const [task, ofClass] of tasks.entries()) {
    const state = programs[ofClass]!.firstState + slots[task]!;
    for (let at = firstTransition[state]!; at < firstTransition[state + 1]!; at++) {
      if (!isEnabled(automaton, at, values)) continue;
      const after = slots.slice();
      after[task] = transitions.next[at]!;
      if (transitions.effect[at] !== 0) {
        const value = expressions[transitions.effectValue[at]!]!(values);
        if (!faulty && (value < 0 || value > 255)) continue;
        after[tasks.length + globals.indexOf(transitions.effectColumn[at]!)] = value;
      }
      moves.push({ task, transition: at, slots: after });
    }
  }
  return moves;
}

/** What a transition does, in words that follow a task's name. */
export function describe(automaton: Automaton, transition: number, before: Slots): string {
  const { transitions, programs, firstTransition } = automaton;
  const program = programs[transitions.ofClass[transition]!]!;
  const index = transitions.instruction[transition]!;
  const instruction = program.instructions[index]!;
  // The transitions of one local state stand together, the one of a plain success first.
  const first = firstTransition.findLast((one) => one <= transition) ?? 0;
  return words(automaton, instruction, transition - first, transition, valuesOf(automaton, before));
}

function words(
  automaton: Automaton,
  instruction: Instruction,
  which: number,
  transition: number,
  values: Int32Array,
): string {
  const isFirst = which === 0;
  switch (instruction.kind) {
    case "acquire": {
      const unit = unitName(automaton, instruction.column, instruction.amount);
      const { kind } = automaton.columns.columns[instruction.column]!;
      if (kind === "lock") return isFirst ? `takes ${unit}` : `finds ${unit} taken`;
      if (isFirst) return `gets ${unit}`;
      return `is refused ${unit}: -EIO`;
    }
    case "release": {
      const unit = unitName(automaton, instruction.column, instruction.amount);
      const { kind } = automaton.columns.columns[instruction.column]!;
      if (automaton.transitions.fault[transition] === 2) return `releases ${unit}, which it does not hold`;
      return kind === "lock" ? `releases ${unit}` : `gives back ${unit}`;
    }
    case "resize": {
      const from = values[automaton.columns.total]!;
      const to = automaton.expressions[automaton.transitions.a[transition]!]!(values);
      return isFirst ? `changes the number of stacks from ${from} to ${to}` : `may not change it from ${from} to ${to}`;
    }
    case "set": {
      const { name } = automaton.columns.columns[instruction.column]!;
      return `sets ${name} to ${automaton.expressions[automaton.transitions.effectValue[transition]!]!(values)}`;
    }
    case "await":
      return `sees that ${printExpression(instruction.condition)}`;
    case "assert":
      return `${isFirst ? "asserts" : "finds wrong"} that ${printExpression(instruction.condition)}`;
    case "if":
      return `finds ${isFirst ? "true" : "false"}: ${printExpression(instruction.condition)}`;
    case "choose":
      return `chooses way ${which + 1} of ${instruction.branches.length}`;
    case "fail":
      return "gives up";
    case "step":
      return instruction.text ?? (instruction.sleeps ? "sleeps" : "goes on");
    default:
      return "ends";
  }
}
