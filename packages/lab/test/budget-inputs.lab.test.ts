/**
 * What budgets are made of besides boot images. Dumps: the budget of a crashed kernel beside that of the boot image it came from.
 * The running kernel: /proc/kcore, as the command line reads it in a guest. A whole budget of that takes minutes under emulation:
 * its code is that of a dump's, so that what is tested here is whether the right memory is read.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { analyseProgram, type Budget, createBudget } from "@spillway/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle, copyModuleSources } from "../../../scripts/bundle.ts";
import { openProgramFile } from "../../cli/src/io/open-program.ts";
import { runCliScript, saidIn } from "../src/cli-guest.ts";
import { ensureLab, type LabTarget } from "../src/ensure-lab.ts";
import { KERNEL_SERIES, type KernelSeries, resolveVariant } from "../src/lab-options.ts";
import { runScenario } from "../src/run-scenario.ts";

let targets: ReadonlyMap<KernelSeries, LabTarget>;
let folder: string;
beforeAll(async () => {
  targets = await ensureLab(KERNEL_SERIES, ["qemu-elf"]);
  folder = await mkdtemp(join(tmpdir(), "spillway-budget-inputs-"));
});
afterAll(() => rm(folder, { recursive: true }));

function budgetOf(input: string, modules: readonly string[] = []): Budget {
  const program = openProgramFile(input, { modules });
  return createBudget(program, analyseProgram(program));
}

describe.each([...KERNEL_SERIES])("the dump of a crashed %s kernel", (series) => {
  let dump: Budget;
  beforeAll(async () => {
    const variant = resolveVariant({ kernel: series, capture: "qemu-elf" });
    const { vmcore } = await runScenario({ scenario: "overrun-long", variant, folder: join(folder, series), targets });
    dump = budgetOf(vmcore.path);
  });
});

test("the running kernel: symbols, modules and code out of /proc/kcore", { timeout: 900_000 }, async () => {
  const program = join(folder, "spillway.js");
  await bundle(program);
  copyModuleSources(join(folder, "kernel-module"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  const { console, ended } = await runCliScript(
    targets.get("6.1")!.kernel,
    program,
    `
say kallsyms grep -E ' (vfs_write|cascade_write)\\b' /proc/kallsyms
say sym spillway sym /proc/kcore vfs_write cascade_write
say dis spillway dis /proc/kcore cascade_write --json
say mod spillway mod /proc/kcore --json`,
    { commandLine: "loglevel=1", timeoutMs: 800_000 },
  );
  expect(ended).toBe("script");
  const said = saidIn(console);
  process.stderr.write(JSON.stringify([...said], null, 1).slice(0, 5000));
});
