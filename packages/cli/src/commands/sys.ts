import { kernelOptions } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatOptions, optionRows } from "../format/kernel-options.ts";
import { formatSys, systemFacts } from "../format/sys.ts";
import { toJson } from "../json.ts";
import { CONFIG_HELP, type ConfigOption, configOf } from "./config-option.ts";
import { type DumpOptions, dumpCommand, openAll } from "./dump-command.ts";

interface SysOptions extends DumpOptions, ConfigOption {
  readonly options?: boolean;
}

export function registerSys(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "sys",
    summary: "what machine this was: release, CPUs, uptime, date, panic message",
    examples: [
      ["sys vmcore", "the summary that crash prints on start"],
      ["sys vmcore --options", "the build options that concern stacks, with how each is known"],
      ["sys vmcore --json", "the same for a program, with what could not be read"],
    ],
  })
    .argument("<file...>", "the dump; several files for a split set")
    .option("--options", "the kernel's build options that concern stacks, instead")
    .option("--config <file>", CONFIG_HELP)
    .action((files: string[], options: SysOptions) => {
      const dump = openAll(context, files, options);
      if (options.options) {
        const rows = optionRows(kernelOptions(dump.kernel, configOf(options, dump.kernel)));
        context.terminal.write(options.json ? toJson(rows) : formatOptions(rows));
        return;
      }
      const facts = systemFacts(dump.kernel, dump.files);
      context.terminal.write(options.json ? toJson(facts) : formatSys(facts));
      if (!options.json) {
        for (const problem of facts.problems) context.terminal.writeError(`note: ${problem}\n`);
      }
    });
}
