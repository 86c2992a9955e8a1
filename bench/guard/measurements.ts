/** Measurements that a guest prints, round by round, and their ratios. */
import { median } from "../lib/stats.ts";

/** One figure, of one state in one round. */
export interface Measurement {
  readonly round: number;
  /** "none", "direct-idle", "ipmodify-switch", … */
  readonly state: string;
  /** "write" or "kernel_write". */
  readonly call: string;
  /** For each call; nanoseconds, or instructions where the guest's clock goes by them. */
  readonly cost: number;
}

export interface Row {
  readonly call: string;
  readonly state: string;
  readonly median: number;
  /** To the state "none" of the same round. */
  readonly ratio: { readonly median: number; readonly lower: number; readonly upper: number };
}

/** Reads "round N" and "STATE CALL: … N ns each" lines; others are skipped. */
export function readMeasurements(output: string): Measurement[] {
  const found: Measurement[] = [];
  let round = 0;
  for (const line of output.split("\n")) {
    const start = /^round (\d+)$/.exec(line);
    if (start !== null) round = Number(start[1]);
    const [, state, call, cost] = /^(\S+) (\w+): .* (\d+) ns each$/.exec(line) ?? [];
    if (state !== undefined) found.push({ round, state, call: call!, cost: Number(cost) });
  }
  return found;
}

/**
 * Each state against "none": the medians of each round are compared, so that what slows the machine for a while slows
 * both. Lower and upper are the quartiles of the rounds' ratios.
 */
export function compareStates(measurements: readonly Measurement[]): Row[] {
  const rounds = [...new Set(measurements.map((m) => m.round))];
  const names = [...new Set(measurements.map((m) => `${m.call} ${m.state}`))].sort();
  return names.map((name) => {
    const [call, state] = name.split(" ") as [string, string];
    const of = (wanted: string, round: number): number =>
      median(measurements.filter((m) => m.round === round && m.call === call && m.state === wanted).map((m) => m.cost));
    const ratios = rounds.map((round) => of(state, round) / of("none", round)).sort((a, b) => a - b);
    return {
      call,
      state,
      median: median(rounds.map((round) => of(state, round))),
      ratio: {
        median: median(ratios),
        lower: ratios[Math.floor((ratios.length - 1) / 4)]!,
        upper: ratios[Math.ceil(((ratios.length - 1) * 3) / 4)]!,
      },
    };
  });
}
