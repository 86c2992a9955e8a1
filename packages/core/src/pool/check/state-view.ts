/** One state, in the words of the model: who stands where, holds what and waits for what. */
import { type Automaton, capacityOf, GUARD } from "./automaton.ts";
import { type Column, IN_USE } from "./columns.ts";
import type { Instruction } from "./instructions.ts";

/** A task holds `amount` units of something. */
export interface Holding {
  readonly column: number;
  readonly amount: number;
}

/** What a blocked task waits for: units of a column, or a condition (`column` null). */
export interface Waiting {
  readonly column: number | null;
  readonly instruction: Instruction;
}

/** A state's slots: the local state of each task, then the columns that are states of their own. */
export type Slots = Int32Array;

export function classOf({ programs, tasks }: Automaton, task: number): Automaton["programs"][number] {
  return programs[tasks[task]!]!;
}

/** "writer 2", or just "flusher" where there is only one. */
export function taskName(automaton: Automaton, task: number): string {
  const { name, count } = classOf(automaton, task).task;
  return count === 1 ? name : `${name} ${task - automaton.tasks.indexOf(automaton.tasks[task]!) + 1}`;
}

/** The counts of a state. */
export function valuesOf(automaton: Automaton, slots: Slots): Int32Array {
  const { firstUse, useColumn, useAmount, tasks, globals, columns, model } = automaton;
  const values = new Int32Array(columns.columns.length);
  for (const task of tasks.keys()) {
    const state = classOf(automaton, task).firstState + slots[task]!;
    for (let use = firstUse[state]!; use < firstUse[state + 1]!; use++) values[useColumn[use]!]! += useAmount[use]!;
  }
  values[columns.total] = model.stacks;
  for (const [index, column] of globals.entries()) values[column] = slots[tasks.length + index]!;
  return values;
}

/** Can this transition be taken in a state with these counts? */
export function isEnabled({ transitions, expressions, columns }: Automaton, at: number, values: Int32Array): boolean {
  const a = transitions.a[at]!;
  const b = transitions.b[at]!;
  const isFree = values[IN_USE]! < values[columns.total]!;
  const accepts = (): boolean => {
    const wanted = expressions[a]!(values);
    return wanted >= 0 && wanted <= 255 && (b === 1 || values[IN_USE]! <= wanted);
  };
  switch (transitions.guard[at]) {
    case GUARD.atMost:
      return values[a]! <= b;
    case GUARD.above:
      return values[a]! > b;
    case GUARD.stackFree:
      return isFree;
    case GUARD.noStackFree:
      return !isFree;
    case GUARD.holds:
      return expressions[a]!(values) !== 0;
    case GUARD.fails:
      return expressions[a]!(values) === 0;
    case GUARD.resizes:
      return accepts();
    case GUARD.refusesResize:
      return !accepts();
    default:
      return true;
  }
}

/** What a task holds that others may wait for. */
export function holdingsOf(automaton: Automaton, slots: Slots, task: number): Holding[] {
  const { firstUse, useColumn, useAmount, columns } = automaton;
  const state = classOf(automaton, task).firstState + slots[task]!;
  const found: Holding[] = [];
  for (let use = firstUse[state]!; use < firstUse[state + 1]!; use++) {
    const column = useColumn[use]!;
    if (isHeld(columns.columns[column]!)) found.push({ column, amount: useAmount[use]! });
  }
  return found;
}

function isHeld({ kind }: Column): boolean {
  return kind === "stacks" || kind === "lock" || kind === "workers" || kind === "resource";
}

/** Has the task come to the end of its program? */
export function hasEnded(automaton: Automaton, slots: Slots, task: number): boolean {
  return automaton.ended[classOf(automaton, task).firstState + slots[task]!] === 1;
}

/** What a task waits for; null where it can go on, or has ended. */
export function waitOf(automaton: Automaton, slots: Slots, values: Int32Array, task: number): Waiting | null {
  const { firstTransition, standsAt } = automaton;
  const program = classOf(automaton, task);
  const state = program.firstState + slots[task]!;
  const first = firstTransition[state]!;
  const last = firstTransition[state + 1]!;
  if (first === last) return null;
  for (let at = first; at < last; at++) if (isEnabled(automaton, at, values)) return null;
  const instruction = program.instructions[standsAt[state]!]!;
  return { column: instruction.kind === "acquire" ? instruction.column : null, instruction };
}

/** How something that is held or waited for is called: "an extra stack", "lock agf", "a worker of alloc_wq". */
export function unitName({ columns }: Automaton, column: number, amount = 1): string {
  const { kind, name } = columns.columns[column]!;
  if (kind === "stacks") return amount === 1 ? "an extra stack" : `${amount} extra stacks`;
  if (kind === "lock") return `lock ${name}`;
  if (kind === "workers") return amount === 1 ? `a worker of ${name}` : `${amount} workers of ${name}`;
  return `${amount} of ${name}`;
}

/** How many units there are of a column in this state. */
export function capacityNow(automaton: Automaton, values: Int32Array, column: number): number {
  return column === IN_USE ? values[automaton.columns.total]! : capacityOf(automaton.columns, column);
}
