import { compareWithGuard, parseDuration, readGuardCounts } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { formatGuardComparison } from "../../format/pool/guard-comparison.ts";
import { readText } from "../../io/read-text.ts";
import { toJson } from "../../json.ts";
import { Progress } from "../../progress.ts";
import { count } from "./pool-options.ts";

interface GuardOptions {
  readonly over?: string;
  readonly events: number;
  readonly seed: number;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  spillway guard status --json > status.json
  spillway simulate guard status.json             does what the module counted look like Poisson arrivals?
  spillway simulate guard status.json --over 1h   the same, where it was loaded an hour ago: the rate is known`;

/** `spillway simulate guard`: a module's counters beside the model's prediction. */
export function registerGuardComparison(simulate: Command, context: Context): void {
  simulate
    .command("guard")
    .summary("what a loaded module counted, beside what the model predicts")
    .description(
      "takes load, hold times and stacks out of what spillway.ko counted, simulates Poisson arrivals of the same load, and puts\n" +
        "refusals and stacks in use side by side. Where more were refused, calls come in bursts: size the pool for those.",
    )
    .argument("<file>", "what `spillway guard status --json` printed")
    .option("--over <time>", "how long the module has counted: 90s, 2h (default: the rate follows from stacks in use)")
    .option("--events <n>", "arrivals and returns to simulate", count, 2_000_000)
    .option("--seed <n>", "the same seed gives the same figures", count, 1)
    .option("--json", "print one JSON document instead of text")
    .addHelpText("after", EXAMPLES)
    .action((file: string, options: GuardOptions) => {
      const { terminal } = context;
      const progress = new Progress(terminal);
      try {
        const seconds = options.over === undefined ? null : parseDuration(options.over, "--over");
        const comparison = compareWithGuard(readGuardCounts(readText(file), file), seconds, {
          events: options.events,
          seed: options.seed,
          progress: (done, total) => progress.show("simulating", done, total),
        });
        progress.clear();
        terminal.write(options.json ? toJson(comparison) : formatGuardComparison(comparison, terminal));
      } finally {
        progress.clear();
      }
    });
}
