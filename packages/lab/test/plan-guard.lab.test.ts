/**
 * From a kernel's code to a kernel that survives: `spillway plan` reads a boot image and a module, its points and its threshold
 * are loaded, and a chain of writes through that module, which overflows without them, goes through.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PlanDocument } from "@spillway/core";
import { type ModuleParameters, parsePlan, requirePlanFor, runProgram } from "@spillway/guard";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parameterWords } from "../../guard/src/module-parameters.ts";
import { ensureLab } from "../src/ensure-lab.ts";
import { runGuardScript } from "../src/guard-guest.ts";
import type { LabKernel } from "../src/kernel-cache.ts";
import { ensureModule, findSources } from "../src/kernel-module-build.ts";
import { KERNEL_SERIES } from "../src/lab-options.ts";
import { silent } from "../src/progress.ts";
import { GUEST_TIMEOUT_MS, saidOn } from "./guard-lab.ts";

const MAIN = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
const SLOW = { timeout: 1_500_000 };
/** Enough for the whole chain: it takes some 28,000 bytes, and the lowest threshold of a plan is 2,048. */
const STACKS = 24;

/** Each device of the chain hands what it gets to the one below by kernel_write, or by vfs_iter_write. */
const CHAIN = `
echo /tmp/out > $C/target
flow write /dev/cascade31 4000 3; flow check /tmp/out 4000 3
echo "kernel_write: $(point kernel_write switches) switches"
echo 1 > $C/iter; flow write /dev/cascade31 4000 4; flow check /tmp/out 4000 4
echo "vfs_iter_write: $(point vfs_iter_write switches) switches"
state in_use refusals threshold
for point in $S/points/*; do echo "deepest $\{point##*/} $(cat $point/deepest)"; done
unload && echo unloaded
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spillway-plan-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** What `spillway plan` writes for a kernel with the chain's module. */
async function planFor(kernel: LabKernel): Promise<string> {
  const sources = join(findSources(["../guard", "../../lab/guard"]), "cascade");
  const cascade = await ensureModule(kernel, "cascade", sources, silent, true);
  const file = join(folder, `plan-${kernel.series}.json`);
  const options = ["--modules", dirname(cascade), "--recursion", "-o", file];
  const { status, stderr } = await runProgram(process.execPath, [MAIN, "plan", kernel.image, ...options]);
  expect([status, stderr]).toEqual([0, ""]);
  return readFile(file, "utf8");
}

describe.each([...KERNEL_SERIES])("the plan for %s with the chain's module", (series) => {
  let kernel: LabKernel;
  let text: string;
  let parameters: ModuleParameters & { readonly points: readonly string[] };

  beforeAll(async () => {
    kernel = (await ensureLab([series], ["qemu-elf"])).get(series)!.kernel;
    text = await planFor(kernel);
    const plan = parsePlan(text);
    requirePlanFor(plan, kernel.release);
    parameters = { ...plan.parameters, stacks: STACKS };
  });

  async function chain(loaded: ModuleParameters) {
    const script = `insmod /spillway.ko ${parameterWords(loaded).join(" ")}\n${CHAIN}`;
    const result = await runGuardScript(kernel, script, { timeoutMs: GUEST_TIMEOUT_MS });
    return { ...result, said: saidOn(result.console) };
  }

  test("loaded, the chain goes through, its data intact, and no stack is fuller than planned", SLOW, async () => {
    const { said, ended } = await chain(parameters);
    expect(ended).toBe("script");
    const whole = "write \\/dev\\/cascade31: whole\\ncheck \\/tmp\\/out: intact";
    expect(said).toMatch(
      new RegExp(`^${whole}\nkernel_write: [1-9]\\d* switches\n${whole}\nvfs_iter_write: [1-9]\\d* switches$`, "m"),
    );
    expect(said).toMatch(new RegExp(`^in_use=0 refusals=0 threshold=${parameters.thresholdBytes} $`, "m"));
    expect(said).toMatch(/^unloaded$/m);

    const { points, stackBytes, reserveBytes }: PlanDocument = JSON.parse(text);
    const deepest = [...said.matchAll(/^deepest (\S+) (\d+)$/gm)].map(([, name, bytes]) => ({
      name,
      bytes: Number(bytes),
    }));
    expect(deepest.map(({ name }) => name).sort()).toEqual(points.map(({ name }) => name).sort());
    expect(deepest.filter(({ bytes }) => bytes > stackBytes - reserveBytes)).toEqual([]);
  });

  test("without its point on the chain the kernel dies of it", SLOW, async () => {
    const others = parameters.points.filter((point) => !point.startsWith("kernel_write:"));
    expect(others).toHaveLength(parameters.points.length - 1);
    const { ended, console } = await chain({ ...parameters, points: others });
    expect(ended).toBe("panic");
    expect(console).toMatch(/stack guard page/);
  });
});
