/** A model in Promela, the language of SPIN: the same states, one transition for each of ours. */
import { type Automaton, capacityOf, compileModel, EFFECT, FAULT, GUARD } from "./automaton.ts";
import type { Column } from "./columns.ts";
import { namesIn, printExpression } from "./expressions.ts";
import type { Instruction } from "./instructions.ts";
import type { Expression, Model } from "./model.ts";

/**
 * A model as Promela. Every state of one task by itself is a label, and every transition one `d_step`, so that SPIN without partial
 * order reduction stores as many states as a search without symmetry finds. Tasks that ended stand at an `end` label and never leave
 * it, because processes that die in SPIN do so in an order of its own. Goals (`reach`) have no place in Promela and are comments.
 * @throws SpillwayError SPW_CHECK_BAD_MODEL, SPW_CHECK_TOO_LARGE
 */
export function toPromela(model: Model): string {
  const automaton = compileModel(model);
  const { columns } = automaton;
  const emitted = emittedColumns(automaton);
  const invariants = automaton.properties.flatMap(({ property: { kind, condition } }) => {
    if (kind === "reach" || condition === null) return [];
    return [kind === "always" ? expressionText(automaton, condition) : `!(${expressionText(automaton, condition)})`];
  });
  const lines = [
    "/* Made by spillway check --promela. Verify: spin -o2 -a FILE && cc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -m1000000 */",
  ];
  for (const [index, column] of columns.columns.entries()) {
    if (!emitted.has(index)) continue;
    const initial = initialValue(automaton, index);
    const isFixed = column.kind === "total" && !automaton.globals.includes(index);
    lines.push(isFixed ? `#define ${nameOf(column)} ${initial}` : `byte ${nameOf(column)} = ${initial};`);
  }
  for (const { property } of automaton.properties) {
    if (property.kind !== "reach") continue;
    const goal = property.condition === null ? "refused" : printExpression(property.condition);
    lines.push(`/* goal, not for SPIN: reach ${goal} */`);
  }
  if (invariants.length > 0)
    lines.push(`#define INVARIANT assert(${invariants.map((one) => `(${one})`).join(" && ")})`);
  const hasInvariant = invariants.length > 0;
  for (const [index, { task }] of automaton.programs.entries()) {
    lines.push("", `active [${task.count}] proctype task_${task.name}() {`);
    lines.push(...processLines(automaton, index, emitted, hasInvariant), "}");
  }
  return `${lines.join("\n")}\n`;
}

/** Columns that guards or properties look at: the others are not needed to tell states apart. */
function emittedColumns({ columns, programs, properties }: Automaton): Set<number> {
  const emitted = new Set<number>();
  const add = (expression: Expression): void => {
    for (const { name, at } of namesIn(columns.resolve(expression))) emitted.add(columns.columnOf(name, at));
  };
  for (const { instructions } of programs) {
    for (const instruction of instructions) for (const one of expressionsOf(instruction)) add(one);
  }
  for (const { property } of properties)
    if (property.condition !== null && property.kind !== "reach") add(property.condition);
  for (const [index, { kind }] of columns.columns.entries()) {
    if (kind !== "section" && kind !== "done" && kind !== "wanting") emitted.add(index);
  }
  return emitted;
}

function expressionsOf(instruction: Instruction): Expression[] {
  if (instruction.kind === "resize") return [instruction.to];
  if (instruction.kind === "set") return [instruction.value];
  return "condition" in instruction ? [instruction.condition] : [];
}

const PREFIX: Readonly<Record<Column["kind"], string>> = {
  stacks: "stacks_",
  total: "stacks_",
  wanting: "stacks_",
  lock: "lock_",
  workers: "workers_",
  resource: "resource_",
  section: "section_",
  done: "done_",
  variable: "var_",
};

/** Prefixed, so that no name is a word of Promela. */
function nameOf({ kind, name }: Column): string {
  return `${PREFIX[kind]}${name}`;
}

function expressionText({ columns }: Automaton, expression: Expression): string {
  return printExpression(columns.resolve(expression), (name) => nameOf(columns.columns[columns.columnOf(name, "")]!));
}

function initialValue({ columns, programs, firstUse, useColumn, useAmount }: Automaton, index: number): number {
  const column = columns.columns[index]!;
  if ("initial" in column) return column.initial;
  let sum = 0;
  for (const { task, firstState } of programs) {
    for (let use = firstUse[firstState]!; use < firstUse[firstState + 1]!; use++) {
      if (useColumn[use] === index) sum += task.count * useAmount[use]!;
    }
  }
  return sum;
}

function processLines(
  automaton: Automaton,
  index: number,
  emitted: ReadonlySet<number>,
  hasInvariant: boolean,
): string[] {
  const { programs, firstTransition, standsAt, ended } = automaton;
  const { firstState, states, instructions } = programs[index]!;
  const label = (state: number): string => (ended[firstState + state] === 1 ? `end_${state}` : `s_${state}`);
  const lines: string[] = [];
  for (let state = 0; state < states; state++) {
    const first = firstTransition[firstState + state]!;
    const last = firstTransition[firstState + state + 1]!;
    const { at, kind } = instructions[standsAt[firstState + state]!]!;
    if (first === last) {
      lines.push(`${label(state)}: (false);`);
      continue;
    }
    lines.push(`${label(state)}: /* ${at} ${kind} */`, "  if");
    for (let transition = first; transition < last; transition++) {
      const next = automaton.transitions.next[transition]!;
      const body = transitionText(automaton, transition, firstState + state, firstState + next, emitted, hasInvariant);
      lines.push(`  :: d_step { ${body} }; goto ${label(next)}`);
    }
    lines.push("  fi;");
  }
  return lines;
}

function transitionText(
  automaton: Automaton,
  transition: number,
  from: number,
  to: number,
  emitted: ReadonlySet<number>,
  hasInvariant: boolean,
): string {
  const { columns, transitions } = automaton;
  const parts = [`(${guardText(automaton, transition)})`];
  const fault = transitions.fault[transition];
  const forbidsRefusal = automaton.properties.some(
    ({ property }) => property.kind === "never" && property.condition === null,
  );
  if (fault !== FAULT.none || (transitions.refuses[transition] === 1 && forbidsRefusal)) parts.push("assert(false)");
  const effect = transitions.effect[transition];
  if (effect !== EFFECT.none) {
    const target = nameOf(columns.columns[transitions.effectColumn[transition]!]!);
    const value = sourceOf(automaton, transition);
    if (effect === EFFECT.set) parts.push(`assert((${value}) >= 0 && (${value}) <= 255)`);
    parts.push(`${target} = ${value}`);
    if (effect === EFFECT.resize) parts.push(`assert(${inUse(automaton)} <= ${target})`);
  }
  for (const [column, change] of changes(automaton, from, to)) {
    if (!emitted.has(column) || change === 0) continue;
    const name = nameOf(columns.columns[column]!);
    parts.push(`${name} = ${name} ${change > 0 ? "+" : "-"} ${Math.abs(change)}`);
  }
  if (hasInvariant) parts.push("INVARIANT");
  return parts.join("; ");
}

function inUse({ columns }: Automaton): string {
  return nameOf(columns.columns[0]!);
}

/** How the counts change when a task goes from one local state to another. */
function changes({ firstUse, useColumn, useAmount }: Automaton, from: number, to: number): Map<number, number> {
  const change = new Map<number, number>();
  const add = (state: number, sign: number): void => {
    for (let use = firstUse[state]!; use < firstUse[state + 1]!; use++) {
      change.set(useColumn[use]!, (change.get(useColumn[use]!) ?? 0) + sign * useAmount[use]!);
    }
  };
  add(from, -1);
  add(to, 1);
  return change;
}

/** The expression behind a transition's guard or effect, from the instruction that it was made of. */
function sourceOf(automaton: Automaton, transition: number): string {
  const { programs, transitions } = automaton;
  const { instructions } = programs[transitions.ofClass[transition]!]!;
  const [expression] = expressionsOf(instructions[transitions.instruction[transition]!]!);
  return expression === undefined ? "true" : expressionText(automaton, expression);
}

function guardText(automaton: Automaton, transition: number): string {
  const { columns, transitions } = automaton;
  const a = transitions.a[transition]!;
  const b = transitions.b[transition]!;
  const used = inUse(automaton);
  const total = nameOf(columns.columns[columns.total]!);
  const value = (): string => sourceOf(automaton, transition);
  const accepted = (): string =>
    `(${value()}) >= 0 && (${value()}) <= 255${b === 1 ? "" : ` && ${used} <= (${value()})`}`;
  switch (transitions.guard[transition]) {
    case GUARD.atMost: {
      const name = nameOf(columns.columns[a]!);
      const amount = capacityOf(columns, a) - b;
      return `${name} + ${amount} <= ${capacityOf(columns, a)}`;
    }
    case GUARD.above:
      return `${nameOf(columns.columns[a]!)} > ${b}`;
    case GUARD.stackFree:
      return `${used} < ${total}`;
    case GUARD.noStackFree:
      return `${used} >= ${total}`;
    case GUARD.holds:
      return value();
    case GUARD.fails:
      return `!(${value()})`;
    case GUARD.resizes:
      return accepted();
    case GUARD.refusesResize:
      return `!(${accepted()})`;
    default:
      return "true";
  }
}
