import { type CrashedKernel, diagnose, SpillwayError, type TextEvidence } from "@spillway/core";
import type { Command } from "commander";
import { searchFile } from "../changelog/search-file.ts";
import type { Context } from "../context.ts";
import { addReportOptions, type ReportOptions, reportTarget } from "../report/report-options.ts";
import { type ReportSubject, writeReport } from "../report/write-report.ts";
import { CONFIG_HELP, type ConfigOption, configOf } from "./config-option.ts";
import { type DumpOptions, dumpCommand, openAll } from "./dump-command.ts";

interface DiagnoseCommandOptions extends DumpOptions, ConfigOption, ReportOptions {
  readonly changelog?: string;
}

export function registerDiagnose(program: Command, context: Context): void {
  const command = dumpCommand(program, {
    name: "diagnose",
    usesDebugInfo: true,
    summary: "what broke the kernel's stack: verdict, culprit, proof",
    description:
      "what broke the kernel's stack, if that is what happened: the verdict with its confidence, the call chain frame by\n" +
      "frame with what proves it, the damage, and what to do next.",
    examples: [
      ["diagnose vmcore", "a report to read"],
      ["diagnose vmcore --json", "the document of docs/diagnosis-format.md"],
      ["diagnose vmcore --html report.html", "one page with the stack drawn, for a browser"],
      ["diagnose vmcore --markdown", "for a bug tracker"],
      ["diagnose vmcore --changelog auto", "and what was changed about it since"],
      ["diagnose dump.1 dump.2 dump.3", "a split set, in any order"],
      ["diagnose console.log", "a kernel's log: what text alone can tell"],
      ["diagnose - <dmesg.txt", "the same from standard input (dmesg | spillway diagnose -)"],
    ],
  })
    .argument("[file...]", "the dump; several files for a split set; or a log (`-`: standard input)")
    .usage("[options] <file...>")
    .option("--changelog <file>", "search a changelog (Debian, RPM, git log; `auto`: this machine's) for changes since")
    .option("--config <file>", CONFIG_HELP);
  addReportOptions(command).action((named: string[], options: DiagnoseCommandOptions) => {
    const { files, target } = reportTarget(named, options);
    if (files.length === 0) {
      throw new SpillwayError("SPW_USAGE", "no file to diagnose was named", {
        class: "usage",
        hint: "see spillway diagnose --help",
      });
    }
    const text = context.openText?.(files, options.debuginfo || null) ?? null;
    const subject = text === null ? ofDump(context, files, options) : ofText(text, files, options);
    const found = subject.diagnosis;
    const diagnosis =
      options.changelog === undefined
        ? found
        : { ...found, changelog: searchFile(options.changelog, subject.crashed, found) };
    writeReport({ ...subject, diagnosis }, target, context.terminal);
  });
}

/** A diagnosis, and which kernel a changelog is searched for. */
interface Subject extends ReportSubject {
  readonly crashed: CrashedKernel;
}

function ofDump(context: Context, files: readonly string[], options: DiagnoseCommandOptions): Subject {
  const dump = openAll(context, files, options);
  const { kernel } = dump;
  const config = configOf(options, kernel);
  const path = dump.files.join(" ");
  const diagnosis = diagnose(kernel, config === null ? { path } : { path, config });
  return { diagnosis, kernel, crashed: kernel, files: dump.files };
}

function ofText(text: TextEvidence, files: readonly string[], options: DiagnoseCommandOptions): Subject {
  const config = configOf(options, text.kernel);
  const diagnosis = text.diagnose(config === null ? {} : { config });
  return { diagnosis, kernel: null, crashed: text.kernel, files };
}
