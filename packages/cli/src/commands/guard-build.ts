import type { Command } from "commander";
import type { Context } from "../context.ts";
import { toJson } from "../json.ts";
import { StepLine } from "../step-line.ts";
import { shellWord } from "../text/shell-word.ts";
import { guardCommand, loadGuard } from "./guard-command.ts";

interface BuildOptions {
  readonly kernel?: string;
  readonly output: string;
  readonly json?: boolean;
}

export function registerGuardBuild(guard: Command, context: Context): void {
  guardCommand(guard, {
    name: "build",
    summary: "builds the module for one kernel",
    description:
      "Builds spillway.ko from the sources that come with spillway, with the kernel's own build system: it needs that kernel's\n" +
      "headers, make and the compiler. The kernel need not be the one that runs. No root needed.",
    examples: [
      ["build", "./spillway.ko for the running kernel"],
      ["build --kernel 6.1.0-49-amd64 -o out", "out/spillway.ko for another whose headers are installed"],
    ],
  })
    .option("--kernel <release>", "the kernel to build for, as `uname -r` says it there (default: the one that runs)")
    .option("-o, --output <folder>", "where spillway.ko goes", ".")
    .action(async (options: BuildOptions) => {
      const { buildModule, Host } = await loadGuard();
      const { terminal } = context;
      const host = new Host();
      const steps = new StepLine(terminal);
      const request = { release: options.kernel ?? host.release, output: options.output };
      const result = await buildModule(host, request, (step) => steps.show(step)).finally(() => steps.clear());
      if (options.json) {
        terminal.write(toJson(result));
        return;
      }
      terminal.write(`${result.module}: built for ${result.release}\n`);
      for (const warning of result.warnings) terminal.writeError(`note: ${warning}\n`);
      if (result.release === host.release) {
        terminal.write(`now: sudo spillway guard load --module ${shellWord(result.module)}\n`);
      }
    });
}
