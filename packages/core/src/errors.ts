/**
 * The one error class of Spillway. Each kind of failure has a stable `code`; the facts travel in fields and each front
 * end words its own advice from them.
 */

/** What kind of trouble an error is; front ends map it to an exit code. */
export type ErrorClass =
  /** The command line or a call was wrong. */
  | "usage"
  /** The input cannot be read as what it is meant to be. */
  | "input"
  /** The input is fine, but a fact that the question needs is not in it. */
  | "missing"
  /** Something around us (a program, a package, a permission) is not there. */
  | "environment"
  /** A defect of Spillway itself. */
  | "internal";

export type ErrorFact = string | number | bigint | boolean | null | readonly string[];

export interface SpillwayErrorOptions {
  readonly class?: ErrorClass;
  /** Facts for programs: offsets in bytes, addresses as bigint, file names. */
  readonly facts?: Readonly<Record<string, ErrorFact>>;
  /** What the person can do about it; one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A failure with a stable code (`SPW_…`), facts in fields, and one clear line as its message. */
export class SpillwayError extends Error {
  override readonly name = "SpillwayError";
  readonly code: `SPW_${string}`;
  readonly class: ErrorClass;
  readonly facts: Readonly<Record<string, ErrorFact>>;
  readonly hint: string | null;

  constructor(code: `SPW_${string}`, message: string, options: SpillwayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.class = options.class ?? "input";
    this.facts = options.facts ?? {};
    this.hint = options.hint ?? null;
  }
}
