import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatModules } from "../format/mod.ts";
import { toJson } from "../json.ts";
import { type DumpOptions, dumpCommand, openAll } from "./dump-command.ts";

export function registerMod(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "mod",
    summary: "the loaded modules",
    examples: [
      ["mod vmcore", "name, base, size, state and taints of each"],
      ["mod vmcore --json", "with all their memory areas"],
    ],
  })
    .argument("<file...>", "the dump; several files for a split set")
    .action((files: string[], options: DumpOptions) => {
      const { modules } = openAll(context, files, options).kernel.symbols;
      if (options.json) context.terminal.write(toJson(modules));
      else context.terminal.write(modules.length === 0 ? "no modules are loaded\n" : formatModules(modules));
    });
}
