import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatSys, systemFacts } from "../format/sys.ts";
import { toJson } from "../json.ts";
import { type DumpOptions, dumpCommand, openAll } from "./dump-command.ts";

export function registerSys(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "sys",
    summary: "what machine this was: release, CPUs, uptime, date, panic message",
    examples: [
      ["sys vmcore", "the summary that crash prints on start"],
      ["sys vmcore --json", "the same for a program, with what could not be read"],
    ],
  })
    .argument("<file...>", "the dump; several files for a split set")
    .action((files: string[], options: DumpOptions) => {
      const dump = openAll(context, files, options);
      const facts = systemFacts(dump.kernel, dump.files);
      context.terminal.write(options.json ? toJson(facts) : formatSys(facts));
      if (!options.json) {
        for (const problem of facts.problems) context.terminal.writeError(`note: ${problem}\n`);
      }
    });
}
