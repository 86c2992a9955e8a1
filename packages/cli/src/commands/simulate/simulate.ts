import { simulatePool } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { formatSimulation } from "../../format/pool/simulation.ts";
import { toJson } from "../../json.ts";
import { Progress } from "../../progress.ts";
import { registerGuardComparison } from "./guard.ts";
import { registerMachine } from "./machine.ts";
import { addPoolOptions, count, modelOf, type PoolOptions, runOf } from "./pool-options.ts";
import { registerSize } from "./size.ts";
import { registerSweep } from "./sweep.ts";

interface SimulateOptions extends PoolOptions {
  readonly stacks: number;
}

const EXAMPLES = `
Examples:
  spillway simulate --stacks 10 --arrivals poisson:8 --hold exponential:1
                         8 tasks a second get deep and stay so for a second: how often is a pool of 10 empty?
  spillway simulate --stacks 5 --arrivals bursty:2,5,10s --hold lognormal:1s,1.5
                         the same mean, but at 5 times the rate for 10 seconds, then nothing for 40
  spillway simulate --stacks 8 --arrivals poisson:200 --hold exponential:20ms --policy sleep --nest 0.1
                         tasks wait for a stack, some of them holding one: waits, and deadlocks
  spillway simulate --stacks 4 --tasks 12 --arrivals poisson:1.5 --hold deterministic:300ms
                         twelve tasks, each of them deep 1.5 times a second while it is not (Engset)

docs/simulate.md has the model, where its intervals come from, and the answer to "how many stacks?".`;

/**
 * `spillway simulate`: a pool of extra stacks as a model. What it does without a subcommand is one too, so that its options are
 * not taken for those of the others.
 */
export function registerSimulate(program: Command, context: Context): void {
  const summary = "how many extra stacks are enough: refusals, waits and memory of a pool, simulated";
  const simulate = program.command("simulate").usage("[options]").summary(summary).helpCommand(false);
  const command = simulate.command("pool", { isDefault: true, hidden: true });
  command
    .configureHelp({
      ...command.configureHelp(),
      commandUsage: () => "spillway simulate [command] [options]",
      visibleCommands: () => simulate.commands.filter((other) => other !== command),
    })
    .description(
      "simulates tasks that come to critical points with a deep stack, against a pool of extra stacks; says how many are\n" +
        "refused or wait, with 99 % confidence intervals. The same seed gives the same figures, to the bit.",
    )
    .requiredOption("--stacks <n>", "extra stacks in the pool", count)
    .addHelpText("after", EXAMPLES);
  addPoolOptions(command, 10_000_000).action((options: SimulateOptions) => {
    const { terminal } = context;
    const model = { ...modelOf(options), stacks: options.stacks };
    const progress = new Progress(terminal);
    try {
      const document = simulatePool(
        model,
        runOf(options, (done, total) => progress.show("simulating", done, total)),
      );
      progress.clear();
      terminal.write(options.json ? toJson(document) : formatSimulation(document, terminal));
    } finally {
      progress.clear();
    }
  });
  registerSize(simulate, context);
  registerSweep(simulate, context);
  registerGuardComparison(simulate, context);
  registerMachine(simulate, context);
  // `simulate --help` is for the command without a name. Those above have taken the option over from here.
  simulate.helpOption(false);
}
