import { diagnose } from "@spillway/core";
import type { Command } from "commander";
import { searchFile } from "../changelog/search-file.ts";
import type { Context } from "../context.ts";
import { toJson } from "../json.ts";
import { renderReport } from "../report/report.ts";
import { CONFIG_HELP, type ConfigOption, configOf } from "./config-option.ts";
import { type DumpOptions, dumpCommand, openAll } from "./dump-command.ts";

interface DiagnoseCommandOptions extends DumpOptions, ConfigOption {
  readonly changelog?: string;
}

export function registerDiagnose(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "diagnose",
    usesDebugInfo: true,
    summary: "what broke the kernel's stack: verdict, culprit, proof",
    description:
      "what broke the kernel's stack, if that is what happened: the verdict with its confidence, the call chain frame by\n" +
      "frame with what proves it, the damage, and what to do next.",
    examples: [
      ["diagnose vmcore", "a report to read"],
      ["diagnose vmcore --json", "the document of docs/diagnosis-format.md"],
      ["diagnose vmcore --changelog auto", "and what was changed about it since"],
      ["diagnose dump.1 dump.2 dump.3", "a split set, in any order"],
    ],
  })
    .argument("<file...>", "the dump; several files for a split set")
    .option("--changelog <file>", "search a changelog (Debian, RPM, git log; `auto`: this machine's) for changes since")
    .option("--config <file>", CONFIG_HELP)
    .action((files: string[], options: DiagnoseCommandOptions) => {
      const dump = openAll(context, files, options);
      const { kernel } = dump;
      const config = configOf(options, kernel);
      const path = dump.files.join(" ");
      let diagnosis = diagnose(kernel, config === null ? { path } : { path, config });
      if (options.changelog !== undefined) {
        diagnosis = { ...diagnosis, changelog: searchFile(options.changelog, kernel, diagnosis) };
      }
      context.terminal.write(options.json ? toJson(diagnosis) : renderReport(diagnosis, context.terminal));
    });
}
