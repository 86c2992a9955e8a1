import { type Kernel, PAGE_SIZE, SpillwayError } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatAscii, formatMemoryRows, type WordBits } from "../format/rd.ts";
import { toJson } from "../json.ts";
import { nameOf, parseAddress, parseCount, resolveLocation } from "../location.ts";
import { hex } from "../text/hex.ts";
import { type DumpOptions, dumpCommand, openOne } from "./dump-command.ts";

interface RdOptions extends DumpOptions {
  readonly bits: string;
  readonly p?: boolean;
  readonly s?: boolean;
  readonly S?: boolean;
  readonly a?: boolean;
  readonly x?: boolean;
  readonly e?: string;
}

/** More than anyone reads, little enough to hold: bytes of one `rd`. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Where `rd -a` without a count gives up looking for the end of a string, in bytes. */
const MAX_STRING = 64 * 1024;

/** What can be read from `address` on, up to `length` bytes, and where it stopped. */
function readUpTo(kernel: Kernel, address: bigint, length: number, physical: boolean): Uint8Array {
  const pieces: Uint8Array[] = [];
  let done = 0;
  while (done < length) {
    const at = address + BigInt(done);
    const inPage = Number(at % BigInt(PAGE_SIZE));
    const want = Math.min(length - done, PAGE_SIZE - inPage);
    const piece = physical
      ? kernel.image.memory.page(Number(at / BigInt(PAGE_SIZE)))?.subarray(inPage, inPage + want)
      : kernel.memory.read(at, want);
    if (!piece) break;
    pieces.push(piece);
    done += want;
  }
  const bytes = new Uint8Array(done);
  let position = 0;
  for (const piece of pieces) {
    bytes.set(piece, position);
    position += piece.length;
  }
  return bytes;
}

const REASONS = {
  unmapped: "is not mapped",
  excluded: "was left out when the dump was written",
  lost: "is lost: the dump is damaged or incomplete there",
  absent: "is no RAM that the dump knows",
} as const;

function missing(kernel: Kernel, address: bigint, physical: boolean): SpillwayError {
  const state = physical
    ? kernel.image.memory.pageState(Number(address / BigInt(PAGE_SIZE)))
    : (kernel.memory.explain(address)?.reason ?? "absent");
  const reason = state === "present" ? "lost" : state;
  const what = physical ? "physical memory at" : "memory at";
  return new SpillwayError("SPW_MEMORY_MISSING", `${what} ${hex(address)} ${REASONS[reason]}`, {
    class: "missing",
    facts: { address, reason },
  });
}

function parseBits(text: string): WordBits {
  const bits = Number(text);
  if (bits === 8 || bits === 16 || bits === 32 || bits === 64) return bits;
  throw new SpillwayError("SPW_USAGE", `words are of 8, 16, 32 or 64 bits, not "${text}"`, { class: "usage" });
}

/** Bytes to read: up to `-e`, or a count of words (for -a: of characters), or one word. */
function lengthOf(
  kernel: Kernel,
  address: bigint,
  count: string | undefined,
  options: RdOptions,
  size: number,
): number {
  if (options.e !== undefined) {
    const end = options.p ? parseAddress(options.e) : resolveLocation(options.e, kernel.symbols).address;
    if (count !== undefined || end === null || end <= address || end - address > BigInt(MAX_BYTES)) {
      throw new SpillwayError("SPW_USAGE", `-e ${options.e} is no end of a range that starts at ${hex(address)}`, {
        class: "usage",
        hint: "give either a count or -e with an address above the start (at most 64 MB above)",
      });
    }
    return Math.ceil(Number(end - address) / size) * size;
  }
  if (count === undefined) return options.a ? MAX_STRING : size;
  return parseCount(count, MAX_BYTES / size) * size;
}

export function registerRd(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "rd",
    summary: "memory, as words, text or symbols",
    description: "memory, as words, text or symbols.\n-8, -16, -32 and -64 choose the size of a word, as in crash.",
    examples: [
      ["rd vmcore init_task 8", "eight words from a symbol"],
      ["rd vmcore -a linux_banner", "as text, to the end of the string"],
      ["rd vmcore -s ffffca72c0013b60 40", "words as symbols where they are some"],
      ["rd vmcore -8 -p 0x1000 32", "bytes at a physical address"],
      ["rd vmcore __ksymtab_panic -e __ksymtab_panic+32", "a range"],
    ],
  })
    .argument("<file>", "the dump")
    .argument("<where>", "an address (hexadecimal), a symbol, SYMBOL+OFFSET")
    .argument("[count]", "how many words (with -a: characters)")
    .option("--bits <n>", "size of a word; -8, -16, -32 and -64 are short for it", "64")
    .option("-p", "the address is a physical one")
    .option("-s", "print words that are addresses of symbols as such")
    .option("-S", "like -s (crash also names slab caches, which a dump without debug information does not tell)")
    .option("-a", "print as text; without a count up to the first character that is none")
    .option("-x", "leave the text column out")
    .option("-e <end>", "read up to this address")
    .action((file: string, where: string, count: string | undefined, options: RdOptions) => {
      const bits = options.a ? 8 : parseBits(options.bits);
      const { kernel } = openOne(context, file, options);
      const physical = options.p ?? false;
      const address = physical ? parseAddress(where) : resolveLocation(where, kernel.symbols).address;
      if (address === null) {
        throw new SpillwayError("SPW_USAGE", `"${where}" is no physical address`, { class: "usage" });
      }
      const length = lengthOf(kernel, address, count, options, bits / 8);
      const bytes = readUpTo(kernel, address, length, physical);
      const symbolic = (options.s ?? options.S ?? false) && bits === 64;
      if (options.json) {
        context.terminal.write(
          toJson({ address, bytes: Buffer.from(bytes).toString("hex"), complete: bytes.length === length }),
        );
      } else if (options.a) {
        context.terminal.write(formatAscii(bytes, address));
      } else {
        const whole = bytes.subarray(0, bytes.length - (bytes.length % (bits / 8)));
        const symbolize = symbolic ? (word: bigint) => nameOf(word, kernel.symbols) : null;
        context.terminal.write(formatMemoryRows(whole, address, { bits, ascii: !options.x, symbolize }));
      }
      const openEnded = options.a && count === undefined && options.e === undefined && bytes.length > 0;
      if (bytes.length < length && !openEnded) throw missing(kernel, address + BigInt(bytes.length), physical);
    });
}
