/**
 * One pass over all code of a program: each function is read and decoded once, together with its cold parts, and handed to
 * everyone who wants to look at it.
 */
import { CodeColumns } from "../code/code-columns.ts";
import { withoutPadding } from "../code/padding.ts";
import type { Program } from "../program/program.ts";
import { type FunctionTable, fullAddress, type Span } from "./function-table.ts";

/** A function in the pass. */
export interface WalkedFunction {
  /** Its number in the table. */
  readonly index: number;
  /** Its body, and behind it its cold parts. Filled anew for the next function: keep nothing of it. */
  readonly code: CodeColumns;
}

export interface FunctionVisitor {
  visit(walked: WalkedFunction): void;
}

/** Told now and then how many of the functions are done. */
export type WalkProgress = (done: number, total: number) => void;

/** Functions between two calls of the progress. */
const PROGRESS_STEP = 1024;

/**
 * Decodes the functions in ascending order of their numbers; each visitor sees each one, in the visitors' order.
 * @returns functions whose text could not be read (pages that a dump left out); nobody saw them
 */
export function walkFunctions(
  program: Program,
  table: FunctionTable,
  visitors: readonly FunctionVisitor[],
  progress: WalkProgress = () => {},
): readonly number[] {
  const code = new CodeColumns();
  const unread: number[] = [];
  for (let index = 0; index < table.count; index++) {
    if (index % PROGRESS_STEP === 0) progress(index, table.count);
    code.clear();
    const spans: Span[] = [{ start: table.start[index]!, end: table.end[index]! }, ...(table.parts.get(index) ?? [])];
    if (!spans.every((span) => decodeSpan(program, code, span))) {
      unread.push(index);
      continue;
    }
    const walked = { index, code };
    for (const visitor of visitors) visitor.visit(walked);
  }
  progress(table.count, table.count);
  return unread;
}

function decodeSpan(program: Program, code: CodeColumns, { start, end }: Span): boolean {
  const address = fullAddress(start);
  const bytes = program.memory.read(address, end - start);
  if (bytes === null) return false;
  code.decode(withoutPadding(bytes), address);
  return true;
}
