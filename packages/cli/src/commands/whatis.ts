import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatMeaning, plainMeaning } from "../format/whatis.ts";
import { toJson } from "../json.ts";
import { printable } from "../text/printable.ts";
import { type RadixOptions, radixOf } from "../value-style.ts";
import { meaningsOf } from "../whatis.ts";
import { type DumpOptions, dumpCommand, openOne } from "./dump-command.ts";

interface WhatisOptions extends DumpOptions, RadixOptions {
  readonly o?: boolean;
}

export function registerWhatis(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "whatis",
    usesDebugInfo: true,
    summary: "what a name means in C: type, enumerator, variable, function",
    examples: [
      ["whatis vmcore list_head -o", "a struct, with the offsets of its members"],
      ["whatis vmcore vfs_read", "a function's prototype"],
      ["whatis vmcore irqreturn_t", "a typedef"],
      ["whatis vmcore PIDTYPE_TGID", "an enumerator: its enum and value"],
      ["whatis vmcore task_struct.se.load", "a member"],
    ],
  })
    .argument("<file>", "the dump")
    .argument("<what...>", 'a name, with or without "struct", "union" or "enum" before it; STRUCT.member')
    .option("-o", "offsets of the members of a struct")
    .option("-x", "offsets in hexadecimal")
    .option("-d", "offsets in decimal (the default)")
    .action((file: string, words: string[], options: WhatisOptions) => {
      const radix = radixOf(options);
      const { kernel } = openOne(context, file, options);
      const found = meaningsOf(kernel, words);
      if (options.json) {
        context.terminal.write(toJson(found.map(plainMeaning)));
        return;
      }
      const text = found.map((one) => formatMeaning(one, { show: options.o ? "offset" : "none", radix })).join("\n");
      context.terminal.write(printable(text, { keepLines: true }));
    });
}
