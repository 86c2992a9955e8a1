/**
 * A model compiled for the search. What a task can be in (where it stands, what it holds) is enumerated beforehand, so a state of
 * the whole is one small number a task, and everything else that is counted is a sum over the tasks.
 */
import { type Columns, columnsOf, IN_USE } from "./columns.ts";
import { compileExpression, type Evaluate } from "./expressions.ts";
import { type Instruction, instructionsOf } from "./instructions.ts";
import { type Expression, LIMITS, type Model, type Property, type TaskClass } from "./model.ts";
import { badModel, tooLarge } from "./model-error.ts";

/** When a transition can be taken. `a` and `b` are the transition's operands. */
export const GUARD = {
  always: 0,
  /** Column `a` is at most `b`. */
  atMost: 1,
  /** Column `a` is above `b`. */
  above: 2,
  stackFree: 3,
  noStackFree: 4,
  /** Expression `a` holds, or does not. */
  holds: 5,
  fails: 6,
  /** Expression `a` is a number of stacks that the pool accepts (`b`: without looking at those in use), or is not. */
  resizes: 7,
  refusesResize: 8,
} as const;

export const EFFECT = { none: 0, set: 1, resize: 2 } as const;

/** What is wrong with a transition that can be taken. */
export const FAULT = { none: 0, assertion: 1, notHeld: 2, endsHolding: 3 } as const;

/** All transitions of all local states, in columns. */
export interface Transitions {
  readonly guard: Uint8Array;
  readonly a: Int32Array;
  readonly b: Int32Array;
  /** The local state of the class that it leads to. */
  readonly next: Int32Array;
  readonly effect: Uint8Array;
  /** The column that `set` changes, and the expression it takes its value from. */
  readonly effectColumn: Int32Array;
  readonly effectValue: Int32Array;
  readonly fault: Uint8Array;
  /** A task is refused an extra stack. */
  readonly refuses: Uint8Array;
  /** Class of the task, and its instruction. */
  readonly ofClass: Uint8Array;
  readonly instruction: Int32Array;
}

export interface ProgramOf {
  readonly task: TaskClass;
  readonly instructions: readonly Instruction[];
  /** The first of its local states in the tables; those of a class stand together, its first state first. */
  readonly firstState: number;
  readonly states: number;
}

/** A property with its function; `evaluate` null: the event `refused`. */
export interface CompiledProperty {
  readonly property: Property;
  readonly evaluate: Evaluate | null;
}

export interface Automaton {
  readonly model: Model;
  readonly columns: Columns;
  readonly programs: readonly ProgramOf[];
  /** One class index for each task. */
  readonly tasks: readonly number[];
  /** Columns that are states of their own: the number of stacks where it is changed, and the variables. */
  readonly globals: readonly number[];
  readonly expressions: readonly Evaluate[];
  readonly transitions: Transitions;
  /** Transitions of local state `s`: from `firstTransition[s]` up to `firstTransition[s + 1]`. */
  readonly firstTransition: Int32Array;
  /** What local state `s` holds: pairs of column and amount, from `firstUse[s]` up to `firstUse[s + 1]`, in units of pairs. */
  readonly firstUse: Int32Array;
  readonly useColumn: Int32Array;
  readonly useAmount: Int32Array;
  /** The local state holds no unit of anything that another task could wait for. */
  readonly holdsNothing: Uint8Array;
  /** Instruction at which local state `s` stands. */
  readonly standsAt: Int32Array;
  readonly ended: Uint8Array;
  readonly properties: readonly CompiledProperty[];
  /** Some program can come back to where it was. */
  readonly cyclic: boolean;
}

interface Edge {
  readonly guard: number;
  readonly a: number;
  readonly b: number;
  readonly next: number;
  readonly effect: number;
  readonly effectColumn: number;
  readonly effectValue: number;
  readonly fault: number;
  readonly refuses: number;
  readonly ofClass: number;
  readonly instruction: number;
}

const HELD_KINDS = new Set(["stacks", "lock", "workers", "resource"]);

/**
 * Compiles a model.
 * @throws SpillwayError SPW_CHECK_BAD_MODEL, SPW_CHECK_TOO_LARGE
 */
export function compileModel(model: Model): Automaton {
  const count = model.tasks.reduce((sum, task) => sum + task.count, 0);
  if (count === 0) throw badModel(null, "a model without a task", "declare one: task writer { enter { step } }");
  if (count > LIMITS.tasks) throw tooLarge(null, `${count} tasks; at most ${LIMITS.tasks} are checked`);
  const columns = columnsOf(model);
  const expressions: Evaluate[] = [];
  const expression = (source: Expression): number =>
    expressions.push(compileExpression(columns.resolve(source), columns.columnOf)) - 1;

  const programs: ProgramOf[] = [];
  const edges: Edge[] = [];
  const firstTransition: number[] = [];
  const uses: number[][] = [];
  const standsAt: number[] = [];
  const ended: number[] = [];
  let cyclic = false;

  const compiled = model.tasks.map(({ steps, at }) => instructionsOf(steps, model, columns, at));
  const resized = compiled.some((instructions) => instructions.some(({ kind }) => kind === "resize"));
  /** So many units of a column can there be at most. */
  const most = (column: number): number =>
    column !== IN_USE ? capacityOf(columns, column) : resized ? LIMITS.count : model.stacks;

  for (const [ofClass, task] of model.tasks.entries()) {
    const instructions = compiled[ofClass]!;
    cyclic ||= instructions.some((one, index) => one.kind === "goto" && one.to <= index);
    const firstState = uses.length;
    const doneColumn = columns.find(task.name, ["done"], task.at);
    // Expressions are compiled once for each instruction, not for each state that stands at it.
    const expressionAt = new Map<number, number>();
    const expressionOf = (pc: number, source: Expression): number => {
      const known = expressionAt.get(pc) ?? expression(source);
      expressionAt.set(pc, known);
      return known;
    };
    const byKey = new Map<string, number>();
    const work: { pc: number; use: readonly number[] }[] = [];
    /** The local state in which a task is that goes on at `pc` with these units. */
    const arrive = (from: number, held: readonly number[]): number => {
      const use = [...held];
      let pc = from;
      for (;;) {
        const instruction = instructions[pc]!;
        if (instruction.kind === "goto") pc = instruction.to;
        else if (instruction.kind === "mark") {
          use[instruction.column]! += instruction.change;
          pc++;
        } else break;
      }
      const instruction = instructions[pc]!;
      use[doneColumn] = instruction.kind === "end" ? 1 : 0;
      const wants = instruction.kind === "acquire" && instruction.column === IN_USE && instruction.full === null;
      use[columns.wanting] = wants ? 1 : 0;
      const key = `${pc} ${use.join(" ")}`;
      const known = byKey.get(key);
      if (known !== undefined) return known;
      if (uses.length >= LIMITS.localStates) {
        throw tooLarge(task.at, `one task of the model can be in more than ${LIMITS.localStates} states by itself`);
      }
      const state = byKey.size;
      byKey.set(key, state);
      uses.push(use);
      standsAt.push(pc);
      ended.push(instruction.kind === "end" ? 1 : 0);
      work.push({ pc, use });
      return state;
    };
    const holds = (state: number): boolean =>
      uses[firstState + state]!.some((amount, column) => amount > 0 && HELD_KINDS.has(columns.columns[column]!.kind));

    arrive(0, new Array<number>(columns.taskColumns).fill(0));
    for (let state = 0; state < work.length; state++) {
      const { pc, use } = work[state]!;
      const instruction = instructions[pc]!;
      firstTransition.push(edges.length);
      const edge = (next: number, more: Partial<Edge> = {}): void => {
        const endsHolding = ended[firstState + next] === 1 && holds(next);
        edges.push({
          guard: GUARD.always,
          a: 0,
          b: 0,
          effect: EFFECT.none,
          effectColumn: 0,
          effectValue: 0,
          fault: endsHolding ? FAULT.endsHolding : FAULT.none,
          refuses: 0,
          ofClass,
          instruction: pc,
          next,
          ...more,
        });
      };
      const changed = (column: number, change: number): number[] =>
        use.map((amount, index) => (index === column ? amount + change : amount));
      switch (instruction.kind) {
        case "acquire": {
          const { column, amount, full } = instruction;
          // A task that holds all there are already waits for ever: the transition is there, and never taken.
          const isPossible = use[column]! + amount <= most(column);
          const got = isPossible ? arrive(pc + 1, changed(column, amount)) : state;
          if (column === IN_USE) {
            edge(got, { guard: GUARD.stackFree });
            if (full !== null) edge(arrive(full, use), { guard: GUARD.noStackFree, refuses: 1 });
          } else {
            const b = capacityOf(columns, column) - amount;
            edge(got, { guard: GUARD.atMost, a: column, b });
            if (full !== null) edge(arrive(full, use), { guard: GUARD.above, a: column, b });
          }
          break;
        }
        case "release": {
          const { column, amount } = instruction;
          if (use[column]! < amount) edge(state, { fault: FAULT.notHeld });
          else edge(arrive(pc + 1, changed(column, -amount)));
          break;
        }
        case "resize": {
          const a = expressionOf(pc, instruction.to);
          const b = instruction.unchecked ? 1 : 0;
          edge(arrive(pc + 1, use), {
            guard: GUARD.resizes,
            a,
            b,
            effect: EFFECT.resize,
            effectColumn: columns.total,
            effectValue: a,
          });
          edge(arrive(instruction.refused, use), { guard: GUARD.refusesResize, a, b });
          break;
        }
        case "set":
          edge(arrive(pc + 1, use), {
            effect: EFFECT.set,
            effectColumn: instruction.column,
            effectValue: expressionOf(pc, instruction.value),
          });
          break;
        case "await":
          edge(arrive(pc + 1, use), { guard: GUARD.holds, a: expressionOf(pc, instruction.condition) });
          break;
        case "assert": {
          const a = expressionOf(pc, instruction.condition);
          edge(arrive(pc + 1, use), { guard: GUARD.holds, a });
          edge(state, { guard: GUARD.fails, a, fault: FAULT.assertion });
          break;
        }
        case "if": {
          const a = expressionOf(pc, instruction.condition);
          edge(arrive(pc + 1, use), { guard: GUARD.holds, a });
          edge(arrive(instruction.otherwise, use), { guard: GUARD.fails, a });
          break;
        }
        case "choose":
          for (const branch of instruction.branches) edge(arrive(branch, use));
          break;
        case "step":
        case "fail":
          edge(arrive(pc + 1, use));
          break;
        case "end":
        case "goto":
        case "mark":
          break;
      }
    }
    programs.push({ task, instructions, firstState, states: work.length });
  }
  firstTransition.push(edges.length);

  const useColumn: number[] = [];
  const useAmount: number[] = [];
  const firstUse = uses.map((use) => {
    const first = useColumn.length;
    for (const [column, amount] of use.entries()) {
      if (amount === 0) continue;
      useColumn.push(column);
      useAmount.push(amount);
    }
    return first;
  });
  firstUse.push(useColumn.length);
  const column = (name: keyof Edge): Int32Array => Int32Array.from(edges, (one) => one[name]);
  return {
    model,
    columns,
    programs,
    tasks: model.tasks.flatMap((task, index) => new Array<number>(task.count).fill(index)),
    globals: columns.columns.flatMap((one, index) =>
      one.kind === "variable" || (one.kind === "total" && resized) ? [index] : [],
    ),
    expressions,
    transitions: {
      guard: Uint8Array.from(column("guard")),
      a: column("a"),
      b: column("b"),
      next: column("next"),
      effect: Uint8Array.from(column("effect")),
      effectColumn: column("effectColumn"),
      effectValue: column("effectValue"),
      fault: Uint8Array.from(column("fault")),
      refuses: Uint8Array.from(column("refuses")),
      ofClass: Uint8Array.from(column("ofClass")),
      instruction: column("instruction"),
    },
    firstTransition: Int32Array.from(firstTransition),
    firstUse: Int32Array.from(firstUse),
    useColumn: Int32Array.from(useColumn),
    useAmount: Int32Array.from(useAmount),
    holdsNothing: Uint8Array.from(uses, (use) =>
      use.some((amount, at) => amount > 0 && HELD_KINDS.has(columns.columns[at]!.kind)) ? 0 : 1,
    ),
    standsAt: Int32Array.from(standsAt),
    ended: Uint8Array.from(ended),
    properties: model.properties.map((property) => ({
      property,
      evaluate:
        property.condition === null ? null : compileExpression(columns.resolve(property.condition), columns.columnOf),
    })),
    cyclic,
  };
}

/** How many units there are of a column that has a fixed number. */
export function capacityOf({ columns }: Columns, index: number): number {
  const column = columns[index]!;
  if (column.kind === "lock") return 1;
  return "capacity" in column ? column.capacity : 0;
}
