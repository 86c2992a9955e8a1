import { type DisassembledInstruction, type Kernel, type SourceFrame, SpillwayError } from "@spillway/core";
import { formatHeading, type SourceListing } from "./format/source-listing.ts";
import { sourceLines } from "./io/source-tree.ts";
import { hex } from "./text/hex.ts";

/** Lines shown around the address's own where the function's extent is not known. */
const AROUND = 5;
/** No function of the kernel is longer; ends what damaged debug information claims. */
const MOST_LINES = 5000;

/** The error where a command needs debug information and has none for an address. */
export function noSource(kernel: Kernel, address: bigint): SpillwayError {
  return new SpillwayError("SPW_SOURCE_UNKNOWN", `no debug information tells the source line of ${hex(address)}`, {
    class: "missing",
    facts: { address },
    hint: kernel.debugInfo?.problems[0] ?? "name the vmlinux or module with --debuginfo, or install its debug package",
  });
}

/** Instructions with a heading wherever they come from another line. */
export function withHeadings(
  kernel: Kernel,
  instructions: readonly DisassembledInstruction[],
  print: (instruction: DisassembledInstruction) => string,
): string {
  let text = "";
  let before = "";
  for (const instruction of instructions) {
    const innermost = kernel.debugInfo?.framesAt(instruction.address)[0];
    if (innermost?.location) {
      const heading = formatHeading(innermost.location, innermost.inlined ? innermost.function : null);
      if (heading !== before) text += heading;
      before = heading;
    }
    text += print(instruction);
  }
  return text;
}

/**
 * The source around an address: its function, as far as the function's code lies in one file.
 * @param count lines to show from the address's own on; null for the function
 * @param directory the source tree; null where none was named
 */
export function sourceListing(
  kernel: Kernel,
  address: bigint,
  instructions: readonly DisassembledInstruction[],
  count: number | null,
  directory: string | null,
): SourceListing {
  const own = outermost(kernel.debugInfo?.framesAt(address));
  const at = own?.location ?? null;
  if (own === undefined || at === null) throw noSource(kernel, address);
  const withCode = new Set<number>();
  for (const instruction of instructions) {
    const location = outermost(kernel.debugInfo?.framesAt(instruction.address))?.location;
    if (location?.file === at.file) withCode.add(location.line);
  }
  const declared = own.declared?.file === at.file ? own.declared.line : null;
  const first = count !== null ? at.line : (declared ?? Math.max(1, at.line - AROUND));
  const last =
    count !== null ? at.line + count - 1 : Math.max(at.line, ...withCode, declared === null ? at.line + AROUND : 0);
  const text = directory === null ? null : sourceLines(directory, at.file);
  return { at, first, last: Math.min(last, first + MOST_LINES), withCode, text };
}

/** The function that the code was made for, with its own line: the call's where something was inlined. */
function outermost(frames: readonly SourceFrame[] | undefined): SourceFrame | undefined {
  return frames?.at(-1);
}
