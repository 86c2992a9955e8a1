/**
 * Every scenario of the lab, really broken in a real kernel, must get its verdict, its culprit and its chain; no debug
 * information is anywhere near.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Diagnosis,
  diagnose,
  extractDump,
  MemorySource,
  openDump,
  openKernel,
  SpillwayError,
  sameDiagnosis,
} from "@spillway/core";
import {
  ensureLab,
  KERNEL_SERIES,
  type KernelSeries,
  type LabTarget,
  type LabVariant,
  runName,
  runScenario,
  type Scenario,
  scenarios,
} from "@spillway/lab";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFiles } from "../src/io/open-files.ts";

const ELF = KERNEL_SERIES.map((kernel): LabVariant => ({ kernel, capture: "qemu-elf", codec: null, la57: false }));

/** The other captures, each with scenarios that between them take every way through the unwinder. */
const OTHER: [LabVariant, string[]][] = [
  [{ kernel: "6.12", capture: "qemu-elf", codec: null, la57: true }, ["overrun-long", "nmi-recursion", "large-frame"]],
  [{ kernel: "6.1", capture: "qemu-kdump", codec: "zlib", la57: false }, ["overrun-long", "recursion-indirect"]],
  [{ kernel: "6.1", capture: "kdump", codec: "zlib", la57: false }, ["overrun-long", "hardirq-recursion", "null-call"]],
  [
    { kernel: "6.12", capture: "kdump", codec: "lzo", la57: true },
    ["overrun-into-return", "recursion-mutual", "deep-chain"],
  ],
];

const runs = [
  ...ELF.flatMap((variant) => scenarios.map((scenario) => ({ variant, scenario }))),
  ...OTHER.flatMap(([variant, names]) =>
    scenarios.filter((scenario) => names.includes(scenario.name)).map((scenario) => ({ variant, scenario })),
  ),
].map((run) => ({ ...run, name: runName(run.scenario.name, run.variant) }));

let folder: string;
let targets: ReadonlyMap<KernelSeries, LabTarget>;

beforeAll(async () => {
  targets = await ensureLab([...KERNEL_SERIES], ["qemu-elf", "qemu-kdump", "kdump"]);
  folder = await mkdtemp(join(tmpdir(), "spillway-lab-test-"));
});

afterAll(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const plain = (name: string | null) => (name ?? "?").replace(/\.(isra|constprop|part|cold)(\.\d+)?/g, "");

/** Do `wanted` all occur in `names`, in this order? Returns the first that does not. */
function firstMissing(names: readonly string[], wanted: readonly string[]): string | null {
  let from = 0;
  for (const name of wanted) {
    const at = names.indexOf(name, from);
    if (at < 0) return name;
    from = at + 1;
  }
  return null;
}

function check(diagnosis: Diagnosis, { expected }: Scenario): void {
  const { verdict, frames } = diagnosis;
  const names = frames.map((frame) => plain(frame.function));
  expect([expected.verdict, ...expected.alsoRight]).toContain(verdict.kind);
  expect(verdict.cause).toBe(expected.cause);
  if (expected.culprits.length > 0) expect(expected.culprits).toContain(plain(verdict.culprit?.function ?? null));
  expect(
    firstMissing(
      names,
      expected.chain.filter((name) => !expected.lost.includes(name)),
    ),
  ).toBeNull();
  expect(names.filter((name) => expected.absent.includes(name))).toEqual([]);
  for (const frame of frames) {
    const lost = expected.inferred.includes(plain(frame.function));
    if (lost) expect(frame.certainty, `${frame.function}`).toBe("inferred");
    expect(frame.why === null).toBe(frame.certainty === "proven");
  }
  if (expected.verdict !== "not-stack-related" && expected.stack !== null)
    expect(diagnosis.stack?.kind).toBe(expected.stack);
  if (expected.cycle.length > 0) {
    const turn = diagnosis.recursion?.functions.map(plain) ?? [];
    // The cycle may be entered anywhere.
    expect([...turn].sort()).toEqual([...expected.cycle].sort());
  }
}

/** Scenarios whose dump is also made small enough to mail: the diagnosis of that one must be the same. */
const EXTRACTED = new Set(["overrun-long", "recursion-mutual", "nmi-recursion", "return-overwritten", "sysrq"]);

/** The extract of a dump, in memory. */
function extracted(path: string): MemorySource {
  let bytes = new Uint8Array(16 << 20);
  const { size } = extractDump(openFiles([path]).kernel.image, (offset, chunk) => {
    if (offset + chunk.length > bytes.length) {
      const larger = new Uint8Array((offset + chunk.length) * 2);
      larger.set(bytes);
      bytes = larger;
    }
    bytes.set(chunk, offset);
  });
  return new MemorySource(bytes.subarray(0, size));
}

/** Breaks a kernel; once more where it survived: some scenarios need two CPUs to meet, and a busy machine keeps them apart. */
async function crash(options: Parameters<typeof runScenario>[0]): Promise<Awaited<ReturnType<typeof runScenario>>> {
  try {
    return await runScenario(options);
  } catch (error) {
    if (!(error instanceof SpillwayError) || error.code !== "SPW_LAB_NO_PANIC") throw error;
    return runScenario(options);
  }
}

describe.each(runs)("$name", ({ name, scenario, variant }) => {
  it(`is ${scenario.expected.verdict}`, async () => {
    const path = join(folder, name);
    const result = await crash({ scenario: scenario.name, variant, folder: path, targets });
    try {
      const diagnosis = diagnose(openFiles([result.vmcore.path]).kernel, { path: result.vmcore.path });
      check(diagnosis, scenario);
      if (EXTRACTED.has(scenario.name)) {
        const small = extracted(result.vmcore.path);
        expect(small.size).toBeLessThan(8 << 20);
        const again = diagnose(openKernel(openDump([small])), { path: "small.kdump" });
        expect(sameDiagnosis(again, diagnosis), JSON.stringify(again.verdict)).toBe(true);
      }
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  });
});
