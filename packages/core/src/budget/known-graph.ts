/**
 * What takes long to find out about a kernel and is the same whenever it is looked at: to be kept by whoever has somewhere to
 * keep it, so that the next question about the same files need not read their code again.
 */
import { Budget, type BudgetOptions, type BudgetProgram } from "./budget.ts";
import type { CallGraph } from "./call-graph.ts";
import type { Entry } from "./entries.ts";

type ProgramFacts = Pick<BudgetProgram, "name" | "release" | "source" | "threadSize" | "problems">;
type OpenedProgram = Omit<BudgetProgram, keyof ProgramFacts>;

/** Plain data: arrays, typed arrays, strings and numbers only. */
export interface KnownGraph {
  readonly program: ProgramFacts;
  readonly graph: CallGraph;
  readonly entries: readonly Entry[];
}

/** What of a budget is to be kept. */
export function knownGraph({ program, wholeGraph, foundEntries }: Budget): KnownGraph {
  const { name, release, source, threadSize, problems } = program;
  return {
    program: { name, release, source, threadSize, problems: [...problems] },
    graph: wholeGraph,
    entries: foundEntries,
  };
}

/**
 * The budget that it was kept of, or another one of the same kernel.
 * @param open opens the kernel, should somebody ask for more of it: a plan looks at types and code
 */
export function openKnownGraph(known: KnownGraph, open: () => OpenedProgram, options: BudgetOptions = {}): Budget {
  let opened: OpenedProgram | null = null;
  const program = (): OpenedProgram => {
    opened ??= open();
    return opened;
  };
  return new Budget(
    {
      ...known.program,
      get memory() {
        return program().memory;
      },
      get symbols() {
        return program().symbols;
      },
      get types() {
        return program().types;
      },
      moduleTypes: (module) => program().moduleTypes(module),
    },
    known.graph,
    options,
    known.entries,
  );
}
