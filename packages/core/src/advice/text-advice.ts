/** The context of advice on a text: a kernel's log, a session of the crash utility. */
import type { ConfigFile } from "../kernel/kernel-options.ts";
import { configuredOptions, noOptions } from "../kernel/option-state.ts";
import type { AdviceContext } from "./advice-input.ts";

export interface TextKnown {
  /** The text itself, line by line. */
  readonly log: () => readonly string[];
  /** As the text says; see `AdviceContext`. */
  readonly taints: string | null;
  readonly taintedModules: AdviceContext["taintedModules"];
  /** The kernel's configuration, where the user gave one. */
  readonly config: ConfigFile | null;
}

/** What a text tells; of the kernel's options, only a configuration that was given with it. */
export function textAdvice({ log, taints, taintedModules, config }: TextKnown): AdviceContext {
  return {
    options: config === null ? noOptions : configuredOptions(config.config, config.name),
    log,
    taints,
    taintedModules,
    dumpLevel: null,
    imageProblems: [],
    leads: {},
  };
}
