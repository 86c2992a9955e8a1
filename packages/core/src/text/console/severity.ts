/** Which reports a machine may survive. */
import type { ConsoleCrash, HeadlineKind } from "./report.ts";

const SOFT: ReadonlySet<HeadlineKind> = new Set<HeadlineKind>(["warning", "lockup", "unwinder", "stack-low", "other"]);

/** A warning, after which the machine went on. */
export function isSoft(crash: Pick<ConsoleCrash, "headline" | "further" | "panic">): boolean {
  return crash.panic === null && [crash.headline, ...crash.further].every((one) => SOFT.has(one.kind));
}
