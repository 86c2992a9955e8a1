/**
 * What a check came to: `ok`; `forbids` (the module cannot run until that is changed); `note` (it can, but this is worth
 * knowing); `unknown` (this machine does not tell).
 */
export type FindingState = "ok" | "forbids" | "note" | "unknown";

/** One thing that was looked at. */
export interface Finding {
  /** A stable name for programs, such as `ftrace-enabled`. */
  readonly id: string;
  readonly state: FindingState;
  /** What is so, as one line. */
  readonly text: string;
  /** How that is known: a file of the machine; null where it is not known. */
  readonly source: string | null;
  /** What can be done about it; null where there is nothing to do. */
  readonly advice: string | null;
}

/** Nothing in the way. */
export function ok(id: string, text: string, source: string): Finding {
  return { id, state: "ok", text, source, advice: null };
}

/** The module cannot run. */
export function forbids(id: string, text: string, source: string, advice: string): Finding {
  return { id, state: "forbids", text, source, advice };
}

/** The module can run, but. */
export function note(id: string, text: string, source: string | null, advice: string | null = null): Finding {
  return { id, state: "note", text, source, advice };
}

/** The machine does not tell. */
export function unknown(id: string, text: string, advice: string | null = null): Finding {
  return { id, state: "unknown", text, source: null, advice };
}
