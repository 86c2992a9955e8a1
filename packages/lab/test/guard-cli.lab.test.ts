/** The bundled `spillway guard` where it works: in guests with stock kernels, and with the DKMS of this machine. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, Host, installModule, runProgram, uninstallModule } from "@spillway/guard";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundle, copyModuleSources } from "../../../scripts/bundle.ts";
import { runCliScript, type Said, saidIn } from "../src/cli-guest.ts";
import { installPackages, requireProgram } from "../src/debian-packages.ts";
import { ensureLab, type LabTarget } from "../src/ensure-lab.ts";
import { KERNEL_SERIES, type KernelSeries } from "../src/lab-options.ts";
import { silent } from "../src/progress.ts";
import type { ScriptGuest } from "../src/script-guest.ts";

let targets: ReadonlyMap<KernelSeries, LabTarget>;
let folder: string;
let program: string;

beforeAll(async () => {
  targets = await ensureLab(KERNEL_SERIES, ["qemu-elf"]);
  folder = await mkdtemp(join(tmpdir(), "spillway-guard-cli-"));
  program = join(folder, "spillway.js");
  await bundle(program);
  copyModuleSources(join(folder, "kernel-module"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
});
afterAll(() => rm(folder, { recursive: true }));

/** busybox's shell would take its own setpriv, which knows no user IDs, were it not for the path. */
const AS_NOBODY = `
as_nobody() { /bin/setpriv --reuid 65534 --regid 65534 --clear-groups node /spillway/spillway.js "$@"; }
`;

async function guest(series: KernelSeries, script: string, options: Partial<ScriptGuest> = {}) {
  const { console, ended } = await runCliScript(targets.get(series)!.kernel, program, AS_NOBODY + script, {
    ...options,
    // Without the kernel's own lines in between; they are still in its log.
    commandLine: `loglevel=1 ${options.commandLine ?? ""}`,
    programs: [requireProgram("setpriv")],
  });
  expect(ended).toBe("script");
  return saidIn(console);
}

const plan = (release: string) => ({
  schema: "spillway/plan@1",
  kernel: { release },
  thresholdBytes: 9000,
  points: [
    { name: "kernel_write", returns: "long" },
    { name: "vfs_write", returns: "long" },
    { name: "submit_bio_noacct", returns: "bio" },
  ],
});
const plans = (release: string) =>
  new Map([
    ["plan.json", Buffer.from(JSON.stringify(plan(release)))],
    ["other.json", Buffer.from(JSON.stringify(plan("5.0.0")))],
  ]);
const codes = (said: ReadonlyMap<string, Said>) =>
  Object.fromEntries([...said].map(([name, { code }]) => [name, code]));

// A busy machine is slow: each command starts a Node under emulation.
const SLOW = { timeout: 900_000 };

test.each([...KERNEL_SERIES])(
  "a life on %s: check, load, overflow, status, set, metrics, unload",
  SLOW,
  async (series) => {
    const { release } = targets.get(series)!.kernel;
    const said = await guest(
      series,
      `
say check spillway guard check --json
say load spillway guard load --module /spillway.ko --stacks 4 --plan /plan.json
say survive flow write /dev/cascade31 4000 3
say status spillway guard status --json
say metrics spillway guard metrics -o /tmp/spillway.prom; say prom cat /tmp/spillway.prom
say refused-set spillway guard set threshold 12289
say set spillway guard set total 8
say unload spillway guard unload --drain
echo 0 > /proc/sys/kernel/ftrace_enabled
say check-off spillway guard check --json`,
      { files: plans(release), timeoutMs: 800_000 },
    );
    const text = (name: string) => said.get(name)?.text ?? "";
    const fine = { check: 0, load: 0, survive: 0, status: 0, metrics: 0, prom: 0, set: 0, unload: 0 };
    expect(codes(said)).toEqual({ ...fine, "refused-set": 2, "check-off": 3 });

    const check = JSON.parse(text("check"));
    expect(check).toMatchObject({ ok: true, reasons: [], kernel: release, loaded: false });
    // Each is known: by the kernel's own symbols, as these guests have no configuration.
    expect(check.findings.filter((finding: { state: string }) => finding.state === "unknown")).toEqual([]);
    expect(text("load")).toMatch(
      /^loaded: 4 extra stacks of 16,384 bytes, 3 critical points; they switch above 9,000 by/,
    );
    expect(text("survive")).toBe("write /dev/cascade31: whole\n");

    const status = JSON.parse(text("status"));
    expect(status).toMatchObject({ total: 4, free: 4, inUse: 0, thresholdBytes: 9000, refusals: 0, stackBytes: 16384 });
    expect(status.highWater).toBeGreaterThan(1);
    const names = status.points.map(({ name }: { name: string }) => name);
    expect(names).toEqual(["kernel_write", "submit_bio_noacct", "vfs_write"]);
    const [kernelWrite] = status.points;
    expect(kernelWrite.switches).toBe(status.switches);
    expect(kernelWrite.deepestBytes).toBeGreaterThan(9000);
    expect(text("prom")).toContain(`spillway_point_switches_total{point="kernel_write"} ${status.switches}\n`);
    expect(text("prom")).toContain(`spillway_hold_seconds_bucket{le="+Inf"} ${status.switches}\n`);

    const outOfRange = /SPW_GUARD_BAD_VALUE: [^\n]*\nhint: nothing was changed; a threshold is 0 to 12288/;
    expect(text("refused-set")).toMatch(outOfRange);
    expect(text("set")).toBe("the pool has 8 extra stacks, 0 in use\n");
    expect(text("unload")).toBe("unloaded\n");
    const off = JSON.parse(text("check-off"));
    expect(off).toMatchObject({ ok: false, reasons: [expect.stringMatching(/^ftrace is switched off/)] });
  },
);

test("refusals, and tasks that sleep on extra stacks", SLOW, async () => {
  const said = await guest(
    "6.1",
    `
say not-loaded spillway guard status
say refused-load spillway guard load --module /spillway.ko --points vfs_write,no_such_function:int
say other-plan spillway guard load --module /spillway.ko --plan /other.json
insmod /spillway.ko stacks=4
say nobody as_nobody guard set total 8
echo 1 > $C/hold; flow write /dev/cascade31 64 1 & until_true settled 1
say tasks spillway guard status --tasks
say refused-total spillway guard set total 1
say busy spillway guard unload
say drain spillway guard drain --wait 0.2
echo 0 > $C/hold; wait
say unload spillway guard unload --drain
echo 0 > /proc/sys/kernel/ftrace_enabled
say load-off spillway guard load --module /spillway.ko`,
    { files: plans("6.1"), timeoutMs: 800_000 },
  );
  const text = (name: string) => said.get(name)?.text ?? "";
  const failed = { "refused-load": 5, nobody: 5, "refused-total": 5, busy: 5, drain: 5, "load-off": 5 };
  expect(codes(said)).toEqual({ ...failed, "not-loaded": 4, "other-plan": 3, tasks: 0, unload: 0 });

  expect(text("not-loaded")).toMatch(/^spillway: SPW_GUARD_NOT_LOADED: /);
  expect(text("refused-load")).toMatch(/SPW_GUARD_LOAD_FAILED: no_such_function cannot be hooked: -22 \(no such/);
  expect(text("other-plan")).toMatch(/SPW_GUARD_PLAN_OTHER_KERNEL: the plan is for kernel 5\.0\.0, this is 6\./);
  expect(text("nobody")).toMatch(/SPW_GUARD_PERMISSION: only root may change total\nhint: run it with sudo/);
  expect(text("tasks")).toMatch(/ [23] of 4 in use {2}█/);
  expect(text("tasks")).toMatch(/^ +\d+ {2}flow +[123] {2}in \w+$/m);
  expect(text("refused-total")).toMatch(/SPW_GUARD_IN_USE: total cannot become 1: [23] stacks are in use/);
  const busy = /SPW_GUARD_IN_USE: [^\n]*\nhint: on them: flow\[\d+\] in \w+; spillway guard unload --drain/;
  expect(text("busy")).toMatch(busy);
  expect(text("drain")).toMatch(/SPW_GUARD_IN_USE: [23] extra stacks are still in use after 0\.2 s/);
  expect(text("unload")).toBe("unloaded\n");
  expect(text("load-off")).toMatch(/SPW_GUARD_LOAD_FAILED: functions cannot be hooked: ftrace is switched off/);
});

test("a kernel that wants signatures", SLOW, async () => {
  const said = await guest(
    "6.1",
    "say check spillway guard check\nsay load spillway guard load --module /spillway.ko",
    {
      commandLine: "module.sig_enforce=1",
    },
  );
  expect(said.get("check")?.code).toBe(3);
  expect(said.get("check")?.text).toMatch(/^ {2}NO {4}the kernel enforces signatures: modules without a signature/m);
  expect(said.get("load")?.code).toBe(5);
  expect(said.get("load")?.text).toMatch(
    /SPW_GUARD_LOAD_FAILED: the kernel takes signed modules only.*\nhint: sign it/,
  );
});

test("the bundle builds the module for another kernel, without a warning", SLOW, async () => {
  const { release } = targets.get("6.1")!.kernel;
  const args = [program, "guard", "build", "--json", "--kernel", release, "-o", join(folder, "out")];
  const { status, stdout, stderr } = await runProgram(process.execPath, args);
  expect([status, stderr]).toEqual([0, ""]);
  expect(JSON.parse(stdout)).toEqual({ module: join(folder, "out", "spillway.ko"), release, warnings: [] });
  const module = await readFile(join(folder, "out", "spillway.ko"));
  expect(module.includes(`vermagic=${release} `)).toBe(true);
});

test("DKMS installs it for one kernel, for the next one that comes, and takes it away", SLOW, async () => {
  if (findProgram("dkms") === null) await installPackages(["dkms"], silent);
  const host = new Host({ root: join(folder, "root"), uid: 0 });
  const [one, next] = [targets.get("6.12")!.kernel.release, targets.get("6.1")!.kernel.release];
  const run = (...args: string[]) => runProgram(args[0]!, args.slice(1));
  await run("mkdir", "-p", host.path("/var/lib/dkms"), host.path("/usr/src"));
  for (const release of [one, next]) {
    await run("mkdir", "-p", host.path(`/lib/modules/${release}`));
    await run("ln", "-s", `/usr/src/linux-headers-${release}`, host.path(`/lib/modules/${release}/build`));
  }
  const result = await installModule(host, { release: one });
  expect(result.entries).toEqual([{ version: result.version, release: one, state: "installed" }]);
  expect((await run("find", host.path(`/lib/modules/${one}`), "-name", "spillway.ko*")).stdout).toMatch(
    /updates\/dkms/,
  );

  // What the kernel packages' hooks run for a kernel that is being installed.
  const trees = ["--dkmstree", host.path("/var/lib/dkms"), "--sourcetree", host.path("/usr/src")];
  await run("dkms", "autoinstall", "-k", next, ...trees, "--installtree", host.path("/lib/modules"));
  expect((await run("find", host.path(`/lib/modules/${next}`), "-name", "spillway.ko*")).stdout).toMatch(
    /updates\/dkms/,
  );

  expect(await uninstallModule(host)).toEqual([result.version]);
  expect((await run("find", host.root, "-name", "spillway*")).stdout).toBe("");
});
