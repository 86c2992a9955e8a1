import {
  allTypes,
  type CType,
  type Kernel,
  SpillwayError,
  stripTypedefs,
  type TypeProvider,
  walkList,
} from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { brokenListText, mismatchText } from "../format/list.ts";
import { toJson } from "../json.ts";
import { parseCount, resolveLocation } from "../location.ts";
import { formatRead, plainRead, readRequest, structRequest } from "../struct-request.ts";
import { hex16 } from "../text/hex.ts";
import { printable } from "../text/printable.ts";
import { parseOffset } from "../type-lookup.ts";
import { type RadixOptions, radixOf, valueStyle } from "../value-style.ts";
import { type DumpOptions, dumpCommand, openOne } from "./dump-command.ts";

interface ListOptions extends DumpOptions, RadixOptions {
  readonly o?: string;
  readonly e?: string;
  readonly h?: boolean;
  readonly H?: boolean;
  readonly O?: string;
  readonly s?: string;
  readonly S?: string;
  readonly l?: string;
  readonly r?: boolean;
  readonly c?: string;
}

/** Entries at most, whatever the list says. */
const MAX_ENTRIES = 1_000_000;
/** Entries shown where no count was given. */
const DEFAULT_ENTRIES = 100_000;

/** The offset may stand before the start without -o, as in crash: `list task_struct.tasks -h init_task`. */
function split(
  words: readonly string[],
  options: ListOptions,
): { readonly offset: string | null; readonly start: string } {
  const [first, second, ...more] = words;
  if (first === undefined || more.length > 0 || (second !== undefined && options.o !== undefined)) {
    throw new SpillwayError("SPW_USAGE", "list takes an offset and a start", {
      class: "usage",
      hint: "spillway list FILE -H modules -o module.list",
    });
  }
  if (second === undefined) return { offset: options.o ?? null, start: first };
  const swapped = /^\d+$|\w\.\w/.test(second) && !/^\d+$|\w\.\w/.test(first);
  return swapped ? { offset: second, start: first } : { offset: first, start: second };
}

function isListHead(type: CType | null): boolean {
  const stripped = type === null ? null : stripTypedefs(type);
  return stripped?.kind === "struct" && stripped.name === "list_head";
}

function walk(kernel: Kernel, types: TypeProvider, words: readonly string[], options: ListOptions) {
  const { offset, start } = split(words, options);
  if (options.h && options.H) {
    throw new SpillwayError("SPW_USAGE", "-h and -H exclude each other", { class: "usage" });
  }
  const link = offset === null ? { offset: 0, type: null } : parseOffset(types, offset);
  const limit = options.c === undefined ? DEFAULT_ENTRIES : parseCount(options.c, MAX_ENTRIES);
  const back = options.l === undefined ? 0 : parseOffset(types, options.l).offset;
  const list = walkList(kernel.memory, {
    from: options.h ? "member" : options.H ? "head" : "entry",
    start: resolveLocation(start, kernel.symbols).address,
    offset: link.offset,
    ...(options.O === undefined ? {} : { startOffset: parseOffset(types, options.O).offset }),
    reverse: options.r ?? false,
    checkBack: (options.h ?? options.H ?? false) && isListHead(link.type),
    ...(options.e === undefined ? {} : { end: resolveLocation(options.e, kernel.symbols).address }),
    limit,
  });
  return { list, back: BigInt(back) };
}

export function registerList(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "list",
    usesDebugInfo: true,
    summary: "linked lists: the addresses of their entries, or their content",
    description:
      "linked lists. START is the first entry, linked by a pointer at the offset; with -h an entry with a list_head embedded there; with -H a list_head outside the entries.",
    examples: [
      ["list vmcore module.list -H modules -s module.name", "the modules"],
      ["list vmcore task_struct.tasks -h init_task -s task_struct.pid,comm", "all processes"],
      ["list vmcore file_system_type.next ffffffff9e1b5640", "a list that ends with NULL"],
      ["list vmcore -o 8 -e ffff8f2601208000 ffff8f260120a0c0", "up to an entry"],
    ],
  })
    .helpOption("--help", "print help")
    .argument("<file>", "the dump")
    .argument("<words...>", "[OFFSET] START: bytes or STRUCT.member; an address (hexadecimal) or a symbol")
    .option("-o <offset>", "where in an entry its link lies: bytes, or STRUCT.member")
    .option("-h", "START is an entry with an embedded list_head")
    .option("-H", "START is a list_head outside the entries")
    .option("-O <offset>", "with -h: where the link lies in START, where that is another struct")
    .option("-s <struct>", "print each entry as this struct, or STRUCT.member,member of it")
    .option("-S <struct>", "the same as -s")
    .option("-l <offset>", "with -s: the entries are that far into the struct")
    .option("-r", "backwards, by prev")
    .option("-e <address>", "end before this entry")
    .option("-c <count>", "entries at most")
    .option("-x", "numbers in hexadecimal")
    .option("-d", "numbers in decimal (the default)")
    .action((file: string, words: string[], options: ListOptions) => {
      radixOf(options);
      const { kernel } = openOne(context, file, options);
      const types = allTypes(kernel);
      const word = options.s ?? options.S;
      const asked = word === undefined ? null : structRequest(types, word);
      const { list, back } = walk(kernel, types, words, options);
      const problems = [mismatchText(list), brokenListText(list)].filter((text) => text !== null);
      if (options.json) {
        const entries = list.entries.map((address) => ({
          address,
          ...(asked === null ? {} : { value: plainRead(readRequest(kernel, asked, address - back)) }),
        }));
        context.terminal.write(toJson({ entries, complete: list.broken === null, problems }));
      } else {
        const style = valueStyle(kernel, options);
        const blocks = list.entries.map((address) => {
          const content = asked === null ? "" : formatRead(asked, readRequest(kernel, asked, address - back), style);
          return `${hex16(address)}\n${content}`;
        });
        context.terminal.write(printable(blocks.join(""), { keepLines: true }));
      }
      if (problems.length > 0) {
        throw new SpillwayError("SPW_LIST_BROKEN", problems.join("; "), {
          class: "missing",
          facts: { entries: list.entries.length },
        });
      }
    });
}
