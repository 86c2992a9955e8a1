/**
 * What budgets are made of besides boot images. Dumps of crashed kernels, with the modules that were loaded. The running
 * kernel: /proc/kcore, as the command line reads it in a guest; a whole budget of it takes minutes under emulation, and is a dump's
 * but for the memory that is read, so that what is tested here is whether the right memory is.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { analyseProgram, type Budget, createBudget } from "@spillway/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../../scripts/bundle.ts";
import { openProgramFile } from "../../cli/src/io/open-program.ts";
import { runCliScript, saidIn } from "../src/cli-guest.ts";
import { ensureLab, type LabTarget } from "../src/ensure-lab.ts";
import { KERNEL_SERIES, type KernelSeries, resolveVariant } from "../src/lab-options.ts";
import { runScenario } from "../src/run-scenario.ts";

/** Functions of the module that crashed. */
const OF_MODULE = "handle_login parse_packet parse_field parse_value".split(" ");

let targets: ReadonlyMap<KernelSeries, LabTarget>;
let folder: string;
beforeAll(async () => {
  targets = await ensureLab(KERNEL_SERIES, ["qemu-elf"]);
  folder = await mkdtemp(join(tmpdir(), "spillway-budget-inputs-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each([...KERNEL_SERIES])("the dump of a crashed %s kernel", (series) => {
  let budget: Budget;
  beforeAll(async () => {
    const variant = resolveVariant({ kernel: series, capture: "qemu-elf" });
    const { vmcore } = await runScenario({ scenario: "overrun-long", variant, folder: join(folder, series), targets });
    const program = openProgramFile(vmcore.path);
    budget = createBudget(program, analyseProgram(program));
  });

  test("has the kernel's entries, and the loaded module's functions", () => {
    const kinds = Map.groupBy(budget.entries, ({ kind }) => kind);
    const counted = (kind: string) => kinds.get(kind as never)?.length ?? 0;
    expect(counted("system-call")).toBeGreaterThan(300);
    expect(counted("work")).toBeGreaterThan(50);
    for (const kind of ["interrupt", "exception", "softirq", "timer", "kthread"])
      expect(counted(kind)).toBeGreaterThan(0);
    for (const name of OF_MODULE) expect(budget.graph.functions.module[budget.names.find(name)]).toBe("vandal");
  });
});

test("the running kernel: symbols, modules and code out of /proc/kcore", { timeout: 900_000 }, async () => {
  const program = join(folder, "spillway.js");
  await bundle(program);
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  const { console, ended } = await runCliScript(
    targets.get("6.1")!.kernel,
    program,
    `
say kallsyms grep -E ' (vfs_write|cascade_write)($|[[:space:]])' /proc/kallsyms
say sym spillway sym /proc/kcore vfs_write cascade_write
say dis spillway dis /proc/kcore cascade_write`,
    { commandLine: "loglevel=1", timeoutMs: 800_000 },
  );
  expect(ended).toBe("script");
  const text = (name: string) => saidIn(console).get(name)!.text;
  const addresses = [...text("kallsyms").matchAll(/^(\w+) t (\w+)/gim)].map(([, address, name]) => [name, address]);
  expect(addresses).toHaveLength(2);
  for (const [name, address] of addresses) expect(text("sym")).toMatch(new RegExp(`^${address} .*${name}`, "m"));
  expect(text("dis")).toMatch(/call .*kernel_write/);
});
