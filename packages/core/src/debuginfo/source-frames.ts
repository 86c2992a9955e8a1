import type { SourceFrame, SourceLocation } from "./debug-info.ts";
import { DW_AT, DW_TAG } from "./dwarf/constants.ts";
import type { Die } from "./dwarf/die.ts";
import type { DwarfFile } from "./dwarf/dwarf-file.ts";

/**
 * The functions of the source at an address of one file, innermost first. Where the address has a line but lies in no function
 * that the debug information tells of (assembler sources), one frame without a name.
 * @param pc signed link-time address of an instruction (for a return address: of the call, one byte before)
 */
export function sourceFrames(file: DwarfFile, pc: number): readonly SourceFrame[] {
  const unit = file.unitCovering(pc);
  if (unit === null) return [];
  const lines = file.linesOf(unit);
  let location = lines === null ? null : file.attempt(() => lines.at(pc));
  const functions = file.scopesAt(pc).filter((die) => die.tag !== DW_TAG.lexicalBlock);
  if (functions.length === 0) return location === null ? [] : [{ function: null, inlined: false, location }];
  const frames: SourceFrame[] = [];
  for (const die of [...functions].reverse()) {
    const inlined = die.tag === DW_TAG.inlinedSubroutine;
    frames.push({ function: file.attempt(() => functionName(die)), inlined, location });
    // The function around it was at the call when this one ran.
    if (inlined) location = file.attempt(() => callSite(file, die));
  }
  return frames;
}

function callSite(file: DwarfFile, die: Die): SourceLocation | null {
  const lines = file.linesOf(die.unit);
  const { callFile, callLine, callColumn } = DW_AT;
  return lines?.location(die.number(callFile), die.number(callLine), die.number(callColumn)) ?? null;
}

/** A function's name in the source, through the DIE that it is an instance of. @throws SpillwayError `SPW_DEBUGINFO_CORRUPT` */
export function functionName(die: Die): string | null {
  return die.originWith(DW_AT.name)?.name ?? null;
}
