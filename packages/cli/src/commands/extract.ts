import { deflateSync } from "node:zlib";
import { diagnose, type ExtractResult, extractDump, type KdumpSink, sameDiagnosis } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatMemory } from "../format/sys.ts";
import { writeWhole } from "../io/output-file.ts";
import { refuseInput } from "../io/refuse-input.ts";
import { toJson } from "../json.ts";
import { Progress } from "../progress.ts";
import { thousands } from "../text/hex.ts";
import { type DumpOptions, dumpCommand, openAll } from "./dump-command.ts";

interface ExtractOptions extends DumpOptions {
  readonly output: string;
  readonly force?: boolean;
}

function report(output: string, result: ExtractResult, same: boolean, context: Context): void {
  const { terminal } = context;
  const { kind } = result.diagnosis.verdict;
  const diagnosis = same ? `its diagnosis is the whole dump's: ${kind}` : "its diagnosis differs from the whole dump's";
  terminal.write(`${output}: ${formatMemory(result.size)}, ${thousands(result.pages)} pages; ${diagnosis}\n`);
  const { userPages, freePages } = result;
  if (userPages + freePages > 0) {
    terminal.write(
      `left out of what was read: ${thousands(userPages)} pages of user memory, ${thousands(freePages)} free\n`,
    );
  }
  if (result.vmcoreinfoFromMemory) {
    terminal.write("The dump has no VMCOREINFO; the kernel's own copy, found in memory, is in the extract's header.\n");
  }
  for (const unchecked of result.unchecked) terminal.writeError(`note: ${unchecked}\n`);
}

export function registerExtract(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "extract",
    summary: "a dump small enough to mail: what a diagnosis needs, no user memory",
    description:
      "writes the part of a dump that a diagnosis needs as a kdump-compressed file, which crash and drgn open too. Its\n" +
      "diagnosis is that of the whole dump. User memory is never in it; what kernel memory may tell, see docs/extract.md.",
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
      const dump = openAll(context, files, options);
      refuseInput(options.output, dump.files);
      const progress = new Progress(terminal);
      const compress = (page: Uint8Array): Uint8Array => deflateSync(page, { level: 9 });
      const extract = (sink: KdumpSink) => {
        try {
          return extractDump(dump.kernel.image, sink, { compress, progress: (...all) => progress.show(...all) });
        } finally {
          progress.clear();
        }
      };
      const result = writeWhole(options.output, options.force ?? false, extract);
      const again = diagnose(context.open([options.output]).kernel, { path: options.output });
      const aboutFile = dump.kernel.image.problems.map((problem) => problem.message);
      const same = sameDiagnosis(result.diagnosis, again, aboutFile);
      if (!options.json) {
        report(options.output, result, same, context);
        return;
      }
      const { diagnosis, ...facts } = result;
      terminal.write(
        toJson({ output: options.output, ...facts, verdict: diagnosis.verdict.kind, sameDiagnosis: same }),
      );
    });
}
