/** What theory says of pools, where it applies: to compare simulations with, and to start from. */

/**
 * Erlang's loss formula: the probability that all of `stacks` are in use, where arrivals are Poisson and those that find none free are
 * gone. It holds for every law of hold times of the same mean. By the usual recursion, which is stable: B(0) = 1,
 * B(n) = a B(n-1) / (n + a B(n-1)). Erlang, "Solution of some problems in the theory of probabilities", 1917.
 * @param load offered load in erlang: arrivals a second by mean hold time
 */
export function erlangB(load: number, stacks: number): number {
  let blocking = 1;
  for (let n = 1; n <= stacks; n++) blocking = (load * blocking) / (n + load * blocking);
  return blocking;
}

/**
 * Erlang's delay formula: the probability of having to wait in a FIFO queue, for Poisson arrivals and exponential hold times.
 * @returns 1 where the load is too much for the stacks ever to be enough
 */
export function erlangC(load: number, stacks: number): number {
  if (load >= stacks) return 1;
  const blocking = erlangB(load, stacks);
  return (stacks * blocking) / (stacks - load * (1 - blocking));
}

/** Mean wait in the same queue, in seconds, over all arrivals. @param hold mean hold time in seconds */
export function erlangCWait(load: number, stacks: number, hold: number): number {
  return load >= stacks ? Number.POSITIVE_INFINITY : (erlangC(load, stacks) * hold) / (stacks - load);
}

/**
 * Engset's formula: the probability that an arrival finds no stack free, where arrivals come from so few tasks that those who hold a
 * stack cannot arrive. By the recursion over stacks: E(0) = 1, E(n) = (s-n) b E(n-1) / (n + (s-n) b E(n-1)), with s tasks,
 * each of which brings b = (arrivals a second while it holds none) · (mean hold time).
 */
export function engset(tasks: number, loadPerIdleTask: number, stacks: number): number {
  let blocking = 1;
  for (let n = 1; n <= stacks; n++) {
    const offered = Math.max(0, tasks - n) * loadPerIdleTask * blocking;
    blocking = offered / (n + offered);
  }
  return blocking;
}

/** The smallest pool whose Erlang B is at most `target`; null where that takes more than `most`. */
export function erlangBStacks(load: number, target: number, most: number): number | null {
  let blocking = 1;
  for (let n = 0; n <= most; n++) {
    if (n > 0) blocking = (load * blocking) / (n + load * blocking);
    if (blocking <= target) return n;
  }
  return null;
}
