import { type CrashedKernel, type Diagnosis, diagnose, type TextEvidence } from "@spillway/core";
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
      ["diagnose console.log", "a kernel's log: what text alone can tell"],
      ["diagnose - <dmesg.txt", "the same from standard input (dmesg | spillway diagnose -)"],
    ],
  })
    .argument("<file...>", "the dump; several files for a split set; or a log (`-`: standard input)")
    .option("--changelog <file>", "search a changelog (Debian, RPM, git log; `auto`: this machine's) for changes since")
    .option("--config <file>", CONFIG_HELP)
    .action((files: string[], options: DiagnoseCommandOptions) => {
      const text = context.openText?.(files) ?? null;
      const [found, kernel] = text === null ? ofDump(context, files, options) : ofText(text, options);
      const diagnosis =
        options.changelog === undefined ? found : { ...found, changelog: searchFile(options.changelog, kernel, found) };
      context.terminal.write(options.json ? toJson(diagnosis) : renderReport(diagnosis, context.terminal));
    });
}

function ofDump(
  context: Context,
  files: readonly string[],
  options: DiagnoseCommandOptions,
): [Diagnosis, CrashedKernel] {
  const dump = openAll(context, files, options);
  const { kernel } = dump;
  const config = configOf(options, kernel);
  const path = dump.files.join(" ");
  return [diagnose(kernel, config === null ? { path } : { path, config }), kernel];
}

function ofText(text: TextEvidence, options: DiagnoseCommandOptions): [Diagnosis, CrashedKernel] {
  const config = configOf(options, text.kernel);
  return [text.diagnose(config === null ? {} : { config }), text.kernel];
}
