import { type DisassembledInstruction, disassemble, type Kernel, SpillwayError } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatInstruction } from "../format/dis.ts";
import { formatListing } from "../format/source-listing.ts";
import { toJson } from "../json.ts";
import { nameOf, parseCount, resolveLocation } from "../location.ts";
import { noSource, sourceListing, withHeadings } from "../source-of-code.ts";
import { hex } from "../text/hex.ts";
import { type DumpOptions, dumpCommand, openOne } from "./dump-command.ts";

interface DisOptions extends DumpOptions {
  readonly r?: boolean;
  readonly f?: boolean;
  readonly l?: boolean;
  readonly s?: boolean;
  readonly source?: string;
  readonly x?: boolean;
}

/** The longest x86 instruction, in bytes. */
const MAX_INSTRUCTION = 15;
/** Bytes of one function that are disassembled at most: far above any real one. */
const MAX_FUNCTION = 1024 * 1024;
const MAX_COUNT = 100_000;

function read(kernel: Kernel, start: bigint, end: bigint): Uint8Array {
  const bytes = kernel.memory.read(start, Math.min(MAX_FUNCTION, Number(end - start)));
  if (bytes !== null) return bytes;
  const fault = kernel.memory.readSparse(start, Math.min(MAX_FUNCTION, Number(end - start))).faults[0];
  const reason =
    fault === undefined || fault.reason === "unmapped" ? "is not mapped" : `is ${fault.reason} in this dump`;
  throw new SpillwayError("SPW_MEMORY_MISSING", `the code at ${hex(fault?.virtual ?? start)} ${reason}`, {
    class: "missing",
    facts: { address: fault?.virtual ?? start },
  });
}

function select(kernel: Kernel, where: string, count: number | null, options: DisOptions): DisassembledInstruction[] {
  const { address, symbol } = resolveLocation(where, kernel.symbols);
  const range = kernel.symbols.functionAt(address);
  const symbolize = (target: bigint): string | null => nameOf(target, kernel.symbols);
  if (options.r) {
    if (range === null) {
      throw new SpillwayError("SPW_SYMBOL_UNKNOWN", `${hex(address)} lies in no known function`, {
        class: "missing",
        facts: { address },
        hint: "without -r, dis disassembles from any address",
      });
    }
    const bytes = read(
      kernel,
      range.start,
      address + BigInt(MAX_INSTRUCTION) < range.end ? address + BigInt(MAX_INSTRUCTION) : range.end,
    );
    const upTo = disassemble(bytes, range.start, symbolize).filter((instruction) => instruction.address <= address);
    return count === null ? upTo : upTo.slice(-count);
  }
  const whole = (symbol !== null || options.f) && range !== null;
  const wanted = count ?? (whole ? MAX_COUNT : 1);
  // Counted instructions may run past the end of the function, as crash lets them.
  const counted = BigInt(wanted * MAX_INSTRUCTION);
  if (count === null && whole) return disassemble(read(kernel, address, range.end), address, symbolize);
  const { bytes, faults } = kernel.memory.readSparse(address, Math.min(MAX_FUNCTION, Number(counted)));
  const gap = faults[0];
  const readable = gap === undefined ? bytes : bytes.subarray(0, Math.max(0, Number(gap.virtual - address)));
  if (readable.length === 0) read(kernel, address, address + 1n);
  return disassemble(readable, address, symbolize, wanted);
}

function listSource(
  kernel: Kernel,
  where: string,
  count: number | null,
  source: string | null,
  context: Context,
): string {
  const { address } = resolveLocation(where, kernel.symbols);
  const range = kernel.symbols.functionAt(address);
  const code = range === null ? [] : disassemble(read(kernel, range.start, range.end), range.start, () => null);
  const listing = sourceListing(kernel, address, code, count, source);
  if (listing.text === null) {
    const why =
      source === null ? "name the source tree with --source for its text" : `there is no such file below ${source}`;
    context.terminal.writeError(`note: ${why}\n`);
  }
  return formatListing(listing);
}

export function registerDis(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "dis",
    usesDebugInfo: true,
    summary: "machine code, AT&T syntax",
    description: "machine code as the dump holds it (patched code included), AT&T syntax.",
    examples: [
      ["dis vmcore hrtimer_nanosleep", "a whole function"],
      ["dis vmcore -r ffffffffad9cd21a", "from the start of the function up to an address"],
      ["dis vmcore -f do_futex+0x52 6", "six instructions from there"],
      ["dis vmcore -l panic", "with source lines"],
      ["dis vmcore -s panic --source linux-6.1", "the function's source"],
    ],
  })
    .argument("<file>", "the dump")
    .argument("<where>", "a symbol, SYMBOL+OFFSET or an address (hexadecimal)")
    .argument("[count]", "how many instructions (with -r: the last so many)")
    .option("-r", "from the start of the function up to and including the address")
    .option("-f", "from the address to the end of the function")
    .option("-l", "a heading with file and line wherever the source line changes (needs debug information)")
    .option(
      "-s",
      "the source of the function, instead of its code (needs debug information, and --source for the text)",
    )
    .option("--source <directory>", "the kernel's source tree, or the module's")
    .option("-x", "taken and ignored: numbers are hexadecimal anyway")
    .action((file: string, where: string, count: string | undefined, options: DisOptions) => {
      if (options.r && options.f) {
        throw new SpillwayError("SPW_USAGE", "-r and -f exclude each other", { class: "usage" });
      }
      const limit = count === undefined ? null : parseCount(count, MAX_COUNT);
      const { kernel } = openOne(context, file, options);
      if (options.s) {
        context.terminal.write(listSource(kernel, where, limit, options.source ?? null, context));
        return;
      }
      const instructions = select(kernel, where, limit, options);
      if (options.json) {
        const plain = instructions.map((instruction) => ({
          address: instruction.address,
          symbol: nameOf(instruction.address, kernel.symbols),
          bytes: Buffer.from(instruction.bytes).toString("hex"),
          text: instruction.text,
        }));
        context.terminal.write(toJson(plain));
        return;
      }
      const print = (one: DisassembledInstruction) => formatInstruction(one, nameOf(one.address, kernel.symbols, true));
      if (options.l) {
        const first = instructions[0];
        context.terminal.write(withHeadings(kernel, instructions, print));
        if (first !== undefined && !instructions.some((one) => kernel.debugInfo?.framesAt(one.address)[0]?.location)) {
          context.terminal.writeError(`note: ${noSource(kernel, first.address).message}\n`);
        }
      } else {
        context.terminal.write(instructions.map(print).join(""));
      }
    });
}
