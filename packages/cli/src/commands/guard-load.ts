import type { Command } from "commander";
import type { Context } from "../context.ts";
import { toJson } from "../json.ts";
import { thousands } from "../text/hex.ts";
import { guardCommand, loadGuard } from "./guard-command.ts";
import { type ParameterOptions, parametersFrom, withParameterOptions } from "./guard-parameters.ts";

interface LoadOptions extends ParameterOptions {
  readonly module?: string;
  readonly json?: boolean;
}

export function registerGuardLoad(guard: Command, context: Context): void {
  const command = guardCommand(guard, {
    name: "load",
    summary: "loads the module: from now on nearly full stacks are left for extra ones",
    description:
      "Loads the installed module, or a file. It tests itself first, and either works as a whole or leaves no trace. Where it\n" +
      "refuses, the kernel's answer and the module's own words are put into one message. Needs root.",
    examples: [
      ["load", "the installed one, with its defaults"],
      ["load --module ./spillway.ko --stacks 16", "a file, and 16 extra stacks"],
      ["load --threshold 10240 --points vfs_write", "one point alone, at another threshold"],
      ["load --plan plan.json", "as spillway plan --json chose for this kernel"],
    ],
  }).option("--module <file>", "a module to load instead of the installed one");
  withParameterOptions(command).action(async (options: LoadOptions) => {
    const { Host, loadModule } = await loadGuard();
    const host = new Host();
    const parameters = await parametersFrom(options, { release: host.release, modules: host.loadedModules() }, context);
    const state = await loadModule(host, { module: options.module ?? null, parameters });
    if (options.json) {
      context.terminal.write(toJson(state));
      return;
    }
    const { total, stackBytes, thresholdBytes, points } = state;
    context.terminal.write(
      `loaded: ${total} extra stacks of ${thousands(stackBytes)} bytes, ${points.length} critical points; ` +
        `they switch above ${thousands(thresholdBytes)} bytes\n`,
    );
  });
}
