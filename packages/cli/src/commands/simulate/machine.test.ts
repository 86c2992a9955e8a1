import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_PROFILE, type MachineDocument } from "@spillway/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../run.ts";
import { recorder } from "../../testing/recorder.ts";

/** A machine that is done in a moment. */
const SMALL = "--memory 96M --unmovable 8M --seconds 1 --replications 2 --tasks 50";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spillway-machine-"));
  writeFileSync(join(folder, "profile.json"), JSON.stringify({ ...DEFAULT_PROFILE, name: "mine" }));
  writeFileSync(join(folder, "empty.json"), "{}");
  const entry = (name: string, kind: string, bytes: number, path: unknown[]) => {
    const bounds = { direct: bytes, slotMatched: bytes, prototypeMatched: bytes };
    return { name, kind, function: name, module: null, baseBytes: 100, bounds, path };
  };
  const steps = [
    { function: "sys_write", bytes: 400, module: null },
    { function: "vfs_write", bytes: 5000, module: null },
    { function: "xfs_file_write_iter", bytes: 3000, module: "xfs" },
  ];
  const budget = {
    schema: "spillway/budget@1",
    kernel: { release: "6.1.0", source: "vmlinux", name: "vmlinux" },
    stackBytes: 16384,
    functions: [],
    cycles: [],
    interrupts: [],
    entries: [entry("sys_write", "system-call", 8500, steps), entry("common_interrupt", "interrupt", 700, [])],
  };
  writeFileSync(join(folder, "budget.json"), JSON.stringify(budget));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function ran(words: string, width = 80) {
  const terminal = recorder({ width });
  const open = () => {
    throw new Error("no dump is opened");
  };
  const args = words
    .replaceAll("FOLDER", folder)
    .split(" ")
    .filter((word) => word !== "");
  return {
    code: await run(["simulate", "machine", ...args], { terminal, open }),
    output: terminal.output(),
    errors: terminal.errors().replaceAll(folder, "FOLDER"),
  };
}

test.each([
  ["--designs 7k", 2, "SPW_MACHINE_BAD_DESIGN"],
  ["--designs 8k,", 2, "SPW_MACHINE_BAD_DESIGN"],
  ["--tasks 0", 2, "no number from 1 to"],
  ["--tasks 100,x", 2, "no whole number"],
  ["--tasks 1e9", 2, "no number from 1 to"],
  ["--replications 1", 2, "no number from 2"],
  ["--seed -1", 2, "SPW_USAGE"],
  ["--seed 4294967296", 2, "more than 4294967295"],
  ["--memory 8x", 2, "no size"],
  ["--memory 1000G", 2, "more than 16 GiB"],
  ["--memory 100M --unmovable 100M", 2, "SPW_MACHINE_NO_MEMORY"],
  ["--seconds 0", 2, "no number of seconds"],
  ["--tasks 1000 --life 0.0001", 2, "more than 10000000 events"],
  ["--tasks 1 --churn 0 --seconds 1000000", 2, "more than 100000 seconds"],
  ["--churn 4000000000", 2, "more than 100000000 pages"],
  ["--task-pages 4000000000", 2, "more than 10000"],
  ["--deeper 2", 2, "no number from 0 to 1"],
  ["--levels 8k", 2, "SPW_MACHINE_BAD_LEVELS"],
  ["--levels 5 --profile x", 2, "exclude each other"],
  ["--entry sys_write", 2, "--budget FILE is missing"],
  ["--irq-rate 1000000", 3, "interrupts keep a CPU busy"],
  ["--points nfs", 4, "SPW_MACHINE_NO_LEVEL"],
  ["--profile FOLDER/none.json", 3, "SPW_INPUT_NOT_FOUND: FOLDER/none.json"],
  ["--profile FOLDER/empty.json", 3, "SPW_MACHINE_BAD_PROFILE"],
  ["--budget FOLDER/empty.json --entry a", 3, "SPW_BUDGET_INVALID"],
])("%s", async (words, code, message) => {
  const result = await ran(words);
  expect([result.code, result.output]).toEqual([code, ""]);
  expect(result.errors).toContain(message);
});

test("a table of designs, within 80 columns", async () => {
  const { code, output } = await ran(`${SMALL} --designs 8k,4k+irq+extra --tasks 50,100`);
  expect(code).toBe(0);
  expect(output).toMatch(/^50 tasks +memory +crashes +EIO +failed forks$/m);
  expect(output).toMatch(/^100 tasks +memory/m);
  expect(output).toMatch(/^8k +400 KiB /m);
  expect(output).toMatch(/^4k\+irq\+extra +560 KiB /m);
  expect(output.split("\n").filter((line) => line.length > 80)).toEqual([]);
});

test("--json is the same for the same seed, and follows the options", async () => {
  const words = `${SMALL} --designs 8k --vmalloc --levels 700,900:0.5 --pool 3 --threshold 1000 --irq-rate 100 --json`;
  const [one, same, other] = await Promise.all([ran(words), ran(words), ran(`${words} --seed 2`)]);
  expect(one.output).toBe(same.output);
  expect(one.output).not.toBe(other.output);
  const document = JSON.parse(one.output) as MachineDocument;
  expect(document.designs.map((design) => design.name)).toEqual(["8k", "8k+vmap"]);
  expect(document.pool).toEqual({ stacks: 3, thresholdBytes: 1000 });
  expect(document.profile.levels.map((level) => level.bytes[0])).toEqual([700, 900]);
  expect(document.profile.interrupts.perSecond).toBe(100);
  expect(document.results[0]!.tasks).toBe(50);
  expect(document.results[0]!.designs[0]!.memoryBytes).toBe(50 * 8192);
});

test("--budget takes the deepest path of an entry: 8,500 bytes are more than 8 KiB and less than 16", async () => {
  const words = `${SMALL} --budget FOLDER/budget.json --json --entry sys_write`;
  const crashes = async (more: string) => {
    const { output } = await ran(`${words} ${more}`);
    return (JSON.parse(output) as MachineDocument).results[0]!.designs.map(({ name, crashes }) => [
      name,
      crashes.count === 0 ? "none" : crashes.count === crashes.of ? "all" : "some",
    ]);
  };
  expect(await crashes("")).toEqual([
    ["16k+irq+vmap", "none"],
    ["16k+irq+extra+vmap", "none"],
    ["8k+irq+vmap", "all"],
    ["8k+irq+extra+vmap", "all"],
    ["32k+irq+vmap", "none"],
  ]);
  // At vfs_write 500 bytes are in use, and 8,000 come after it: a point in XFS is needed, with more than half of the stack in use.
  expect(await crashes("--designs 8k+irq+extra --points xfs_file_write_iter")).toEqual([["8k+irq+extra", "none"]]);
  expect(await crashes("--designs 8k+irq --deeper 0.5")).toEqual([["8k+irq", "some"]]);
  const hit = JSON.parse((await ran(`${words} common_interrupt --designs 8k`)).output) as MachineDocument;
  expect(hit.profile.interrupts.hard.bytes).toEqual([700, 700]);
});

test("--print-profile prints what --profile takes", async () => {
  const printed = await ran("--print-profile --points split");
  const points = (JSON.parse(printed.output) as typeof DEFAULT_PROFILE).levels.filter((level) => level.point);
  expect(points.map((level) => level.name)).toEqual(["split"]);
  const { code, output } = await ran(`${SMALL} --designs 8k --profile FOLDER/profile.json`);
  expect([code, output.startsWith("mine: 2 runs of 1 s each, seed 1.")]).toEqual([0, true]);
});

test("--html draws it in a page that refers to nothing else, and replaces no file unasked", async () => {
  const words = `${SMALL} --designs 4k,4k+extra --tasks 50,100 --pool 1 --html FOLDER/page.html`;
  const first = await ran(words);
  expect([first.code, first.errors]).toEqual([0, ""]);
  expect(first.output).toMatch(/\nwritten: .*page\.html\n$/);
  const page = readFileSync(join(folder, "page.html"), "utf8");
  const charts = JSON.parse(/id="charts">(.*?)<\/script>/.exec(page)![1]!) as {
    title: string;
    series: { name: string }[];
  }[];
  expect(charts.length).toBeGreaterThanOrEqual(2);
  for (const at of charts.keys()) expect(page).toContain(`id="chart-${at}"`);
  expect(charts[1]!.series.map((one) => one.name)).toEqual(["4k", "4k+extra"]);
  expect(page).toContain("spillway simulate machine --designs 4k,4k+extra --tasks 50,100 --pool 1");
  expect(page).not.toMatch(/<[^>]+ (src|href)=|url\(/);
  expect(JSON.stringify(charts)).not.toContain("null");
  expect((await ran(words)).errors).toContain("SPW_OUTPUT_EXISTS");
  expect((await ran(`${words} -f`)).code).toBe(0);
});
