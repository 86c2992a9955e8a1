/**
 * What `budget --json` prints: `spillway/budget@1`. All sizes are bytes of stack; addresses are strings, "0xffffffff81000000".
 *
 * A function is named by its *id*: its name where no other function has that name, else `name@0xADDRESS`.
 */
import type { DepthKind, EdgeCertainty, SiteKind } from "./call-graph.ts";
import type { BudgetLevel, ByLevel } from "./levels.ts";

export const BUDGET_SCHEMA = "spillway/budget@1";

/** A set of at most this many callees is written out at each of its calls; a larger one is only in `sets`. */
export const WRITTEN_OUT_CALLEES = 32;

export interface BudgetDocument {
  readonly schema: typeof BUDGET_SCHEMA;
  readonly kernel: { readonly release: string | null; readonly source: string; readonly name: string };
  /** THREAD_SIZE. */
  readonly stackBytes: number;
  /** How many upcalls (cut edges, see `cycles` and call-layers.ts) one path may take in `bounds`: TOLD_ROUNDS unless asked otherwise. */
  readonly rounds: number;
  readonly totals: BudgetTotals;
  /** Start-up code was seen, and so all that it stores in slots: where it was not, every level takes in what fits a prototype. */
  readonly slotsWhole: boolean;
  readonly functions: readonly BudgetFunction[];
  /** Callees that indirect calls share. */
  readonly sets: readonly BudgetSet[];
  readonly entries: readonly BudgetEntry[];
  readonly cycles: readonly BudgetCycle[];
  readonly unresolved: BudgetUnresolved;
  /** What may land on top of any path, whatever its depth. No entry's bound has it in it. */
  readonly interrupts: readonly BudgetInterrupt[];
  /** What is missing or could not be understood, in words. */
  readonly problems: readonly string[];
}

export interface BudgetTotals {
  readonly functions: number;
  readonly modules: number;
  readonly calls: number;
  readonly indirectCalls: number;
  /** Calls to functions that lead to nothing but `panic`: paths end there, see fatal.ts. */
  readonly fatalCalls: number;
  /** Edges from a call to a function, by the certainty that they have. Typed ones are not counted among the assumed. */
  readonly edges: Readonly<Record<EdgeCertainty, number>>;
  /** Mean and largest number of callees of an indirect call that has any, typed where it is typed, and by prototype alone. */
  readonly callees: {
    readonly typed: { readonly calls: number; readonly mean: number; readonly largest: number };
    readonly assumed: { readonly calls: number; readonly mean: number; readonly largest: number };
  };
}

export interface BudgetFunction {
  readonly id: string;
  readonly name: string;
  readonly module: string | null;
  readonly address: string;
  /** From its CFA to the lowest RSP of its own, its return address included. */
  readonly frameBytes: number;
  readonly frameKind: DepthKind;
  /** False where it never returns. */
  readonly returns: boolean;
  readonly calls: readonly BudgetCall[];
}

export interface BudgetCall {
  /** Of the instruction, from the function's address. */
  readonly offset: number;
  readonly kind: SiteKind;
  /** Bytes by which the callee's frame begins below the caller's. */
  readonly depthBytes: number;
  readonly depthKind: DepthKind;
  /** The best that is known; `unresolved` where nothing is. */
  readonly certainty: EdgeCertainty | "unresolved";
  /** Ids of the callees; empty where there are more than WRITTEN_OUT_CALLEES, and in an unresolved call. */
  readonly targets: readonly string[];
  /** Index into `sets` of the callees that the certainty speaks of; null for a direct call and an unresolved one. */
  readonly set: number | null;
  /** Index into `sets` of all callees that fit by prototype, where `certainty` is `typed`; else null. */
  readonly assumedSet: number | null;
}

export interface BudgetSet {
  /** "file_operations.write_iter", or a prototype. */
  readonly label: string;
  /** Indexes into `functions`. */
  readonly members: readonly number[];
}

export const ENTRY_KINDS = [
  "system-call",
  "interrupt",
  "exception",
  "softirq",
  "timer",
  "work",
  "kthread",
  /** RCU's, and task work, which has the same type: both are `void (struct callback_head *)`. */
  "rcu-callback",
  "file-operation",
  /** What a system call leaves for its end: signals, task work (the last reference to a file), another task's turn. */
  "user-return",
  /** The end of a task that an oops killed, on its stack rewound. */
  "task-end",
  "other",
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/**
 * Where an entry's frames lie. `current`: on whatever stack was in use; `irq`: the CPU's IRQ stack, which x86_64 uses for
 * hardirqs and softirqs alike; `ist`: an exception stack of its own.
 */
export const ENTRY_STACKS = ["task", "irq", "current", "ist"] as const;
export type EntryStack = (typeof ENTRY_STACKS)[number];

export interface BudgetEntry {
  readonly name: string;
  /** Id of its function. */
  readonly function: string;
  readonly module: string | null;
  readonly kind: EntryKind;
  readonly stack: EntryStack;
  /** What makes it an entry: "sys_call_table[1]", "file_operations.write_iter", "asked for". */
  readonly why: string;
  /** Bytes of the stack in use before the entry's function has its return address there; part of each bound. */
  readonly baseBytes: number;
  /** Of `baseBytes`, what RANDOMIZE_KSTACK_OFFSET may take. */
  readonly randomOffsetBytes: number;
  /** The deepest path, with its cycles passed as often as `rounds` says: see `levels`. */
  readonly bounds: ByLevel<number>;
  readonly levels: ByLevel<LevelBound>;
  /** The slot-matched path; `budget path ENTRY --json` has the others. */
  readonly path: readonly PathStep[];
}

/** What is known of the deepest path from one function at one level. */
export interface LevelBound {
  /** The bound: no path that takes at most `rounds` cut edges is deeper. `base` included. */
  readonly bytes: number;
  /** The same for paths that take one cut edge more. */
  readonly oneMoreRoundBytes: number;
  /** No path that enters no function twice is deeper than that. Safe, and far too much where a cycle is large. */
  readonly noFunctionTwiceBytes: number;
  /** The deepest path found that enters no function twice: the graph does have a path that deep. */
  readonly foundBytes: number;
  /** Edges of the bound's path, by certainty. */
  readonly edges: Readonly<Record<EdgeCertainty, number>>;
  /** Indexes into `cycles` of those that the bound's path passes. */
  readonly cycles: readonly number[];
  /** What can be reached at all from here at this level. */
  readonly reachable: {
    readonly functions: number;
    /** Indirect calls of which the level knows no callee. */
    readonly unresolvedCalls: number;
    /** Calls and frames whose depth is at least, or unknown. */
    readonly atLeastDepths: number;
    readonly unknownDepths: number;
  };
}

export interface PathStep {
  readonly function: string;
  readonly module: string | null;
  /** Bytes of this function's frame that are in use: up to the next one's frame, or for the last one all of it. */
  readonly bytes: number;
  /** Sure how, that the step before goes on here; null for the first one. */
  readonly certainty: EdgeCertainty | null;
  /** The call, from the address of the step before's function; null for the first one. */
  readonly offset: number | null;
  /** Label of the set that an indirect call goes by: "file_operations.write_iter"; else null. */
  readonly slot: string | null;
  /** True where the step is an upcall: it is taken along a cut edge, as `rounds` allows. */
  readonly cut: boolean;
}

/** Functions that can call each other round and round, and the edges whose absence the bound assumes. */
export interface BudgetCycle {
  readonly level: BudgetLevel;
  readonly functionCount: number;
  /** Ids, the outermost (in the order that the bound assumes) first; at most LISTED_FUNCTIONS. */
  readonly functions: readonly string[];
  readonly cutEdgeCount: number;
  /** Those that take most bytes for one round; at most LISTED_CUT_EDGES. */
  readonly cutEdges: readonly CutEdge[];
  /** Bytes of the heaviest of these rounds. */
  readonly roundBytes: number;
  /** No path inside of it that enters no function twice is deeper. */
  readonly noFunctionTwiceBytes: number;
}
export const LISTED_FUNCTIONS = 1000;
export const LISTED_CUT_EDGES = 24;

export interface CutEdge {
  readonly caller: string;
  readonly callee: string;
  /** Of the call, from the caller's address. */
  readonly offset: number;
  readonly certainty: EdgeCertainty;
  readonly slot: string | null;
  /** Bytes that going round once more along this edge adds. */
  readonly roundBytes: number;
  /** That round: from the callee to the caller. Ids. */
  readonly round: readonly string[];
}

export interface BudgetUnresolved {
  /** Indirect calls of which a level knows no callee. */
  readonly calls: ByLevel<number>;
  /** Direct calls and jumps whose target is no known function. */
  readonly unknownTargets: number;
  /** Calls and frames whose bytes are "at-least" or "unknown". */
  readonly atLeastDepths: number;
  readonly unknownDepths: number;
  /** Where most of the calls are that not even a prototype is known of. */
  readonly where: readonly { readonly function: string; readonly module: string | null; readonly calls: number }[];
  readonly byModule: readonly { readonly module: string | null; readonly calls: number }[];
}

export interface BudgetInterrupt {
  /** "asm_exc_page_fault". */
  readonly name: string;
  /** Bytes that it puts on the stack that was in use. */
  readonly bytes: ByLevel<number>;
  /** Which part of it stays there: all of it, or only the entry, before it goes on with another stack. */
  readonly extent: "whole" | "entry";
  readonly why: string;
}
