/**
 * Random numbers for simulations: reproducible to the bit from a seed, in streams that do not overlap, so that what draws
 * arrivals never disturbs what draws hold times.
 *
 * The generator is pure-rand's xoroshiro128+ (Blackman and Vigna, https://prng.di.unimi.it): period 2^128 - 1, its streams
 * 2^64 draws apart.
 */
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { JumpableRandomGenerator } from "pure-rand/types/JumpableRandomGenerator";
import { SpillwayError } from "../../errors.ts";

/** Seeds that are close together begin in states that are close together; after so many draws nothing of it is left. */
const DISCARDED = 128;
/** The largest seed: the generator takes 32 bits. */
export const MAX_SEED = 0xffff_ffff;

/** One independent stream of random numbers. */
export class RandomStream {
  readonly #generator: JumpableRandomGenerator;
  /** The polar method gives two normal numbers at a time. */
  #spareNormal = Number.NaN;

  constructor(generator: JumpableRandomGenerator) {
    this.#generator = generator;
  }

  /** Uniform over (0, 1), never one of the ends, in steps of 2^-53. */
  uniform(): number {
    // The lowest bits of a xoroshiro128+ output are the weakest: they are the ones left out.
    const high = this.#generator.next() >>> 6;
    const low = this.#generator.next() >>> 6;
    return (high * 67_108_864 + low + 0.5) / 4_503_599_627_370_496;
  }

  /** Exponential with mean 1. */
  exponential(): number {
    return -Math.log(this.uniform());
  }

  /** Normal with mean 0 and variance 1; Marsaglia's polar method. */
  normal(): number {
    const spare = this.#spareNormal;
    if (!Number.isNaN(spare)) {
      this.#spareNormal = Number.NaN;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spareNormal = y * factor;
      return x * factor;
    }
  }

  /** A whole number, each of 0 … n-1 as likely as any other. @param n at most 2^32 */
  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }
}

/**
 * Streams of one seed, each 2^64 draws from the next.
 * @param seed a whole number from 0 to {@link MAX_SEED}
 * @throws SpillwayError SPW_SIMULATE_BAD_VALUE
 */
export function randomStreams(seed: number, count: number): RandomStream[] {
  if (!Number.isInteger(seed) || seed < 0 || seed > MAX_SEED) {
    throw new SpillwayError("SPW_SIMULATE_BAD_VALUE", `a seed is a whole number from 0 to ${MAX_SEED}, not ${seed}`, {
      class: "usage",
      facts: { seed },
    });
  }
  const generator = xoroshiro128plus(seed | 0);
  for (let drawn = 0; drawn < DISCARDED; drawn++) generator.next();
  return Array.from({ length: count }, () => {
    const stream = new RandomStream(generator.clone() as JumpableRandomGenerator);
    generator.jump();
    return stream;
  });
}
