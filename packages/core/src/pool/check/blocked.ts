/** Who waits for whom, and for ever. */
import type { Automaton } from "./automaton.ts";
import { printExpression } from "./expressions.ts";
import {
  capacityNow,
  hasEnded,
  holdingsOf,
  type Slots,
  taskName,
  unitName,
  valuesOf,
  type Waiting,
  waitOf,
} from "./state-view.ts";

/** A blocked task, what it waits for, and who holds that. */
export interface BlockedTask {
  readonly task: number;
  readonly waits: Waiting;
  readonly holders: readonly number[];
}

/**
 * Tasks that cannot go on whatever the others do: each waits for something all of whose holders are among them (or ended).
 * Empty where every waiting task could still be helped by one that can go on.
 */
export function blockedForEver(automaton: Automaton, slots: Slots): BlockedTask[] {
  const values = valuesOf(automaton, slots);
  const blocked = new Map<number, BlockedTask>();
  for (const task of automaton.tasks.keys()) {
    const waits = waitOf(automaton, slots, values, task);
    if (waits !== null) blocked.set(task, { task, waits, holders: holdersOf(automaton, slots, waits) });
  }
  const someGoOn = [...automaton.tasks.keys()].some((task) => !blocked.has(task) && !hasEnded(automaton, slots, task));
  for (let changed = true; changed; ) {
    changed = false;
    for (const { task, waits, holders } of blocked.values()) {
      const hopes = holders.some((holder) => !blocked.has(holder) && !hasEnded(automaton, slots, holder));
      // A condition can become true as long as anybody moves.
      if (!hopes && (waits.column !== null || !someGoOn)) continue;
      blocked.delete(task);
      changed = true;
    }
  }
  return [...blocked.values()];
}

function holdersOf(automaton: Automaton, slots: Slots, { column }: Waiting): number[] {
  if (column === null) return [];
  return [...automaton.tasks.keys()].filter((task) =>
    holdingsOf(automaton, slots, task).some((held) => held.column === column),
  );
}

/** A cycle among tasks that are blocked for ever, each waiting for the next; empty where none of them closes one. */
export function waitCycle(blocked: readonly BlockedTask[]): BlockedTask[] {
  const byTask = new Map(blocked.map((one) => [one.task, one]));
  const finished = new Set<number>();
  for (const start of blocked) {
    const path: BlockedTask[] = [];
    const visit = (at: BlockedTask): BlockedTask[] | null => {
      const from = path.indexOf(at);
      if (from >= 0) return path.slice(from);
      if (finished.has(at.task)) return null;
      path.push(at);
      // A cycle through others says more than "waits for itself", where both are there.
      for (const holder of [...at.holders].sort((a, b) => Number(a === at.task) - Number(b === at.task))) {
        const next = byTask.get(holder);
        const cycle = next === undefined ? null : visit(next);
        if (cycle !== null) return cycle;
      }
      path.pop();
      finished.add(at.task);
      return null;
    };
    const cycle = visit(start);
    if (cycle !== null) return cycle;
  }
  return [];
}

/** The deadlock of a state in words, one sentence for each task in it. */
export function explainDeadlock(automaton: Automaton, slots: Slots): string[] {
  const blocked = blockedForEver(automaton, slots);
  const cycle = waitCycle(blocked);
  return (cycle.length > 0 ? cycle : blocked).map((one) => explain(automaton, slots, one));
}

function explain(automaton: Automaton, slots: Slots, { task, waits, holders }: BlockedTask): string {
  const held = holdingsOf(automaton, slots, task).map(({ column, amount }) => unitName(automaton, column, amount));
  const who = `${taskName(automaton, task)} ${held.length === 0 ? "" : `holds ${list(held)} and `}`;
  const { column, instruction } = waits;
  if (column === null) {
    const condition = "condition" in instruction ? printExpression(instruction.condition) : "its turn";
    return `${who}waits until ${condition}`;
  }
  const capacity = capacityNow(automaton, valuesOf(automaton, slots), column);
  const wanted = unitName(automaton, column, instruction.kind === "acquire" ? instruction.amount : 1);
  if (capacity === 0) return `${who}waits for ${wanted}, and there is none`;
  const names = holders.map((holder) => (holder === task ? "itself" : taskName(automaton, holder)));
  const which = capacity === 1 ? "held by" : `all ${capacity} held by`;
  return `${who}waits for ${wanted}, ${which} ${list(names)}`;
}

function list(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? "nobody") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
