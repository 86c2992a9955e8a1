/**
 * One realisation of what happens on a machine, whatever its stacks are like: which tasks fork and exit when, which operations they
 * begin, how deep each goes, how long it waits, and which interrupts hit it at which depth. Every design is put through the same one, so
 * that differences between designs are differences of the same events.
 *
 * The CPUs are not modelled as a resource: an operation takes the CPU time of its levels and the wait for I/O, and no other task
 * delays it. Interrupts arrive as a Poisson process while it runs; those that hit user mode or an idle CPU find an empty stack, and
 * are left out.
 */
import { SpillwayError } from "../../errors.ts";
import type { RandomStream } from "../random/random-stream.ts";
import { type Chances, type Handler, type Interrupts, MAX_LEVELS, type MachineProfile, type Range } from "./profile.ts";

export const EVENT = {
  /** The task of a slot exits, if there is one, and a new one is forked there. */
  renew: 0,
  begin: 1,
  end: 2,
} as const;

export interface WorkloadSettings {
  /** Tasks that are there at a time, if every fork succeeds. */
  readonly tasks: number;
  /** Simulated time; all tasks are forked in its first tenth. */
  readonly seconds: number;
  /** Mean life of a task; exponential. */
  readonly lifeSeconds: number;
}

/** Hard interrupts inside of each other: bytes of their handlers, and how many they are. */
interface Chain {
  readonly bytes: number;
  readonly count: number;
}
const NO_CHAIN: Chain = { bytes: 0, count: 0 };
/** i386 has 224 vectors for devices, and no line interrupts itself; no chain of this workload comes near. */
const MOST_NESTED = 16;

/** Columns: of events, of operations, of the levels that operations go through, of the interrupts that hit them. */
export interface Workload {
  readonly tasks: number;
  readonly seconds: number;
  /** Indexes into the columns of events, in the order of time. */
  readonly order: Uint32Array;
  readonly time: Float64Array;
  readonly kind: Uint8Array;
  readonly slot: Int32Array;
  /** The operation that begins or ends; -1 of a renewal. */
  readonly operation: Int32Array;
  readonly operations: number;
  /** Where an operation's levels begin among all levels; one more at the end. */
  readonly firstLevel: Uint32Array;
  readonly levelBytes: Int32Array;
  readonly levelPoint: Uint8Array;
  /** Where a level's interrupts begin among all interrupts; one more at the end. */
  readonly firstInterrupt: Uint32Array;
  readonly interrupts: {
    readonly hardBytes: Int32Array;
    readonly hardCount: Int32Array;
    /** 0: no soft interrupt came of it. */
    readonly softBytes: Int32Array;
    readonly nestedBytes: Int32Array;
    readonly nestedCount: Int32Array;
  };
}

/** Rows that a column of a workload has at most: with all its columns that is about a GiB. */
const MOST_ROWS = 10_000_000;

/** @throws SpillwayError SPW_MACHINE_TOO_LARGE */
export function tooLarge(what: string, limit: number): never {
  throw new SpillwayError("SPW_MACHINE_TOO_LARGE", `one run would have more than ${limit} ${what}`, {
    class: "usage",
    facts: { what, limit },
    hint: "fewer tasks, fewer seconds, or rarer events; more --replications instead",
  });
}

function drawFrom([least, most]: Range, random: RandomStream): number {
  return least === most ? least : least + random.below(most - least + 1);
}

/** Levels by number, with their chances as running sums. */
class Walk {
  readonly profile: MachineProfile;
  readonly #start: Next;
  readonly #next: readonly Next[];

  constructor(profile: MachineProfile) {
    const number = new Map(profile.levels.map(({ name }, at) => [name, at]));
    this.profile = profile;
    this.#start = new Next(profile.start, number);
    this.#next = profile.levels.map(({ next }) => new Next(next, number));
  }

  first(random: RandomStream): number {
    return this.#start.draw(random);
  }

  after(level: number, random: RandomStream): number {
    return (this.#next[level] as Next).draw(random);
  }
}

class Next {
  readonly #levels: readonly number[];
  readonly #upTo: readonly number[];

  constructor(chances: Chances, number: ReadonlyMap<string, number>) {
    let sum = 0;
    const parts = Object.entries(chances);
    this.#levels = parts.map(([name]) => number.get(name) as number);
    this.#upTo = parts.map(([, chance]) => {
      sum += chance;
      // Chances like 0.1 and 0.9 may add up to a little less than 1, which must not end an operation.
      return sum > 1 - 1e-9 ? 1 : sum;
    });
  }

  /** A level's number, or -1: the operation ends. */
  draw(random: RandomStream): number {
    if (this.#levels.length === 0) return -1;
    const at = random.uniform();
    for (let part = 0; part < this.#upTo.length; part++) {
      if (at < (this.#upTo[part] as number)) return this.#levels[part] as number;
    }
    return -1;
  }
}

/** A hard interrupt, and the deepest chain of those that arrive while its handler runs. */
function hardChain(interrupts: Interrupts, random: RandomStream, above: number): Chain {
  const bytes = drawFrom(interrupts.hard.bytes, random);
  const inside =
    interrupts.nested && above < MOST_NESTED ? deepestWithin(interrupts.hard, interrupts, random, above + 1) : NO_CHAIN;
  return { bytes: bytes + inside.bytes, count: 1 + inside.count };
}

/** The deepest chain of those that arrive while a handler runs: handlers ran with interrupts enabled, unless IRQF_DISABLED. */
function deepestWithin(running: Handler, interrupts: Interrupts, random: RandomStream, above: number): Chain {
  let deepest = NO_CHAIN;
  if (interrupts.perSecond === 0) return deepest;
  const meanGap = 1e6 / interrupts.perSecond;
  for (let at = meanGap * random.exponential(); at < running.micros; at += meanGap * random.exponential()) {
    const chain = hardChain(interrupts, random, above);
    if (chain.bytes > deepest.bytes || deepest.count === 0) deepest = chain;
  }
  return deepest;
}

/** Draws a workload. The four streams are for lives, walks, waits and interrupts, so that changing one leaves the others. */
export function drawWorkload(
  profile: MachineProfile,
  { tasks, seconds, lifeSeconds }: WorkloadSettings,
  [lives, walks, waits, hits]: readonly [RandomStream, RandomStream, RandomStream, RandomStream],
): Workload {
  const walk = new Walk(profile);
  const { interrupts } = profile;
  const meanGap = interrupts.perSecond > 0 ? 1e6 / interrupts.perSecond : Number.POSITIVE_INFINITY;
  const time: number[] = [];
  const kind: number[] = [];
  const slots: number[] = [];
  const operation: number[] = [];
  const firstLevel: number[] = [0];
  const levelBytes: number[] = [];
  const levelPoint: number[] = [];
  const firstInterrupt: number[] = [0];
  const [hardBytes, hardCount, softBytes, nestedBytes, nestedCount]: number[][] = [[], [], [], [], []];

  const happens = (at: number, what: number, slot: number, which: number): void => {
    if (time.length === MOST_ROWS) tooLarge("events", MOST_ROWS);
    time.push(at);
    kind.push(what);
    slots.push(slot);
    operation.push(which);
  };
  const interrupt = (): void => {
    if (hardBytes!.length === MOST_ROWS) tooLarge("interrupts", MOST_ROWS);
    const chain = hardChain(interrupts, hits, 0);
    hardBytes!.push(chain.bytes);
    hardCount!.push(chain.count);
    const soft =
      interrupts.softChance > 0 && hits.uniform() < interrupts.softChance
        ? (interrupts.soft[hits.below(interrupts.soft.length)] as Handler)
        : null;
    softBytes!.push(soft === null ? 0 : drawFrom(soft.bytes, hits));
    const nested = soft === null ? NO_CHAIN : deepestWithin(soft, interrupts, hits, 0);
    nestedBytes!.push(nested.bytes);
    nestedCount!.push(nested.count);
  };
  /** Draws an operation; how long it takes, in seconds. */
  const operate = (): number => {
    let micros = 0;
    let sleeps = false;
    let untilNext = meanGap * hits.exponential();
    let level = walk.first(walks);
    for (let depth = 0; level >= 0 && depth < MAX_LEVELS; depth++) {
      const { bytes, micros: own, point, sleeps: waitsHere } = profile.levels[level]!;
      if (levelBytes.length === MOST_ROWS) tooLarge("levels", MOST_ROWS);
      levelBytes.push(drawFrom(bytes, walks));
      levelPoint.push(point ? 1 : 0);
      micros += own;
      for (untilNext -= own; untilNext < 0; untilNext += meanGap * hits.exponential()) interrupt();
      firstInterrupt.push(hardBytes!.length);
      sleeps = waitsHere;
      level = walk.after(level, walks);
    }
    firstLevel.push(levelBytes.length);
    return (micros + (sleeps ? profile.sleepMicros * waits.exponential() : 0)) / 1e6;
  };

  for (let slot = 0; slot < tasks; slot++) {
    let now = (lives.uniform() * seconds) / 10;
    happens(now, EVENT.renew, slot, -1);
    let death = now + lifeSeconds * lives.exponential();
    for (;;) {
      now += (profile.thinkMicros / 1e6) * waits.exponential();
      while (death < now && death < seconds) {
        happens(death, EVENT.renew, slot, -1);
        death += lifeSeconds * lives.exponential();
      }
      if (now >= seconds) break;
      const which = firstLevel.length - 1;
      happens(now, EVENT.begin, slot, which);
      now += operate();
      if (death < now) death = now;
      happens(now, EVENT.end, slot, which);
    }
  }

  const times = Float64Array.from(time);
  const order = Uint32Array.from(time, (_, at) => at).sort((a, b) => times[a]! - times[b]! || a - b);
  return {
    tasks,
    seconds,
    order,
    time: times,
    kind: Uint8Array.from(kind),
    slot: Int32Array.from(slots),
    operation: Int32Array.from(operation),
    operations: firstLevel.length - 1,
    firstLevel: Uint32Array.from(firstLevel),
    levelBytes: Int32Array.from(levelBytes),
    levelPoint: Uint8Array.from(levelPoint),
    firstInterrupt: Uint32Array.from(firstInterrupt),
    interrupts: {
      hardBytes: Int32Array.from(hardBytes!),
      hardCount: Int32Array.from(hardCount!),
      softBytes: Int32Array.from(softBytes!),
      nestedBytes: Int32Array.from(nestedBytes!),
      nestedCount: Int32Array.from(nestedCount!),
    },
  };
}
