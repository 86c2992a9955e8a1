/** A task's program as a list of instructions: blocks, branches and loops turned into jumps. */
import { type Columns, IN_USE } from "./columns.ts";
import { type Expression, LIMITS, type Model, type Place, type Step } from "./model.ts";
import { badModel, tooLarge } from "./model-error.ts";

/** Jumps are indices into the list; where none is named it goes on with the next instruction. */
export type Instruction = {
  readonly at: Place;
} /** Gets units of a column. `full`: where it goes on when there are too few; null: it waits. */ & (
  | { readonly kind: "acquire"; readonly column: number; readonly amount: number; readonly full: number | null }
  | { readonly kind: "release"; readonly column: number; readonly amount: number }
  | { readonly kind: "resize"; readonly to: Expression; readonly unchecked: boolean; readonly refused: number }
  | { readonly kind: "set"; readonly column: number; readonly value: Expression }
  | { readonly kind: "await" | "assert"; readonly condition: Expression }
  | { readonly kind: "if"; readonly condition: Expression; readonly otherwise: number }
  | { readonly kind: "choose"; readonly branches: readonly number[] }
  | { readonly kind: "step"; readonly text: string | null; readonly sleeps: boolean }
  | { readonly kind: "fail" }
  /** These three take no time: they belong to the step before. */
  | { readonly kind: "mark"; readonly column: number; readonly change: 1 | -1 }
  | { readonly kind: "goto"; readonly to: number }
  | { readonly kind: "end" }
);

/** A block that `fail` leaves. */
interface Block {
  readonly column: number;
  readonly kind: "unit" | "section";
}

/**
 * Turns the steps of one task into instructions; the last one is the only `end`.
 * @throws SpillwayError SPW_CHECK_BAD_MODEL, SPW_CHECK_TOO_LARGE
 */
export function instructionsOf(steps: readonly Step[], model: Model, columns: Columns, at: Place): Instruction[] {
  const list: Instruction[] = [];
  const toEnd: number[] = [];
  const emit = (instruction: Instruction): number => {
    if (list.length >= LIMITS.steps) throw tooLarge(instruction.at, `a program of more than ${LIMITS.steps} steps`);
    return list.push(instruction) - 1;
  };
  const patch = (index: number, change: Readonly<Record<string, unknown>>): void => {
    list[index] = { ...list[index]!, ...change } as Instruction;
  };
  const leave = (block: Block, where: Place): void => {
    const { column } = block;
    if (block.kind === "unit") emit({ kind: "release", column, amount: 1, at: where });
    else emit({ kind: "mark", column, change: -1, at: where });
  };
  /** A block in units or a section, and what happens instead where the units are refused. */
  const within = (block: Block, body: readonly Step[], blocks: readonly Block[], where: Place): void => {
    all(body, [block, ...blocks]);
    leave(block, where);
  };
  const either = (first: () => void, otherwise: readonly Step[], blocks: readonly Block[], where: Place): number => {
    first();
    if (otherwise.length === 0) return list.length;
    const skip = emit({ kind: "goto", to: -1, at: where });
    const start = list.length;
    all(otherwise, blocks);
    patch(skip, { to: list.length });
    return start;
  };
  const all = (body: readonly Step[], blocks: readonly Block[]): void => {
    for (const step of body) one(step, blocks);
  };
  const one = (step: Step, blocks: readonly Block[]): void => {
    const where = step.at;
    switch (step.kind) {
      case "lock":
        emit({ kind: "acquire", column: columns.find(step.name, ["lock"], where), amount: 1, full: null, at: where });
        return;
      case "unlock":
        emit({ kind: "release", column: columns.find(step.name, ["lock"], where), amount: 1, at: where });
        return;
      case "trylock": {
        const column = columns.find(step.name, ["lock"], where);
        const start = emit({ kind: "acquire", column, amount: 1, full: -1, at: where });
        patch(start, { full: either(() => all(step.body, blocks), step.otherwise, blocks, where) });
        return;
      }
      case "take": {
        const column = columns.find(step.name, ["resource"], where);
        emit({ kind: "acquire", column, amount: step.amount, full: null, at: where });
        return;
      }
      case "give":
        emit({
          kind: "release",
          column: columns.find(step.name, ["resource"], where),
          amount: step.amount,
          at: where,
        });
        return;
      case "enter": {
        const sleeps = (step.policy ?? model.policy) === "sleep";
        const start = emit({ kind: "acquire", column: IN_USE, amount: 1, full: sleeps ? null : -1, at: where });
        const block: Block = { column: IN_USE, kind: "unit" };
        const refused = either(() => within(block, step.body, blocks, where), step.otherwise, blocks, where);
        if (!sleeps) patch(start, { full: refused });
        return;
      }
      case "work": {
        const column = columns.find(step.name, ["workers"], where);
        emit({ kind: "acquire", column, amount: 1, full: null, at: where });
        within({ column, kind: "unit" }, step.body, blocks, where);
        return;
      }
      case "section": {
        const column = columns.find(step.name, ["section"], where);
        emit({ kind: "mark", column, change: 1, at: where });
        within({ column, kind: "section" }, step.body, blocks, where);
        return;
      }
      case "step":
      case "sleep":
        emit({ kind: "step", text: step.text, sleeps: step.kind === "sleep", at: where });
        return;
      case "resize": {
        const start = emit({ kind: "resize", to: step.to, unchecked: step.unchecked, refused: -1, at: where });
        patch(start, { refused: either(() => {}, step.otherwise, blocks, where) });
        return;
      }
      case "set": {
        const column = columns.find(step.name, ["variable"], where);
        emit({ kind: "set", column, value: step.value, at: where });
        return;
      }
      case "await":
      case "assert":
        emit({ kind: step.kind, condition: step.condition, at: where });
        return;
      case "if": {
        const start = emit({ kind: "if", condition: step.condition, otherwise: -1, at: where });
        patch(start, { otherwise: either(() => all(step.body, blocks), step.otherwise, blocks, where) });
        return;
      }
      case "choose": {
        const start = emit({ kind: "choose", branches: [], at: where });
        const branches: number[] = [];
        const ends: number[] = [];
        for (const branch of step.branches) {
          branches.push(list.length);
          all(branch, blocks);
          ends.push(emit({ kind: "goto", to: -1, at: where }));
        }
        for (const end of ends) patch(end, { to: list.length });
        patch(start, { branches });
        return;
      }
      case "loop": {
        const start = list.length;
        for (let turn = 0; turn < (step.times ?? 1); turn++) all(step.body, blocks);
        if (step.times === null) emit({ kind: "goto", to: start, at: where });
        return;
      }
      case "fail":
        emit({ kind: "fail", at: where });
        for (const block of blocks) leave(block, where);
        toEnd.push(emit({ kind: "goto", to: -1, at: where }));
        return;
    }
  };
  all(steps, []);
  const end = emit({ kind: "end", at });
  for (const jump of toEnd) patch(jump, { to: end });
  refuseIdleLoops(list);
  return list;
}

/** A loop whose turns take no step would be one state that never ends. */
function refuseIdleLoops(list: readonly Instruction[]): void {
  for (const start of list.keys()) {
    let at = start;
    for (let jumps = 0; ; jumps++) {
      const instruction = list[at]!;
      if (instruction.kind === "goto") at = instruction.to;
      else if (instruction.kind === "mark") at++;
      else break;
      if (jumps > list.length) throw badModel(instruction.at, "a loop without a step in it");
    }
  }
}
