import type { Kernel } from "@spillway/core";
import type { Terminal } from "./terminal.ts";

/** A dump that a command works on. */
export interface OpenedDump {
  readonly files: readonly string[];
  readonly kernel: Kernel;
}

/** What a command is given besides its arguments; tests hand in their own. */
export interface Context {
  readonly terminal: Terminal;
  /** Opens a dump: one file, or all files of a split set. */
  open(files: readonly string[]): OpenedDump;
}
