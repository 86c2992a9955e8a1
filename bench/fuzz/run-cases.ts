import { SpillwayError } from "@spillway/core";

export interface Cases {
  /** What is damaged, for the summary. */
  readonly path: string;
  readonly cases: number;
  readonly firstSeed: number;
  /** A case that takes longer is a failure. */
  readonly mostMs: number;
}

/**
 * Runs one case for each seed: it names its outcome, or ends with a SpillwayError; anything else thrown is a failure.
 * Prints the outcomes and what repeats each failure; returns the exit status.
 */
export function runCases({ path, cases, firstSeed, mostMs }: Cases, runCase: (seed: number) => string): number {
  const outcomes = new Map<string, number>();
  let failures = 0;
  let slowest = { ms: 0, seed: firstSeed };
  for (let seed = firstSeed; seed < firstSeed + cases; seed++) {
    const start = performance.now();
    let outcome = "";
    try {
      outcome = runCase(seed);
    } catch (error) {
      if (error instanceof SpillwayError && error.class !== "internal") outcome = error.code;
      else {
        failures++;
        outcome = "FAILED";
        console.log(`FAILED --seed ${seed} --cases 1\n  ${error instanceof Error ? error.stack : error}`);
      }
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    const ms = performance.now() - start;
    if (ms > slowest.ms) slowest = { ms, seed };
    if (ms > mostMs) {
      failures++;
      console.log(`SLOW --seed ${seed} --cases 1: ${ms.toFixed(0)} ms`);
    }
  }
  console.log(`${cases} damaged copies of ${path}:`);
  for (const [outcome, count] of [...outcomes].sort((a, b) => b[1] - a[1])) console.log(`  ${outcome} ${count}`);
  console.log(`slowest ${slowest.ms.toFixed(0)} ms (seed ${slowest.seed}); ${failures} failures`);
  return failures === 0 ? 0 : 1;
}
