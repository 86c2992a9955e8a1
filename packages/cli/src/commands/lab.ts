import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SpillwayError } from "@spillway/core";
import type { GuardDemo, LabResult, LabVariant, Scenario } from "@spillway/lab";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { toJson } from "../json.ts";
import { StepLine } from "../step-line.ts";
import { printable } from "../text/printable.ts";

interface VariantOptions {
  readonly kernel?: string;
  readonly capture?: string;
  readonly codec?: string;
  readonly la57?: boolean;
  readonly json?: boolean;
}

interface RunOptions extends VariantOptions {
  readonly output: string;
}

interface AllOptions extends RunOptions {
  readonly matrix?: boolean;
}

/** Loaded when it is needed: no other command wants it. */
const loadLab = (): Promise<typeof import("@spillway/lab")> => import("@spillway/lab");

function expectation(scenario: Scenario): string {
  const { verdict, cause } = scenario.expected;
  return cause === null ? verdict : `${verdict} (${cause})`;
}

function formatList(scenarios: readonly Scenario[]): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return scenarios
    .map((one) => `${one.name.padEnd(width)}  ${one.description}\n${" ".repeat(width)}  -> ${expectation(one)}\n`)
    .join("");
}

function formatResult(result: LabResult): string {
  const { vmcore, kernel, timings } = result;
  const size = `${(vmcore.bytes / 1024 / 1024).toFixed(0)} MiB`;
  return `${vmcore.path}  ${size}, ${kernel.release}, ${(timings.totalMs / 1000).toFixed(1)} s\n`;
}

function withVariantOptions(command: Command): Command {
  return command
    .option("--kernel <series>", "6.1 or 6.12", undefined)
    .option("--capture <how>", "qemu-elf, qemu-kdump, or kdump (a crash kernel with makedumpfile, as on real machines)")
    .option("--codec <codec>", "page compression of the kdump captures: zlib, lzo or snappy")
    .option("--la57", "five levels of page tables")
    .option("--json", "print one JSON document instead of text");
}

async function runOne(name: string, options: RunOptions, { terminal }: Context): Promise<void> {
  const lab = await loadLab();
  const steps = new StepLine(terminal);
  const variant = lab.resolveVariant(options);
  const request = { scenario: name, variant, folder: options.output };
  const result = await lab.runScenario(request, (step) => steps.show(step)).finally(() => steps.clear());
  if (options.json) terminal.write(toJson(result));
  else terminal.write(`${formatResult(result)}now: spillway diagnose ${result.vmcore.path}\n`);
}

async function variantsFor(options: AllOptions): Promise<LabVariant[]> {
  const lab = await loadLab();
  if (options.matrix) {
    const clash = (["kernel", "capture", "codec", "la57"] as const).find((option) => options[option] !== undefined);
    if (clash === undefined) return lab.variantMatrix();
    throw new SpillwayError("SPW_LAB_BAD_OPTION", `--matrix already stands for every value of --${clash}`, {
      class: "usage",
      facts: { option: clash },
    });
  }
  const kernels = options.kernel === undefined ? lab.KERNEL_SERIES : [options.kernel];
  return kernels.map((kernel) => lab.resolveVariant({ ...options, kernel }));
}

async function runAll(options: AllOptions, { terminal }: Context): Promise<void> {
  const lab = await loadLab();
  const steps = new StepLine(terminal);
  const variants = await variantsFor(options);
  const kernels = variants.map(({ kernel }) => kernel);
  const captures = variants.map(({ capture }) => capture);
  const targets = await lab.ensureLab(kernels, captures, (step) => steps.show(step)).finally(() => steps.clear());

  const results: LabResult[] = [];
  const failures: string[] = [];
  const total = variants.length * lab.scenarios.length;
  for (const variant of variants) {
    for (const { name } of lab.scenarios) {
      const run = lab.runName(name, variant);
      const place = `${results.length + failures.length + 1}/${total} ${run}`;
      const request = { scenario: name, variant, folder: `${options.output}/${run}`, targets };
      try {
        const result = await lab.runScenario(request, (step) => steps.show(`${place}: ${step}`));
        results.push(result);
        steps.clear();
        if (!options.json) terminal.write(formatResult(result));
      } catch (error) {
        steps.clear();
        if (!(error instanceof SpillwayError)) throw error;
        failures.push(run);
        terminal.writeError(`${run}: ${error.code}: ${error.message}\n`);
      }
    }
  }
  if (options.json) terminal.write(toJson(results));
  if (failures.length > 0) {
    throw new SpillwayError("SPW_LAB_SOME_FAILED", `${failures.length} of ${total} runs left no dump`, {
      class: "environment",
      facts: { failed: failures },
      hint: "run one of them alone to see the end of its console",
    });
  }
}

/**
 * The bundled command line, for a guest.
 * @throws SpillwayError SPW_LAB_NO_BUNDLE
 */
function bundledProgram(): string {
  const self = fileURLToPath(import.meta.url);
  if (!self.endsWith(".ts")) return self;
  const bundle = fileURLToPath(new URL("../../dist/spillway.js", import.meta.url));
  if (existsSync(bundle)) return bundle;
  throw new SpillwayError("SPW_LAB_NO_BUNDLE", "the guest needs spillway as one file, and it is not built", {
    class: "environment",
    facts: { file: bundle },
    hint: "npm run build makes it",
  });
}

const DEMO_INTRO = [
  "A write(2) to /dev/cascade31 goes through 32 devices, each of which passes it on to the one below, as stacked file",
  "systems and block devices do. It needs more than a kernel stack.",
];

function formatDemo(demo: GuardDemo): string {
  const indent = (text: string) => text.replaceAll(/^(?=.)/gm, "  ");
  const steps = demo.with.map(({ command, text }) => `$ ${command}\n${indent(text)}`);
  return [
    `${DEMO_INTRO.join("\n")}\n\n`,
    `Kernel ${demo.kernel}, without the module:\n\n`,
    `$ ${demo.without.command}\n${demo.without.panic.map((line) => `  ${printable(line)}\n`).join("")}\n`,
    "The same kernel with it:\n\n",
    steps.join("\n"),
  ].join("");
}

async function runGuard(options: { kernel?: string; json?: boolean }, { terminal }: Context): Promise<void> {
  const lab = await loadLab();
  const steps = new StepLine(terminal);
  const { kernel: series } = lab.resolveVariant(options);
  const bundle = bundledProgram();
  const progress = (step: string): void => steps.show(step);
  const demo = await lab
    .ensureLab([series], ["qemu-elf"], progress)
    .then((targets) => lab.runGuardDemo(targets.get(series)!.kernel, bundle, progress))
    .finally(() => steps.clear());
  terminal.write(options.json ? toJson(demo) : formatDemo(demo));
}

/** `spillway lab`: real kernels, broken on purpose in virtual machines. */
export function registerLabCommand(program: Command, context: Context): void {
  const lab = program
    .command("lab")
    .helpCommand(false)
    .summary("break real kernels on purpose, in virtual machines")
    .description(
      "Boots stock Debian kernels under QEMU, breaks a stack in a known way and keeps the dump, the console and the truth.",
    )
    .addHelpText(
      "after",
      `
Examples:
  spillway lab list                                         the ways of breaking a kernel
  spillway lab run overrun-long -o crash                    crash/vmcore, crash/console.log, crash/result.json
  spillway lab run deep-chain --capture kdump --codec lzo -o crash
  spillway lab all -o crashes --matrix                      everything, on both kernels, in every format
  spillway lab guard                                        a kernel that overflows, and with spillway.ko survives it`,
    );
  lab
    .command("list")
    .summary("the scenarios")
    .description("The ways of breaking a kernel, each with the verdict that is right for it.")
    .option("--json", "print one JSON document instead of text")
    .action(async (options: { json?: boolean }) => {
      const { scenarios } = await loadLab();
      context.terminal.write(options.json ? toJson(scenarios) : formatList(scenarios));
    });
  withVariantOptions(
    lab
      .command("run")
      .summary("one crash")
      .description("Breaks one kernel in one way. Defaults: kernel 6.12, capture qemu-elf.")
      .argument("<scenario>", "a name from `spillway lab list`")
      .requiredOption("-o, --output <folder>", "where vmcore, console.log and result.json go"),
  ).action((name: string, options: RunOptions) => runOne(name, options, context));
  withVariantOptions(
    lab
      .command("all")
      .summary("every scenario")
      .description("Breaks kernels in every way, one after the other; both kernels unless --kernel names one.")
      .option("-o, --output <folder>", "a folder that gets one folder for each run", "lab-dumps")
      .option("--matrix", "both kernels, every capture, with 4- and 5-level page tables"),
  ).action((options: AllOptions) => runAll(options, context));
  lab
    .command("guard")
    .summary("an overflow, without spillway.ko and with it")
    .description(
      "Boots a kernel twice and overflows a stack: without spillway.ko it panics, with it the data arrive. Shows the session.",
    )
    .option("--kernel <series>", "6.1 or 6.12 (default: 6.12)")
    .option("--json", "print one JSON document instead of text")
    .action((options: { kernel?: string; json?: boolean }) => runGuard(options, context));
}
