/** What is about the lab itself. That every scenario gets the right diagnosis is tested where diagnoses are. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { captureWithQemu } from "../src/capture-qemu.ts";
import { ensureLab, type LabTarget } from "../src/ensure-lab.ts";
import { KERNEL_SERIES, type KernelSeries, resolveVariant, type VariantRequest } from "../src/lab-options.ts";
import { silent } from "../src/progress.ts";
import { runScenario } from "../src/run-scenario.ts";
import { scenarioNamed } from "../src/scenarios.ts";

let targets: ReadonlyMap<KernelSeries, LabTarget>;
let folder: string;

beforeAll(async () => {
  targets = await ensureLab(KERNEL_SERIES, ["qemu-elf", "kdump"]);
  folder = await mkdtemp(join(tmpdir(), "spillway-lab-test-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function firstBytes(path: string, count: number): Promise<string> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(count), 0, count, 0);
    return buffer.toString("latin1");
  } finally {
    await file.close();
  }
}

describe("capture", () => {
  test.each<[VariantRequest, string, string]>([
    [{ kernel: "6.1", capture: "qemu-elf" }, "overrun-short", "\x7fELF"],
    [{ kernel: "6.12", capture: "qemu-elf", la57: true }, "recursion-direct", "\x7fELF"],
    [{ kernel: "6.12", capture: "qemu-kdump" }, "bug", "makedumpfile\0"],
    [{ kernel: "6.1", capture: "kdump", codec: "zlib" }, "overrun-long", "KDUMP   "],
    [{ kernel: "6.12", capture: "kdump", codec: "lzo" }, "hardirq-recursion", "KDUMP   "],
  ])("%j of %s", async (request, scenario, magic) => {
    const variant = resolveVariant(request);
    const result = await runScenario({ scenario, variant, folder, targets });
    expect(await firstBytes(result.vmcore.path, magic.length)).toBe(magic);
    expect(result.vmcore.bytes).toBeGreaterThan(4 * 1024 * 1024);
    expect(result).toMatchObject({ ...variant, scenario, kernel: { series: variant.kernel } });
    expect(JSON.parse(await readFile(join(folder, "result.json"), "utf8"))).toEqual(result);
    expect(await readFile(join(folder, "console.log"), "utf8")).toContain(
      `SPILLWAY-LAB ready: ${result.kernel.release}`,
    );
    expect(readdirSync(folder).sort()).toEqual(["console.log", "result.json", "vmcore"]);
  });
});

test("a kernel that survives is an error that shows its console", async () => {
  const scenario = { ...scenarioNamed("sysrq"), name: "harmless", trigger: "echo all is well" };
  const run = { scenario, variant: resolveVariant({}), ...targets.get("6.12")!, scratch: folder, progress: silent };
  await expect(captureWithQemu({ ...run, vmcore: join(folder, "none") })).rejects.toMatchObject({
    code: "SPW_LAB_NO_PANIC",
    facts: { console: expect.arrayContaining(["all is well"]) },
  });
  expect(existsSync(join(folder, "none"))).toBe(false);
});

describe("QEMU does not outlive the command", () => {
  const lab = new URL("../src/index.ts", import.meta.url).href;
  const script = `
    const { resolveVariant, runScenario } = await import(${JSON.stringify(lab)});
    await runScenario({ scenario: "sysrq", variant: resolveVariant({}), folder: process.env.TMPDIR + "/out" });
  `;

  async function startCommand(scratch: string): Promise<ChildProcess> {
    const env = { ...process.env, TMPDIR: scratch };
    return spawn(process.execPath, ["--input-type=module", "-e", script], { env, stdio: "ignore" });
  }

  /** The process id of a command's QEMU, once there is one. */
  async function qemuOf(command: ChildProcess): Promise<number> {
    for (;;) {
      const children = await readFile(`/proc/${command.pid}/task/${command.pid}/children`, "utf8");
      for (const pid of children.split(" ").filter((word) => word !== "")) {
        const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
        if (name.startsWith("qemu")) return Number(pid);
      }
      await sleep(20);
    }
  }

  async function isGone(pid: number): Promise<boolean> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      if (status === "" || /^State:\s+Z/m.test(status)) return true;
      await sleep(50);
    }
    return false;
  }

  test.each(["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"] as const)("ended by %s", async (signal) => {
    const scratch = await mkdtemp(join(folder, "scratch-"));
    const command = await startCommand(scratch);
    const ended = once(command, "exit");
    const qemu = await qemuOf(command);
    command.kill(signal);
    expect(await ended).toEqual([null, signal]);
    expect(await isGone(qemu)).toBe(true);
    // Nobody can clean up after SIGKILL.
    const left = readdirSync(scratch, { recursive: true, encoding: "utf8" }).filter((name) => name !== "out");
    if (signal !== "SIGKILL") expect(left).toEqual([]);
  });
});
