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
  if (functions.length === 0)
    return location === null ? [] : [{ function: null, inlined: false, location, declared: null }];
  const frames: SourceFrame[] = [];
  for (const die of [...functions].reverse()) {
    const inlined = die.tag === DW_TAG.inlinedSubroutine;
    const name = file.attempt(() => functionName(die));
    const declared = file.attempt(() => declaration(file, die));
    frames.push({ function: name, inlined, location, declared });
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

/** Of the definition that the DIE is an instance of: its unit's files are not always this one's. */
function declaration(file: DwarfFile, die: Die): SourceLocation | null {
  const origin = die.originWith(DW_AT.declLine);
  if (origin === null) return null;
  const { declFile, declLine, declColumn } = DW_AT;
  const number = origin.originWith(declFile)?.number(declFile) ?? null;
  return file.linesOf(origin.unit)?.location(number, origin.number(declLine), origin.number(declColumn)) ?? null;
}

/** A function's name in the source, through the DIE that it is an instance of. @throws SpillwayError `SPW_DEBUGINFO_CORRUPT` */
export function functionName(die: Die): string | null {
  return die.originWith(DW_AT.name)?.name ?? null;
}
