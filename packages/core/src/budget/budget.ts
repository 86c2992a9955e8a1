/**
 * How deep the stacks of a kernel can get: the answers to the questions that `spillway budget` takes, over a call graph that is
 * solved once.
 */
import { SpillwayError } from "../errors.ts";
import type { Program } from "../program/program.ts";
import type {
  BudgetCycle,
  BudgetDocument,
  BudgetEntry,
  EntryKind,
  EntryStack,
  LevelBound,
  PathStep,
} from "./budget-document.ts";
import { type BudgetSummary, buildDocument, buildSummary } from "./build-document.ts";
import { type CallGraph, DEPTH_KINDS, type DepthKind, type EdgeCertainty } from "./call-graph.ts";
import { checkSum } from "./check-sum.ts";
import { type LevelCycles, levelCycles } from "./cycles.ts";
import { countEdges, type PathNode, pathFrom, pathTo } from "./deepest-path.ts";
import { type DepthPass, deepestContexts } from "./depths.ts";
import { type Entry, findEntries } from "./entries.ts";
import { fatalFunctions } from "./fatal.ts";
import { startsApart } from "./fresh-starts.ts";
import { FunctionNames } from "./function-names.ts";
import { indexGraph } from "./graph-index.ts";
import { atLevel, type BudgetLevel, type ByLevel, byLevel, lazyByLevel } from "./levels.ts";
import { MOST_UPCALLS, noUpcallTwice } from "./no-upcall-twice.ts";
import { pathGraph } from "./path-graph.ts";
import { SharedSteps, stepsOf } from "./path-steps.ts";
import { countReachable, type Reachable } from "./reachable.ts";
import { boundPasses, MOST_ROUNDS, type SolvedGraph, solveGraph, TOLD_ROUNDS } from "./solve.ts";
import { walkFigures } from "./walks.ts";

/** What a budget asks of a program beside its call graph. */
export type BudgetProgram = Pick<
  Program,
  "memory" | "symbols" | "types" | "moduleTypes" | "name" | "release" | "source" | "threadSize" | "problems"
>;

export interface BudgetOptions {
  /** Upcalls that a bound lets one path take, at most MOST_ROUNDS; TOLD_ROUNDS by default. See call-layers.ts for which calls are upcalls. */
  readonly rounds?: number;
  /**
   * Names of the entries wanted, in place of all that are found: of functions (any will do), or of system calls as their
   * manual pages have them.
   */
  readonly entries?: readonly string[];
}

/** The deepest path from a function, or the deepest way to it. */
export interface BudgetPath {
  readonly level: BudgetLevel;
  /** The function that was asked for: its name and module. */
  readonly function: string;
  readonly module: string | null;
  /** The entry that the path starts at, where it is one. */
  readonly entry: { readonly name: string; readonly kind: EntryKind; readonly stack: EntryStack } | null;
  /** Bytes in use before the first step's frame; part of `bytes`. */
  readonly baseBytes: number;
  readonly bytes: number;
  readonly steps: readonly PathStep[];
  readonly edges: Readonly<Record<EdgeCertainty, number>>;
  /** Cycles that the path passes. */
  readonly cycles: readonly BudgetCycle[];
}

/** `path`: with the figures beside the bound. */
export interface DeepestPath extends BudgetPath {
  readonly oneMoreRoundBytes: number;
  readonly noFunctionTwiceBytes: number;
  readonly foundBytes: number;
  /**
   * What goes round again: steps in functions that the path has been in before, as places in `steps`, and the bytes that these
   * take.
   */
  readonly again: { readonly steps: readonly number[]; readonly bytes: number };
  /**
   * The deepest path that takes as many upcalls and none of them twice: see no-upcall-twice.ts. Null where it is not looked for,
   * since more than MOST_UPCALLS may be taken.
   */
  readonly noUpcallTwice: { readonly bytes: number; readonly steps: readonly PathStep[] } | null;
  readonly reachable: Reachable;
}

/** `callers`: `bytes` is what is in use above the function's frame; the last step is the function, with all that it uses itself. */
export interface DeepestContext extends BudgetPath {
  /** Bytes of the deepest path from the function on, its own frame included. */
  readonly belowBytes: number;
}

export interface TopOptions {
  readonly limit?: number;
  readonly by?: "frame" | "depth";
  readonly level?: BudgetLevel;
  /** Functions of that module alone; null: of the kernel itself. */
  readonly module?: string | null;
}

export interface TopRow {
  readonly function: string;
  readonly module: string | null;
  readonly frameBytes: number;
  readonly frameKind: DepthKind;
  /** Bytes of the deepest path from it on. */
  readonly depthBytes: number;
}

/** A budget that has been worked out. Everything beyond the bounds themselves is computed when it is asked for. */
export class Budget {
  readonly program: BudgetProgram;
  /** The graph that paths are looked for in: see path-graph.ts. */
  readonly graph: CallGraph;
  /** With all calls of all functions. */
  readonly wholeGraph: CallGraph;
  readonly fatal: Uint8Array;
  readonly solved: SolvedGraph;
  readonly names: FunctionNames;
  /** All entries of the kernel, whichever were asked for. */
  readonly foundEntries: readonly Entry[];
  readonly cycles: ByLevel<LevelCycles>;
  readonly #wantedNames: readonly string[] | undefined;
  #entries: readonly Entry[] | null = null;
  #summary: BudgetSummary | null = null;

  /** @param known the entries, where they have been found before */
  constructor(program: BudgetProgram, graph: CallGraph, options: BudgetOptions, known?: readonly Entry[]) {
    this.program = program;
    this.wholeGraph = graph;
    this.fatal = fatalFunctions(graph);
    this.names = new FunctionNames(graph);
    const found = known ?? findEntries(indexGraph(graph), this.names, program);
    this.foundEntries = found;
    this.graph = pathGraph(graph, { fatal: this.fatal, apart: startsApart(graph.functions.count, found) });
    const index = indexGraph(this.graph);
    // File operations are below the layer that calls them, for all that they are listed as entries.
    const starts = found.filter(({ kind }) => kind !== "file-operation").map(({ f }) => f);
    const rounds = Math.min(options.rounds ?? TOLD_ROUNDS, MOST_ROUNDS);
    // The bounds' own passes, and one more for what another round would add.
    checkSum(this.graph, rounds + 2, found);
    this.solved = solveGraph(this.graph, rounds, starts, index);
    this.cycles = lazyByLevel((level) => levelCycles(this.solved, atLevel(this.solved.levels, level), this.names));
    this.#wantedNames = options.entries;
  }

  /**
   * Those that were asked for, or all.
   * @throws SpillwayError `SPW_BUDGET_NO_FUNCTION` where one was asked for that is no function: when they are looked at first, so
   *   that what was worked out until then can be kept
   */
  get entries(): readonly Entry[] {
    this.#entries ??= this.#wantedNames?.map((name) => this.#wanted(this.foundEntries, name)) ?? this.foundEntries;
    return this.#entries;
  }

  /** The entry of that name, or a function that is none as one. */
  #wanted(found: readonly Entry[], name: string): Entry {
    const f = this.names.find(name);
    return (
      found.find((entry) => entry.f === f) ?? {
        f,
        kind: "other",
        stack: "task",
        why: "asked for",
        baseBytes: 0,
        randomOffsetBytes: 0,
      }
    );
  }

  /** What is amiss with what it was worked out of, in words. */
  get problems(): readonly string[] {
    return [...this.program.problems, ...(this.wholeGraph.problems ?? [])];
  }

  document(): BudgetDocument {
    return buildDocument(this);
  }

  /** The document without its long lists; made once. */
  get summary(): BudgetSummary {
    this.#summary ??= buildSummary(this);
    return this.#summary;
  }

  /**
   * Functions by their own frame, or by the deepest path from them on; largest first.
   * @throws SpillwayError `SPW_BUDGET_NO_FUNCTION` where a module is asked for that has none
   */
  top(options: TopOptions = {}): TopRow[] {
    const { functions } = this.graph;
    const { module } = options;
    if (module !== undefined && !functions.module.includes(module)) {
      throw new SpillwayError(
        "SPW_BUDGET_NO_FUNCTION",
        `there is no function of a module ${module} in the call graph`,
        {
          class: "missing",
          facts: { module },
          hint: "--modules takes those of a folder in",
        },
      );
    }
    const depth = this.#bound(options.level ?? "slot-matched").depth;
    const key = options.by === "depth" ? depth : functions.ownBytes;
    return Array.from({ length: functions.count }, (_, f) => f)
      .filter((f) => module === undefined || functions.module[f] === module)
      .sort((a, b) => (key[b] as number) - (key[a] as number) || a - b)
      .slice(0, options.limit ?? 20)
      .map((f) => ({
        function: functions.name[f] as string,
        module: functions.module[f] as string | null,
        frameBytes: functions.ownBytes[f] as number,
        frameKind: DEPTH_KINDS[functions.ownKind[f] as number] as DepthKind,
        depthBytes: depth[f] as number,
      }));
  }

  #bound(level: BudgetLevel): DepthPass {
    return boundPasses(this.solved, atLevel(this.solved.levels, level)).at(-1) as DepthPass;
  }

  /** The deepest path from an entry or any other function. SPW_BUDGET_NO_FUNCTION where there is none of that name. */
  path(name: string, level: BudgetLevel = "slot-matched"): DeepestPath {
    const entry = this.#wanted(this.entries, name);
    const solved = atLevel(this.solved.levels, level);
    const walk = pathFrom(boundPasses(this.solved, solved), entry.f);
    const bound = this.levelBounds([entry], level)[0]!;
    const described = this.#described(level, entry.f, walk);
    const again = repeatedSteps(walk);
    return {
      ...described,
      entry: entry.kind === "other" ? null : this.#entryFacts(entry),
      baseBytes: entry.baseBytes,
      bytes: bound.bytes,
      oneMoreRoundBytes: bound.oneMoreRoundBytes,
      noFunctionTwiceBytes: bound.noFunctionTwiceBytes,
      foundBytes: bound.foundBytes,
      again: { steps: again, bytes: again.reduce((sum, at) => sum + described.steps[at]!.bytes, 0) },
      noUpcallTwice: this.#noUpcallTwice(entry, level),
      reachable: bound.reachable,
    };
  }

  #noUpcallTwice({ f, baseBytes }: Entry, level: BudgetLevel): DeepestPath["noUpcallTwice"] {
    const { index, order, rounds } = this.solved;
    if (rounds > MOST_UPCALLS) return null;
    const { bytes, path } = noUpcallTwice(index, order, level, rounds, f);
    return { bytes: baseBytes + bytes, steps: this.steps(path) };
  }

  /**
   * The deepest context in which a function can be called: from an entry on a task's or any other stack; where no entry leads
   * to it, from whichever function has the longest way to it (`entry` is then null).
   */
  callers(name: string, level: BudgetLevel = "slot-matched"): DeepestContext {
    const f = this.names.find(name);
    const { index, order, rounds } = this.solved;
    const base = new Int32Array(this.graph.functions.count).fill(-1);
    for (const entry of this.entries) base[entry.f] = Math.max(base[entry.f] as number, entry.baseBytes);
    let passes = deepestContexts(index, order, level, rounds, base);
    let walk = pathTo(this.graph, passes, f);
    if (walk === null) {
      passes = deepestContexts(index, order, level, rounds, new Int32Array(this.graph.functions.count));
      walk = pathTo(this.graph, passes, f) as PathNode[];
    }
    const start = (walk[0] as PathNode).f;
    const entry = this.entries.find((one) => one.f === start && one.baseBytes === base[start]);
    return {
      ...this.#described(level, f, walk),
      entry: entry === undefined ? null : this.#entryFacts(entry),
      baseBytes: entry?.baseBytes ?? 0,
      bytes: passes.at(-1)?.above[f] as number,
      belowBytes: this.#bound(level).depth[f] as number,
    };
  }

  #entryFacts({ f, kind, stack }: Entry): BudgetPath["entry"] {
    return { name: this.graph.functions.name[f] as string, kind, stack };
  }

  #described(level: BudgetLevel, f: number, walk: readonly PathNode[]) {
    const { cycles, ofComponent } = atLevel(this.cycles, level);
    const { components } = atLevel(this.solved.levels, level);
    return {
      level,
      function: this.graph.functions.name[f] as string,
      module: this.graph.functions.module[f] as string | null,
      steps: this.steps(walk),
      edges: countEdges(walk),
      cycles: cyclesOn(walk, components.of, ofComponent).map((at) => cycles[at] as BudgetCycle),
    };
  }

  steps(walk: readonly PathNode[]): PathStep[] {
    return stepsOf(this.graph, walk);
  }

  /** The figures of entries at a level; one result for each. */
  levelBounds(entries: readonly Entry[], level: BudgetLevel): LevelBound[] {
    const solved = atLevel(this.solved.levels, level);
    const { passes, components, noFunctionTwice } = solved;
    const starts = entries.map(({ f }) => f);
    const reachable = countReachable(this.solved.index, level, components, starts);
    const { ofComponent } = atLevel(this.cycles, level);
    const figures = walkFigures(
      this.graph,
      passes,
      components.of.subarray(0, this.graph.functions.count).map((component) => ofComponent[component]!),
      starts,
    );
    const bound = boundPasses(this.solved, solved).at(-1)!;
    const oneMore = passes.at(-1)!;
    return entries.map(({ f, baseBytes }, at) => {
      const { edges, cycles, foundBytes } = figures[at]!;
      return {
        bytes: baseBytes + bound.depth[f]!,
        oneMoreRoundBytes: baseBytes + oneMore.depth[f]!,
        noFunctionTwiceBytes: baseBytes + noFunctionTwice.ofComponent[components.of[f]!]!,
        foundBytes: baseBytes + foundBytes,
        edges,
        cycles,
        reachable: reachable[at]!,
      };
    });
  }

  /** The entries as documents have them; places in the list of cycles are those of each level's own list. */
  describeEntries(): BudgetEntry[] {
    const { functions } = this.graph;
    const bounds = byLevel((level) => this.levelBounds(this.entries, level));
    const steps = new SharedSteps(this.graph, boundPasses(this.solved, this.solved.levels.slotMatched));
    return this.entries.map(({ f, kind, stack, why, baseBytes, randomOffsetBytes }, at) => {
      const levels = byLevel((level) => atLevel(bounds, level)[at]!);
      return {
        name: functions.name[f]!,
        function: this.names.ids[f]!,
        module: functions.module[f]!,
        kind,
        stack,
        why,
        baseBytes,
        randomOffsetBytes,
        bounds: byLevel((level) => atLevel(levels, level).bytes),
        levels,
        path: steps.from(f),
      };
    });
  }
}

/** Places on a path of functions that it has been in before. */
function repeatedSteps(path: readonly PathNode[]): number[] {
  const seen = new Set<number>();
  return path.flatMap(({ f }, at) => (seen.size === seen.add(f).size ? [at] : []));
}

/** Places in the list of cycles of those that a path passes, in the order of the path. */
function cyclesOn(walk: readonly PathNode[], componentOf: Int32Array, cycleOf: Int32Array): number[] {
  const found = new Set<number>();
  for (const { f } of walk) {
    const cycle = cycleOf[componentOf[f] as number] as number;
    if (cycle >= 0) found.add(cycle);
  }
  return [...found];
}

/**
 * Works out the budget of a program from its call graph.
 * @throws SpillwayError `SPW_BUDGET_NO_FUNCTION` for an entry that is asked for and not there, `SPW_BUDGET_TOO_DEEP`
 */
export function createBudget(program: BudgetProgram, graph: CallGraph, options: BudgetOptions = {}): Budget {
  return new Budget(program, graph, options);
}
