import { SpillwayError, sweepPool } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { renderSweepPage } from "../../format/pool/page/page.ts";
import { formatSweep } from "../../format/pool/sweep.ts";
import { writeOutput } from "../../io/write-output.ts";
import { toJson } from "../../json.ts";
import { Progress } from "../../progress.ts";
import { shellWord } from "../../text/shell-word.ts";
import { addPoolOptions, modelOf, type PoolOptions, runOf } from "./pool-options.ts";

interface Range {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

interface SweepOptions extends PoolOptions {
  readonly stacks: Range;
  readonly html?: string;
  readonly force?: boolean;
}

const EXAMPLES = `
Examples:
  spillway simulate sweep --stacks 1..12 --arrivals poisson:2 --hold exponential:1
                         how refusals fall with every stack, as a table and a curve
  spillway simulate sweep --stacks 2..40:2 --arrivals bursty:2,3,15s --hold exponential:1 --html pool.html
                         the same under bursts, as a page to look at
  spillway simulate sweep --stacks 5..9 --policy sleep --arrivals poisson:400 --hold exponential:10ms --json`;

/** `1..20` or `10..200:10`. */
function range(text: string): Range {
  const match = /^(\d{1,7})\.\.(\d{1,7})(?::(\d{1,7}))?$/.exec(text);
  if (match !== null) return { from: Number(match[1]), to: Number(match[2]), step: Number(match[3] ?? 1) };
  throw new SpillwayError("SPW_SIMULATE_BAD_VALUE", `stacks: "${text}" should be FROM..TO or FROM..TO:STEP`, {
    class: "usage",
    hint: "For example --stacks 1..20, or 10..200:10.",
  });
}

/** `spillway simulate sweep`: one pool after the other, as a curve. */
export function registerSweep(simulate: Command, context: Context): void {
  const command = simulate
    .command("sweep")
    .summary("refusals, or waits, over the number of stacks: a table, a curve, a page")
    .description("simulates pools of many sizes, each with the same arrivals and hold times, and draws the curve.")
    .requiredOption("--stacks <range>", "FROM..TO, or FROM..TO:STEP", range)
    .option("--html <file>", "write a page that needs nothing else, with the curve to look into")
    .option("-f, --force", "replace the file if it is there")
    .addHelpText("after", EXAMPLES);
  addPoolOptions(command, 2_000_000).action(async (options: SweepOptions) => {
    const { terminal } = context;
    const progress = new Progress(terminal);
    let step = "";
    try {
      const document = sweepPool(modelOf(options), options.stacks, {
        ...runOf(options, (done, total) => progress.show(step, done, total)),
        simulating: (stacks) => {
          step = `simulating ${stacks} of ${options.stacks.to} stacks`;
        },
      });
      progress.clear();
      if (options.html !== undefined) {
        writeOutput(options.html, renderSweepPage(document, commandOf(options)), options.force);
      }
      terminal.write(options.json ? toJson(document) : await formatSweep(document, terminal));
      if (options.html !== undefined && !options.json) terminal.write(`\nwritten: ${options.html}\n`);
    } finally {
      progress.clear();
    }
  });
}

/** The command that gives the same figures again. */
function commandOf(options: SweepOptions): string {
  const { from, to, step } = options.stacks;
  const given: [string, string | number | undefined][] = [
    ["--stacks", `${from}..${to}${step === 1 ? "" : `:${step}`}`],
    ["--arrivals", options.arrivals],
    ["--points", options.points],
    ["--hold", options.hold],
    ["--policy", options.policy === "eio" ? undefined : options.policy],
    ["--tasks", options.tasks],
    ["--deep", options.deep === 1 ? undefined : options.deep],
    ["--nest", options.nest === 0 ? undefined : options.nest],
    ["--sleep", options.sleep],
    ["--cpus", options.cpus === 1 ? undefined : options.cpus],
    ["--events", options.events],
    ["--warmup", options.warmup],
    ["--stack-bytes", options.stackBytes],
    ["--seed", options.seed],
  ];
  const words = given.flatMap(([name, value]) => (value === undefined ? [] : [name, shellWord(`${value}`)]));
  return ["spillway simulate sweep", ...words].join(" ");
}
