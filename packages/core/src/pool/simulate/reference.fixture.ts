/** The same pools as `PoolRun`, computed in other ways: plainly from a list of arrivals, or exactly from a Markov chain. */
import type { Phase } from "./laws.ts";

export interface Visit {
  readonly time: number;
  readonly hold: number;
}

/** How many of these visits a pool refuses that lets nobody wait. */
export function refusedOf(visits: readonly Visit[], stacks: number): number {
  let ends: number[] = [];
  let refused = 0;
  for (const { time, hold } of visits) {
    ends = ends.filter((end) => end > time);
    if (ends.length < stacks) ends.push(time + hold);
    else refused++;
  }
  return refused;
}

/** How long each waits for one of `stacks`, first come first served; after Kiefer and Wolfowitz: the next takes whichever is free first. */
export function waitsOf(visits: readonly Visit[], stacks: number): number[] {
  const freeAt: number[] = new Array(stacks).fill(0);
  return visits.map(({ time, hold }) => {
    const first = freeAt.indexOf(Math.min(...freeAt));
    const start = Math.max(time, freeAt[first]!);
    freeAt[first] = start + hold;
    return start - time;
  });
}

/**
 * The probability that an arrival of an MMPP finds all stacks in use, with exponential hold times of a second and nobody waiting: from the
 * stationary distribution of phase and stacks in use, by iterating the chain at its fastest rate (uniformization).
 */
export function refusedMmpp(phases: readonly Phase[], stacks: number): number {
  const width = stacks + 1;
  const speed = stacks + Math.max(...phases.map(({ rate, meanDuration }) => rate + 1 / meanDuration));
  let now = new Float64Array(phases.length * width).fill(1 / (phases.length * width));
  for (let change = 1, step = 0; change > 1e-13 && step < 1e6; step++) {
    const next = new Float64Array(now.length);
    for (const [phase, { rate, meanDuration }] of phases.entries()) {
      for (let inUse = 0; inUse <= stacks; inUse++) {
        const here = phase * width + inUse;
        const flow = now[here]! / speed;
        const arrives = inUse < stacks ? rate : 0;
        if (arrives > 0) next[here + 1]! += flow * arrives;
        if (inUse > 0) next[here - 1]! += flow * inUse;
        next[((phase + 1) % phases.length) * width + inUse]! += flow / meanDuration;
        next[here]! += flow * (speed - arrives - inUse - 1 / meanDuration);
      }
    }
    change = next.reduce((sum, value, index) => sum + Math.abs(value - now[index]!), 0);
    now = next;
  }
  let arrivals = 0;
  let refused = 0;
  for (const [phase, { rate }] of phases.entries()) {
    for (let inUse = 0; inUse <= stacks; inUse++) {
      arrivals += rate * now[phase * width + inUse]!;
      if (inUse === stacks) refused += rate * now[phase * width + inUse]!;
    }
  }
  return refused / arrivals;
}
