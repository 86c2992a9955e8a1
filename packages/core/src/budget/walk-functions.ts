/**
 * One pass over all code of a program: each function is read and decoded once, together with its cold parts, and handed to
 * everyone who wants to look at it.
 */
import { CodeColumns } from "../code/code-columns.ts";
import { withoutPadding } from "../code/padding.ts";
import type { Program } from "../program/program.ts";
import { type FunctionTable, fullAddress, type Span } from "./function-table.ts";
import { BlockColumns, type OrderedBlocks } from "./indirect/block-columns.ts";
import type { UnpackedFunction } from "./packed-function.ts";

/** A function in the pass. */
export interface WalkedFunction {
  /** Its number in the table; those for the start only are counted on behind all others. */
  readonly index: number;
  /** Its body, and behind it its cold parts. Filled anew for the next function: keep nothing of it. */
  readonly code: CodeColumns;
  /** Its blocks, where they are known already. */
  readonly blocks: OrderedBlocks | null;
}

export interface FunctionVisitor {
  visit(walked: WalkedFunction): void;
  /** The same for functions for the start only, when all others have been visited; left out by whoever needs none of them. */
  visitInit?(walked: WalkedFunction, entry: number): void;
}

/** Functions that somebody else decodes. */
export interface DecodedFunctions {
  /**
   * Fills the columns with a function; false where it is not there (yet). Functions are asked for in ascending order, each once
   * at most.
   */
  take(index: number, into: UnpackedFunction): boolean;
}

/** Told now and then how many of the functions are done. */
export type WalkProgress = (done: number, total: number) => void;

/** Functions between two calls of the progress. */
const PROGRESS_STEP = 1024;

/**
 * Decodes the functions in ascending order of their numbers; each visitor sees each one, in the visitors' order.
 * @param decoded what need not be decoded here
 * @returns functions whose text could not be read (pages that a dump left out); nobody saw them
 */
export function walkFunctions(
  program: Program,
  table: FunctionTable,
  visitors: readonly FunctionVisitor[],
  progress: WalkProgress = () => {},
  decoded: DecodedFunctions | null = null,
): readonly number[] {
  const reader = new FunctionReader(program, decoded);
  const unread: number[] = [];
  for (let index = 0; index < table.count; index++) {
    if (index % PROGRESS_STEP === 0) progress(index, table.count);
    const body = { start: table.start[index]!, end: table.end[index]! };
    const walked = reader.read(index, () => [body, ...(table.parts.get(index) ?? [])], withoutPadding);
    if (walked === null) unread.push(index);
    else for (const visitor of visitors) visitor.visit(walked);
  }
  if (visitors.some((visitor) => visitor.visitInit !== undefined)) {
    for (const [at, init] of table.init.entries()) {
      const walked = reader.read(table.count + at, () => [init], asItIs);
      if (walked !== null) for (const visitor of visitors) visitor.visitInit?.(walked, init.entry);
    }
  }
  progress(table.count, table.count);
  return unread;
}

function asItIs(bytes: Uint8Array): Uint8Array {
  return bytes;
}

/** Reads one function after the other into the same columns. */
class FunctionReader {
  readonly #program: Program;
  readonly #decoded: DecodedFunctions | null;
  readonly #into: UnpackedFunction = { code: new CodeColumns(), blocks: new BlockColumns() };

  constructor(program: Program, decoded: DecodedFunctions | null) {
    this.#program = program;
    this.#decoded = decoded;
  }

  /**
   * Null where its text cannot be read.
   * @param spans where it lies
   * @param trim what of these bytes is decoded
   */
  read(index: number, spans: () => readonly Span[], trim: (bytes: Uint8Array) => Uint8Array): WalkedFunction | null {
    const { code, blocks } = this.#into;
    if (this.#decoded?.take(index, this.#into) ?? false) return { index, code, blocks };
    code.clear();
    for (const { start, end } of spans()) {
      const address = fullAddress(start);
      const bytes = this.#program.memory.read(address, end - start);
      if (bytes === null) return null;
      code.decode(trim(bytes), address);
    }
    return { index, code, blocks: null };
  }
}
