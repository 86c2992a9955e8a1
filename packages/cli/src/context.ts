import type {
  DeclaredTypes,
  DecodedFunctions,
  FoundCalls,
  Kernel,
  KnownGraph,
  Program,
  Task,
  TextEvidence,
  Unpackers,
} from "@spillway/core";
import type { Terminal } from "./terminal.ts";

/** A dump that a command works on. */
export interface OpenedDump {
  readonly files: readonly string[];
  readonly kernel: Kernel;
}

export interface OpenProgramOptions {
  /** Folders with modules to take in too. */
  readonly modules: readonly string[];
  readonly progress: (step: string, done: number, total: number) => void;
  /** In place of the usual ones. */
  readonly unpackers?: Unpackers | undefined;
}

/** Calls that another thread is finding. */
export interface CallsToCome {
  /** What it has decoded for that, as far as it has come. */
  readonly decoded: DecodedFunctions;
  /** Waits for them; null where it came to nothing. */
  wait(): FoundCalls | null;
  /** For whoever opens the same file here: what they unpack is handed to the other thread. */
  readonly unpackers: Unpackers;
}

/** All that a call graph is made of: paths of files, and of folders. */
export interface GraphFiles {
  readonly input: string;
  readonly modules: readonly string[];
  readonly debuginfo: readonly string[];
}

/** Keeps the call graph of some files for the next time. */
export interface GraphKeeper {
  /** What was kept of these files; null where nothing was, or they have changed. */
  find(): KnownGraph | null;
  /** Keeps it, if that can be. */
  keep(graph: KnownGraph): void;
}

/** What a command is given besides its arguments; tests hand in their own. */
export interface Context {
  readonly terminal: Terminal;
  /**
   * Opens a dump: one file, or all files of a split set.
   * @param debugInfo files and directories with debug information, looked in before the usual places; null (or nothing): none
   *   is looked for
   */
  open(files: readonly string[], debugInfo?: readonly string[] | null): OpenedDump;
  /** Opens what is named as text, where it is text (a kernel's log); null where it is a dump. */
  openText?(files: readonly string[], debugInfo?: readonly string[] | null): TextEvidence | null;
  /** Opens a kernel whose code is studied: a file, or `live`. Left out at the prompt. */
  openProgram?(input: string, options: OpenProgramOptions): Program;
  /** Begins to find a program's calls in another thread; see `analyseProgram`. Left out where there is none. */
  findCalls?(input: string, modules: readonly string[]): CallsToCome | undefined;
  /** Left out, or null, where no graphs are kept. */
  graphs?(files: GraphFiles): GraphKeeper | null;
  /** Opens debug information of a program's kernel; null where no file is of the kernel itself. */
  openDeclaredTypes?(program: Program, files: readonly string[]): DeclaredTypes | null;
  /** The task that a command is about when it is given none; null: the one that panicked. */
  readonly focus?: Task | null;
  /** Ends the command line with an exit code that is an answer and no error: a check that failed, a limit that is exceeded. */
  readonly exitWith?: (code: number) => void;
  /** The commands are given at the shell's prompt, with the dump open: help and examples name no file. */
  readonly atPrompt?: boolean;
}
