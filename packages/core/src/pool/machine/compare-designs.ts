/**
 * Designs of stacks against each other. Each replication has one aged memory and, for each number of tasks, one workload; every design
 * gets a copy of that memory, the same workload, and the same random numbers for what memory does meanwhile.
 */
import { SpillwayError } from "../../errors.ts";
import { type RandomStream, randomStreams } from "../random/random-stream.ts";
import { meanInterval } from "../statistics/interval.ts";
import { proportionInterval } from "../statistics/proportion.ts";
import { DepthCounts } from "./depths.ts";
import { type Design, type PoolSettings, stackMemory } from "./design.ts";
import { type DesignResult, type Frequency, MACHINE_SCHEMA, type MachineDocument } from "./machine-document.ts";
import type { MachineProfile } from "./profile.ts";
import { type ReplayCounts, replay } from "./replay.ts";
import { drawWorkload, tooLarge } from "./workload.ts";
import { ZoneMemory, type ZoneSettings } from "./zone-memory.ts";

export interface CompareOptions {
  readonly designs: readonly Design[];
  readonly profile: MachineProfile;
  readonly pool: PoolSettings;
  readonly zone: ZoneSettings;
  /** Numbers of tasks, each a comparison of its own. */
  readonly tasks: readonly number[];
  readonly cpus: number;
  readonly seconds: number;
  readonly lifeSeconds: number;
  readonly taskPages: number;
  readonly churnPages: number;
  /** How often all of memory is replaced before the first task is forked. */
  readonly ageTurns: number;
  /** At least 2. */
  readonly replications: number;
  readonly seed: number;
  readonly progress?: (done: number, total: number) => void;
}

/** What one run may simulate at most: minutes of our own time. */
const MOST_CHURN = 100_000_000;
const MOST_SECONDS = 100_000;

/** Whole numbers from 0 to 2^32 - 1 are seeds. */
function drawSeed(random: RandomStream): number {
  return random.below(2 ** 32);
}

/** @throws SpillwayError SPW_MACHINE_NO_MEMORY, SPW_MACHINE_TOO_LARGE */
export function compareDesigns(options: CompareOptions): MachineDocument {
  const { designs, profile, pool, zone, tasks, seed, replications } = options;
  if (zone.kernelBytes + zone.unmovableBytes >= zone.bytes) {
    throw new SpillwayError("SPW_MACHINE_NO_MEMORY", "the kernel and its unmovable pages take all of the memory", {
      class: "usage",
      facts: { bytes: zone.bytes, kernelBytes: zone.kernelBytes, unmovableBytes: zone.unmovableBytes },
    });
  }
  if (options.churnPages * options.seconds > MOST_CHURN) tooLarge("pages that others allocate", MOST_CHURN);
  if (options.seconds > MOST_SECONDS) tooLarge("seconds", MOST_SECONDS);
  const depths = new DepthCounts();
  const runs: ReplayCounts[][][] = tasks.map(() => designs.map(() => []));
  const total = replications * tasks.reduce((sum, count) => sum + count, 0) * designs.length;
  let done = 0;
  for (const base of randomStreams(seed, replications)) {
    const aged = new ZoneMemory(zone, randomStreams(drawSeed(base), 1)[0]!);
    aged.age(options.ageTurns);
    tasks.forEach((count, at) => {
      const [lives, walks, waits, hits] = randomStreams(drawSeed(base), 4);
      const workload = drawWorkload(
        profile,
        { tasks: count, seconds: options.seconds, lifeSeconds: options.lifeSeconds },
        [lives!, walks!, waits!, hits!],
      );
      depths.add(workload, profile.interrupts.entryBytes);
      const memorySeed = drawSeed(base);
      designs.forEach((design, which) => {
        const counts = replay(workload, aged.clone(randomStreams(memorySeed, 1)[0]!), {
          design,
          pool,
          reservedBytes: profile.reservedBytes,
          entryBytes: profile.interrupts.entryBytes,
          taskPages: options.taskPages,
          churnPages: options.churnPages,
        });
        runs[at]![which]!.push(counts);
        done += count;
        options.progress?.(done, total);
      });
    });
  }
  return {
    schema: MACHINE_SCHEMA,
    seed,
    replications,
    seconds: options.seconds,
    lifeSeconds: options.lifeSeconds,
    cpus: options.cpus,
    taskPages: options.taskPages,
    churnPages: options.churnPages,
    ageTurns: options.ageTurns,
    zone,
    pool,
    profile,
    designs,
    baseline: designs[0]!.name,
    results: tasks.map((count, at) => ({
      tasks: count,
      designs: designs.map((design, which) =>
        resultOf(
          design.name,
          stackMemory(design, count, options.cpus, pool),
          runs[at]![which]!,
          which === 0 ? null : runs[at]![0]!,
        ),
      ),
    })),
    depths: {
      operations: depths.operations,
      deepestBytes: { taskOnly: depths.own.deepest, withInterrupts: depths.all.deepest },
      taskOnly: depths.own.tail(),
      withInterrupts: depths.all.tail(),
    },
  };
}

type Share = readonly [part: keyof ReplayCounts, whole: keyof ReplayCounts];
const CRASHES: Share = ["crashes", "operations"];
const REFUSALS: Share = ["refusals", "operations"];
const FAILED_FORKS: Share = ["failedForks", "forks"];

function resultOf(
  name: string,
  memoryBytes: number,
  runs: readonly ReplayCounts[],
  baseline: readonly ReplayCounts[] | null,
): DesignResult {
  const sum = (what: keyof ReplayCounts) => runs.reduce((so, run) => so + run[what], 0);
  return {
    name,
    memoryBytes,
    crashes: frequency(runs, CRASHES),
    irqStackCrashes: sum("irqStackCrashes"),
    refusals: frequency(runs, REFUSALS),
    failedForks: frequency(runs, FAILED_FORKS),
    fragmentedForks: sum("fragmentedForks"),
    reclaimRounds: meanInterval(runs.map((run) => shareOf(run, ["reclaimRounds", "forks"]))),
    extraHighWater: Math.max(...runs.map((run) => run.extraHighWater)),
    mostTasks: Math.min(...runs.map((run) => run.mostTasks)),
    difference:
      baseline === null
        ? null
        : {
            crashes: differenceOf(runs, baseline, CRASHES),
            refusals: differenceOf(runs, baseline, REFUSALS),
            failedForks: differenceOf(runs, baseline, FAILED_FORKS),
          },
  };
}

function shareOf(run: ReplayCounts, [part, whole]: Share): number {
  return run[whole] === 0 ? 0 : run[part] / run[whole];
}

function frequency(runs: readonly ReplayCounts[], [part, whole]: Share): Frequency {
  const sums = Float64Array.from(runs, (run) => run[part]);
  const weights = Float64Array.from(runs, (run) => run[whole]);
  const { probability, ci99 } = proportionInterval({ sums, weights });
  const add = (values: Float64Array) => values.reduce((so, value) => so + value, 0);
  const of = add(weights);
  return { count: add(sums), of, probability: of === 0 ? 0 : probability, ci99 };
}

/** Of pairs: each replication's difference counts once. */
function differenceOf(runs: readonly ReplayCounts[], baseline: readonly ReplayCounts[], share: Share) {
  return meanInterval(runs.map((run, at) => shareOf(run, share) - shareOf(baseline[at]!, share)));
}
