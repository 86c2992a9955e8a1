import { eventsFor, SpillwayError, sizePool } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { formatSize } from "../../format/pool/size.ts";
import { toJson } from "../../json.ts";
import { Progress } from "../../progress.ts";
import { addPoolOptions, modelOf, type PoolOptions, runOf } from "./pool-options.ts";

interface SizeOptions extends PoolOptions {
  readonly target: number;
}

const EXAMPLES = `
Examples:
  spillway simulate size --target 1e-6 --arrivals poisson:2 --hold exponential:1
                         at most one crossing in a million refused
  spillway simulate size --target 1e-4 --arrivals bursty:2,3,15s --hold lognormal:1s,2
                         the same load in bursts takes more
  spillway simulate size --target 0.01 --policy sleep --arrivals poisson:400 --hold exponential:10ms
                         one in a hundred has to wait`;

function target(text: string): number {
  const value = /^\d*\.?\d+(?:[eE]-?\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value < 1) return value;
  throw new SpillwayError("SPW_SIMULATE_BAD_VALUE", `the target is a probability between 0 and 1, not ${text}`, {
    class: "usage",
    hint: "For example --target 1e-6: one in a million.",
  });
}

/** `spillway simulate size`: the smallest pool that is enough. */
export function registerSize(simulate: Command, context: Context): void {
  const command = simulate
    .command("size")
    .summary("the smallest pool that refuses, or lets wait, few enough")
    .description(
      "finds how many stacks keep refusals (with --policy sleep: waits) below a target. Where a formula holds the answer is the\n" +
        "formula's, and the simulation checks it; elsewhere it is the smallest pool whose whole 99 % interval is below the target.",
    )
    .requiredOption("--target <p>", "the largest probability of a refusal that is acceptable", target)
    .addHelpText("after", EXAMPLES);
  addPoolOptions(command, null).action((options: SizeOptions) => {
    const { terminal } = context;
    const progress = new Progress(terminal);
    // Of PoolOptions this one has no default here.
    const events = (options.events as number | undefined) ?? eventsFor(options.target);
    let step = "";
    try {
      const document = sizePool(modelOf(options), options.target, {
        ...runOf({ ...options, events }, (done, total) => progress.show(step, done, total)),
        trying: (stacks) => {
          step = `simulating ${stacks} stacks`;
        },
      });
      progress.clear();
      terminal.write(options.json ? toJson(document) : formatSize(document, terminal));
    } finally {
      progress.clear();
    }
  });
}
