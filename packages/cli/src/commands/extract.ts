import { deflateSync } from "node:zlib";
import { extractDump } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatMemory } from "../format/sys.ts";
import { writeWhole } from "../io/output-file.ts";
import { toJson } from "../json.ts";
import { Progress } from "../progress.ts";
import { thousands } from "../text/hex.ts";
import { type DumpOptions, dumpCommand, openAll } from "./dump-command.ts";

interface ExtractOptions extends DumpOptions {
  readonly output: string;
  readonly force?: boolean;
}

export function registerExtract(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "extract",
    summary: "a dump small enough to mail: what a diagnosis needs, no user memory",
    description:
      "writes the part of a dump that a diagnosis needs as a kdump-compressed file, which crash and drgn open too. Its\n" +
      "diagnosis is that of the whole dump. User memory is never in it.",
    examples: [
      ["extract vmcore -o small.kdump", "a few MB from any dump"],
      ["diagnose small.kdump", "says the same"],
    ],
  })
    .argument("<file...>", "the dump; several files for a split set")
    .requiredOption("-o, --output <file>", "the file to write")
    .option("-f, --force", "replace the file if it is there")
    .action((files: string[], options: ExtractOptions) => {
      const { terminal } = context;
      const { image } = openAll(context, files, options).kernel;
      const progress = new Progress(terminal);
      const compress = (page: Uint8Array): Uint8Array => deflateSync(page, { level: 9 });
      const extract = (sink: (offset: number, bytes: Uint8Array) => void) => {
        try {
          return extractDump(image, sink, { compress, progress: (...all) => progress.show(...all) });
        } finally {
          progress.clear();
        }
      };
      const result = writeWhole(options.output, options.force ?? false, extract);
      if (options.json) {
        terminal.write(toJson({ output: options.output, ...result }));
        return;
      }
      terminal.write(`${options.output}: ${formatMemory(result.size)}, ${thousands(result.pages)} pages\n`);
      if (result.userPages > 0) {
        terminal.write(`${thousands(result.userPages)} pages of user memory among those wanted were left out\n`);
      }
      for (const unchecked of result.unchecked) terminal.writeError(`note: ${unchecked}\n`);
    });
}
