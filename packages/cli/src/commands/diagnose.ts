import { diagnose } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { toJson } from "../json.ts";
import { renderReport } from "../report/report.ts";
import { type DumpOptions, dumpCommand, openAll } from "./dump-command.ts";

export function registerDiagnose(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "diagnose",
    summary: "what broke the kernel's stack: verdict, culprit, proof",
    description:
      "what broke the kernel's stack, if that is what happened: the verdict with its confidence, the call chain frame by\n" +
      "frame with what proves it, the damage, and what to do next.",
    examples: [
      ["diagnose vmcore", "a report to read"],
      ["diagnose vmcore --json", "the document of docs/diagnosis-format.md"],
      ["diagnose dump.1 dump.2 dump.3", "a split set, in any order"],
    ],
  })
    .argument("<file...>", "the dump; several files for a split set")
    .action((files: string[], options: DumpOptions) => {
      const dump = openAll(context, files, options);
      const diagnosis = diagnose(dump.kernel, { path: dump.files.join(" ") });
      context.terminal.write(options.json ? toJson(diagnosis) : renderReport(diagnosis, context.terminal));
    });
}
