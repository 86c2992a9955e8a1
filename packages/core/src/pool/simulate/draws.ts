import type { RandomStream } from "../random/random-stream.ts";
import type { ArrivalLaw, HoldLaw, LawBin } from "./laws.ts";

/** Numbers are drawn so many at a time: a tight loop of one law is faster than a call of any law. */
const BLOCK = 1024;

/** Numbers drawn from a law, one after the other. */
export class Draws {
  readonly #block = new Float64Array(BLOCK);
  readonly #fill: (block: Float64Array) => void;
  #next = BLOCK;

  /** @param fill puts the next numbers of the law into all of a block */
  constructor(fill: (block: Float64Array) => void) {
    this.#fill = fill;
  }

  next(): number {
    if (this.#next === BLOCK) {
      this.#fill(this.#block);
      this.#next = 0;
    }
    return this.#block[this.#next++]!;
  }
}

const each =
  (draw: () => number) =>
  (block: Float64Array): void => {
    for (let index = 0; index < block.length; index++) block[index] = draw();
  };

/** A loop of its own, not a call of a function for each: that would cost as much as the logarithm. */
const exponentials =
  (mean: number, random: RandomStream) =>
  (block: Float64Array): void => {
    for (let index = 0; index < block.length; index++) block[index] = mean * random.exponential();
  };

/** Hold times, in seconds. */
export function holdDraws(law: HoldLaw, random: RandomStream, traced: Float64Array | null): Draws {
  switch (law.kind) {
    case "exponential":
      return new Draws(exponentials(law.mean, random));
    case "deterministic":
      return new Draws((block) => block.fill(law.mean));
    case "lognormal": {
      const variance = Math.log1p(law.cv * law.cv);
      const location = Math.log(law.mean) - variance / 2;
      const scale = Math.sqrt(variance);
      return new Draws(each(() => Math.exp(location + scale * random.normal())));
    }
    case "hyperexponential": {
      // Balanced means: p / rate1 = (1 - p) / rate2; see Tijms, "Stochastic Models", appendix B.
      const square = law.cv * law.cv;
      const often = (1 + Math.sqrt((square - 1) / (square + 1))) / 2;
      const [short, long] = [law.mean / (2 * often), law.mean / (2 * (1 - often))];
      return new Draws(each(() => (random.uniform() < often ? short : long) * random.exponential()));
    }
    case "empirical":
      return new Draws(each(empirical(law.bins, random)));
    case "trace": {
      let next = 0;
      return new Draws(each(() => traced?.[next++] ?? 0));
    }
  }
}

function empirical(bins: readonly LawBin[], random: RandomStream): () => number {
  const used = bins.filter((bin) => bin.count > 0);
  const upTo = new Float64Array(used.length);
  let total = 0;
  for (const [index, bin] of used.entries()) {
    total += bin.count;
    upTo[index] = total;
  }
  return () => {
    const rank = random.uniform() * total;
    let index = 0;
    while (index < used.length - 1 && rank >= upTo[index]!) index++;
    const { low, high } = used[index]!;
    const share = random.uniform();
    return low > 0 ? low * (high / low) ** share : low + share * (high - low);
  };
}

/** Times from one arrival to the next, in seconds; Infinity once a trace is over. */
export function gapDraws(law: ArrivalLaw, random: RandomStream): Draws {
  switch (law.kind) {
    case "poisson":
      return new Draws(exponentials(1 / law.rate, random));
    case "periodic":
      return new Draws((block) => block.fill(1 / law.rate));
    case "mmpp":
      return new Draws(each(modulated(law.phases, random)));
    case "trace": {
      const { times } = law;
      let next = 0;
      return new Draws(
        each(() => {
          const index = next++;
          return index < times.length
            ? times[index]! - (index === 0 ? 0 : times[index - 1]!)
            : Number.POSITIVE_INFINITY;
        }),
      );
    }
  }
}

/** Starts in a phase picked by its share of the time, which is where an observer at any time would find it. */
function modulated(phases: readonly { rate: number; meanDuration: number }[], random: RandomStream): () => number {
  const cycle = phases.reduce((sum, { meanDuration }) => sum + meanDuration, 0);
  let rank = random.uniform() * cycle;
  let current = 0;
  while (current < phases.length - 1 && rank >= phases[current]!.meanDuration) rank -= phases[current++]!.meanDuration;
  let left = phases[current]!.meanDuration * random.exponential();
  return () => {
    let gap = 0;
    for (;;) {
      const { rate } = phases[current]!;
      // Without memory: what would come after the phase's end need not be remembered.
      const arrival = rate > 0 ? random.exponential() / rate : Number.POSITIVE_INFINITY;
      if (arrival <= left) {
        left -= arrival;
        return gap + arrival;
      }
      gap += left;
      current = (current + 1) % phases.length;
      left = phases[current]!.meanDuration * random.exponential();
    }
  };
}
