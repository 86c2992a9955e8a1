import type { CrashCase } from "./crash-case.ts";

/** One line of the table in docs/advice.md. */
export interface Rule {
  /** Its name in docs/advice.md. */
  readonly id: string;
  /** What follows from the case; null where the rule has nothing to say about it. */
  readonly say: (crash: CrashCase) => string | null;
}
