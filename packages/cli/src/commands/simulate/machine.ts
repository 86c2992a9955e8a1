import {
  type CompareOptions,
  compareDesigns,
  DEFAULT_DESIGNS,
  DEFAULT_PROFILE,
  type Design,
  MAX_SEED,
  type MachineProfile,
  parseDesign,
  parseLevels,
  profileFromBudget,
  readBudget,
  readProfile,
  SpillwayError,
  withPoints,
} from "@spillway/core";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Context } from "../../context.ts";
import { formatMachine } from "../../format/pool/machine.ts";
import { renderMachinePage } from "../../format/pool/machine-page.ts";
import { readText } from "../../io/read-text.ts";
import { writeOutput } from "../../io/write-output.ts";
import { toJson } from "../../json.ts";
import { Progress } from "../../progress.ts";
import { shellWord } from "../../text/shell-word.ts";

interface MachineOptions {
  readonly designs?: readonly Design[];
  readonly vmalloc?: boolean;
  readonly tasks: readonly number[];
  readonly profile?: string;
  readonly levels?: string;
  readonly budget?: string;
  readonly entry?: readonly string[];
  readonly deeper: number;
  readonly points?: readonly string[];
  readonly pool: number;
  readonly threshold?: number;
  readonly memory: number;
  readonly unmovable: number;
  readonly extent: number;
  readonly rounds: number;
  readonly churn: number;
  readonly taskPages: number;
  readonly irqRate?: number;
  readonly cpus: number;
  readonly seconds: number;
  readonly life: number;
  readonly replications: number;
  readonly seed: number;
  readonly printProfile?: boolean;
  readonly json?: boolean;
  readonly html?: string;
  readonly force?: boolean;
}

const MIB = 2 ** 20;
/** Kernel image and mem_map of an i386 with 1 GiB: 32 bytes for each of its pages, and about as much again twice over. */
const KERNEL_BYTES = 64 * MIB;
/** What is replaced before the first fork: all of memory, so often. */
const AGE_TURNS = 3;
/** Designs that are compared on budgets of x86_64 kernels, which all have interrupt stacks and, since 4.9, mapped ones. */
const BUDGET_DESIGNS = ["16k+irq+vmap", "16k+irq+extra+vmap", "8k+irq+vmap", "8k+irq+extra+vmap", "32k+irq+vmap"];
const EXAMPLES = `
Examples:
  spillway simulate machine                            the designs the RFC argues about, with the built-in workload
  spillway simulate machine --tasks 1000,5000,20000 --unmovable 640M
                                                       where forks begin to fail for want of two pages together
  spillway simulate machine --designs 4k+irq,4k+irq+extra --pool 64 --points xfs,allocation,block
                                                       4 KiB stacks with points in other places
  spillway simulate machine --levels 700,900:0.5,600*0.3 --designs 8k,8k+extra
                                                       levels of so many bytes; the third may nest in itself
  spillway budget vmlinuz --json > b.json
  spillway simulate machine --budget b.json --entry __x64_sys_write
                                                       the deepest path of a real kernel

docs/simulate-machine.md says what is modelled, what is not, and what came out for the RFC.`;

/** `spillway simulate machine`: ways to give tasks kernel stacks, on the same workload. */
export function registerMachine(simulate: Command, context: Context): void {
  simulate
    .command("machine")
    .summary("8 KiB or 4 KiB stacks, extra stacks, larger ones for all: crashes, EIO, failed forks, memory")
    .description(
      "puts one workload on different designs of kernel stacks: tasks fork from memory under pressure, go through nested I/O,\n" +
        "sleep there and are interrupted. A design is SIZE[+irq][+extra][+vmap]: interrupts on stacks of their own, a pool of\n" +
        "extra stacks, stacks mapped from single pages.",
    )
    .option("--designs <list>", `what is compared, with the first (default: ${DEFAULT_DESIGNS.join(",")})`, designList)
    .option("--vmalloc", "compare each design with single pages mapped together as well")
    .addOption(
      new Option("--tasks <list>", "numbers of tasks")
        .argParser(countList)
        .default([100, 1000, 10_000], "100,1000,10000"),
    )
    .option("--profile <file>", "what tasks do, as JSON (see --print-profile)")
    .option("--levels <list>", "what tasks do: BYTES[-MOST][:CHANCE][*AGAIN] of each level")
    .option("--budget <file>", "what tasks do: deepest paths that `spillway budget --json` wrote")
    .option("--entry <name...>", "entries of the budget: those of tasks, and interrupts and softirqs that hit them")
    .option("--deeper <chance>", "that an operation goes on down a budget's path, at each level", chance, 1)
    .option(
      "--points <list>",
      "critical points before these levels (with --budget: before these functions too)",
      nameList,
    )
    .option("--pool <n>", "extra stacks", count, 32)
    .option("--threshold <bytes>", "a point switches at so many bytes in use (default: half of the stack)", bytes)
    .addOption(sizeOption("--memory <size>", "the memory that stacks come from: lowmem", 896))
    .addOption(sizeOption("--unmovable <size>", "of it, slab and the like, which nothing can move", 576))
    .option("--extent <pages>", "mean of pages of a file that come and go together", positive, 4)
    .option("--rounds <n>", "rounds of direct reclaim before a fork fails", count, 16)
    .option("--churn <pages>", "pages a second that others allocate", count, 2000)
    .option("--task-pages <n>", "pages of a task besides its stack", taskPages, 4)
    .option("--irq-rate <n>", "hard interrupts a second and CPU (default: the profile's)", count)
    .option("--cpus <n>", "CPUs, each with two stacks where interrupts have their own", positive, 4)
    .option("--seconds <n>", "simulated in each replication", seconds, 10)
    .option("--life <n>", "mean life of a task, seconds", seconds, 20)
    .option("--replications <n>", "independent repetitions, at least 2", replications, 16)
    .option("--seed <n>", `from 0 to ${MAX_SEED}; the same seed gives the same figures`, count, 1)
    .option("--print-profile", "print the profile as JSON and do nothing else")
    .option("--html <file>", "draw it, for a browser")
    .option("-f, --force", "replace the file if it is there")
    .option("--json", "print one JSON document instead of text")
    .addHelpText("after", EXAMPLES)
    .action((options: MachineOptions, command: Command) => {
      const { terminal } = context;
      const profile = profileOf(options);
      if (options.printProfile) {
        terminal.write(toJson(profile));
        return;
      }
      const progress = new Progress(terminal);
      try {
        const document = compareDesigns({
          ...comparison(options, profile),
          progress: (done, total) => progress.show("simulating", done, total),
        });
        progress.clear();
        const { html, force } = options;
        if (html !== undefined) {
          const page = renderMachinePage({ document, command: commandLine(command) });
          writeOutput(html, page, force, inputsOf(options));
        }
        terminal.write(options.json ? toJson(document) : formatMachine(document, terminal));
        if (html !== undefined && !options.json) terminal.write(`\nwritten: ${html}\n`);
      } finally {
        progress.clear();
      }
    });
}

/** The command line that gives the same page: options that were given, in the order of the help. */
function commandLine(command: Command): string {
  const given = command.options.flatMap((option) => {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== "cli" || option.long === "--force") return [];
    const value: unknown = command.getOptionValue(name);
    if (value === true) return [option.long!];
    const words = Array.isArray(value) ? value.map((one) => (isDesign(one) ? one.name : String(one))) : [String(value)];
    return [option.long!, ...(option.variadic ? words : [words.join(",")]).map(shellWord)];
  });
  return ["spillway simulate machine", ...given].join(" ");
}

function isDesign(value: unknown): value is Design {
  return typeof value === "object" && value !== null && "name" in value;
}

function inputsOf({ profile, budget }: MachineOptions): string[] {
  return [profile, budget].filter((path) => path !== undefined);
}

function comparison(options: MachineOptions, profile: MachineProfile): CompareOptions {
  return {
    designs: designsOf(options),
    profile,
    pool: { stacks: options.pool, thresholdBytes: options.threshold ?? null },
    zone: {
      bytes: options.memory,
      kernelBytes: KERNEL_BYTES,
      unmovableBytes: options.unmovable,
      extentPages: options.extent,
      rounds: options.rounds,
    },
    tasks: options.tasks,
    cpus: options.cpus,
    seconds: options.seconds,
    lifeSeconds: options.life,
    taskPages: options.taskPages,
    churnPages: options.churn,
    ageTurns: AGE_TURNS,
    replications: options.replications,
    seed: options.seed,
  };
}

function designsOf({ designs, budget, vmalloc }: MachineOptions): Design[] {
  const given = designs ?? (budget === undefined ? DEFAULT_DESIGNS : BUDGET_DESIGNS).map(parseDesign);
  const all = vmalloc ? given.flatMap((one) => [one, parseDesign(`${one.name.replace("+vmap", "")}+vmap`)]) : given;
  return all.filter((one, at) => all.findIndex(({ name }) => name === one.name) === at);
}

function profileOf(options: MachineOptions): MachineProfile {
  const { profile: path, levels, budget, points, irqRate } = options;
  if ([path, levels, budget].filter((one) => one !== undefined).length > 1) {
    throw new SpillwayError("SPW_USAGE", "--profile, --levels and --budget exclude each other", { class: "usage" });
  }
  let profile = DEFAULT_PROFILE;
  if (path !== undefined) profile = readProfile(readText(path));
  if (levels !== undefined) profile = parseLevels(levels);
  if (budget !== undefined) {
    const entries = options.entry ?? [];
    profile = profileFromBudget(readBudget(readText(budget)), {
      entries,
      deeper: options.deeper,
      points: points ?? [],
    });
  } else {
    if (options.entry !== undefined) {
      throw new SpillwayError("SPW_USAGE", "--entry names entries of a budget: --budget FILE is missing", {
        class: "usage",
      });
    }
    if (points !== undefined) profile = withPoints(profile, points);
  }
  if (irqRate === undefined) return profile;
  // Read once more: a rate that keeps a CPU busy is refused there.
  return readProfile(JSON.stringify({ ...profile, interrupts: { ...profile.interrupts, perSecond: irqRate } }));
}

function designList(text: string): Design[] {
  return text.split(",").map((one) => parseDesign(one.trim()));
}

function nameList(text: string): string[] {
  return text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

const LARGEST_COUNT = 1_000_000;

/** A whole number of at least 0: 10000, 10_000, 10k, 1e4. */
function count(text: string): number {
  const match = /^(\d+(?:\.\d+)?(?:e\d{1,2})?)(k?)$/i.exec(text.replaceAll(/[_,]/g, ""));
  const value = match === null ? Number.NaN : Number(match[1]) * (match[2] === "" ? 1 : 1000);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError("It is no whole number of at least 0.");
  if (value > MAX_SEED) throw new InvalidArgumentError(`It is more than ${MAX_SEED}.`);
  return value;
}

function positive(text: string): number {
  const value = count(text);
  if (value === 0 || value > LARGEST_COUNT)
    throw new InvalidArgumentError(`It is no number from 1 to ${LARGEST_COUNT}.`);
  return value;
}

function taskPages(text: string): number {
  const value = count(text);
  if (value > 10_000) throw new InvalidArgumentError("It is more than 10000.");
  return value;
}

function countList(text: string): number[] {
  return text.split(",").map((one) => positive(one.trim()));
}

function replications(text: string): number {
  const value = count(text);
  if (value < 2 || value > 10_000) throw new InvalidArgumentError("It is no number from 2 to 10000.");
  return value;
}

function chance(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError("It is no number from 0 to 1.");
  return value;
}

function seconds(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= 1e6))
    throw new InvalidArgumentError("It is no number of seconds from above 0 to 1000000.");
  return value;
}

function sizeOption(flags: string, text: string, mib: number): Option {
  return new Option(flags, text).argParser(bytes).default(mib * MIB, `${mib}M`);
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: MIB, g: 1024 * MIB };
/** Copies of the zone's free lists are held for each design in turn: a few hundred MiB of our own at this size. */
const LARGEST_MEMORY = 16 * 1024 * MIB;

/** 4096, 8k, 896M, 1.5GiB. */
function bytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmg]?)(?:i?b)?$/i.exec(text.replaceAll("_", ""));
  const value = match === null ? Number.NaN : Number(match[1]) * UNITS[match[2]!.toLowerCase()]!;
  if (!Number.isInteger(value)) throw new InvalidArgumentError("It is no size, like 4096, 8k, 896M or 2G.");
  if (value > LARGEST_MEMORY) throw new InvalidArgumentError("It is more than 16 GiB.");
  return value;
}
