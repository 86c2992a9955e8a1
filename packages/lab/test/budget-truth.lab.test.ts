/**
 * The budget of a boot image against the kernel at work: calls that were under way, sizes of frames, depths of stacks, and a
 * module whose deepest path is walked.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { analyseProgram, type Budget, createBudget, openDump, openKernel, type Program } from "@spillway/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileSource } from "../../cli/src/io/file-source.ts";
import { nodeCodecs } from "../../cli/src/io/node-codecs.ts";
import { openProgramFile } from "../../cli/src/io/open-program.ts";
import { boundPasses } from "../../core/src/budget/solve.ts";
import { CallMatcher } from "../../core/src/budget/truth/call-matcher.ts";
import { compareDump } from "../../core/src/budget/truth/dump-chains.ts";
import { BOUND_KINDS, DepthJudge, type DepthsSeen, TOLD_BOUND } from "../../core/src/budget/truth/observed-depths.ts";
import { placing, textTest } from "../../core/src/budget/truth/places.ts";
import { readStackTracer } from "../../core/src/budget/truth/read-recording.ts";
import type { Recall, SizeComparison } from "../../core/src/budget/truth/recall.ts";
import { compareStackTracer } from "../../core/src/budget/truth/stack-tracer.ts";
import { ensureLab, type LabTarget } from "../src/ensure-lab.ts";
import { ensureModule, ensureProgram, findSources } from "../src/kernel-module-build.ts";
import { type KernelSeries, resolveVariant } from "../src/lab-options.ts";
import { silent } from "../src/progress.ts";
import { runScenario } from "../src/run-scenario.ts";
import { DUMP_MARK, runScript } from "../src/script-guest.ts";

const SERIES = "6.1";
/** Crashes on each kind of stack, and in a chain through function pointers. */
const SCENARIOS = ["recursion-indirect", "softirq-large-frame", "nmi-recursion"];
/** The weakest of the bounds. */
const SAFEST = BOUND_KINDS.length - 1;

const SCRIPT = `
mount -t tracefs tracefs /sys/kernel/tracing
insmod /stairs.ko
for a in 0 1 2; do for b in 0 1 2; do for c in 0 1 2; do
  echo "$a $b $c" > /proc/stairs
  echo "STAIRS $a $b $c $(cat /proc/stairs)"
done; done; done
echo 1 > /proc/sys/kernel/stack_tracer_enabled
observe depths /tmp/stack_trace & observer=$!
exercise processes; exercise files /tmp
echo "${DUMP_MARK} work"
sleep 1
kill $observer; wait $observer
echo "DEPTHS BEGIN"; head -c 120000 /tmp/stack_trace; echo "DEPTHS END"
`;

let targets: ReadonlyMap<KernelSeries, LabTarget>;
let folder: string;
let program: Program;
let budget: Budget;
let matcher: CallMatcher;
let output: string;
let seen: DepthsSeen;
/** Of the depths seen, those before the first crash. */
let atWork: DepthsSeen["depths"];
const recalls = new Map<string, Recall>();
const sizes = new Map<string, SizeComparison>();

beforeAll(async () => {
  targets = await ensureLab([SERIES], ["qemu-elf"]);
  folder = await mkdtemp(join(tmpdir(), "spillway-truth-test-"));
  const { kernel, module } = targets.get(SERIES)!;
  const trace = findSources(["../../trace", "../../lab/trace"]);
  const stairs = await ensureModule(kernel, "stairs", findSources(["../stairs", "../../lab/stairs"]), silent, true);
  const programs = ["observe", "exercise"].map((name) => ensureProgram(name, join(trace, `${name}.c`), silent));
  const guest = await runScript({
    kernel,
    script: SCRIPT,
    files: new Map([["stairs.ko", await readFile(stairs)]]),
    programs: await Promise.all(programs),
    memoryMiB: 256,
    dumps: folder,
    timeoutMs: 400_000,
  });
  program = openProgramFile(kernel.image, { modules: [dirname(module), dirname(stairs)] });
  const graph = analyseProgram(program);
  budget = createBudget(program, graph);
  matcher = new CallMatcher(graph);
  output = guest.console;

  const judge = new DepthJudge(budget);
  seen = judge.seen;
  const [, tables = ""] = /DEPTHS BEGIN\n([\s\S]*?)DEPTHS END/.exec(output) ?? [];
  const tracer = compareStackTracer(matcher, readStackTracer(tables));
  recalls.set("stack tracer", tracer.recall);
  sizes.set("stack tracer", tracer.sizes);
  for (const chain of tracer.chains) judge.add(chain);
  const dump = (name: string, path: string): void => {
    const ran = openKernel(openDump([new FileSource(path)], { codecs: nodeCodecs }));
    const compared = compareDump(ran, matcher, textTest(program), placing(ran.symbols, program.symbols));
    recalls.set(name, compared.recall);
    sizes.set(name, compared.sizes);
    for (const chain of compared.chains) judge.add(chain);
  };
  dump("dump at work", join(folder, "work.vmcore"));
  atWork = [...seen.depths];
  for (const scenario of SCENARIOS) {
    const variant = resolveVariant({ kernel: SERIES, capture: "qemu-elf" });
    const { vmcore } = await runScenario({ scenario, variant, folder: join(folder, scenario), targets });
    dump(scenario, vmcore.path);
  }
});
afterAll(() => rm(folder, { recursive: true }));

describe("a module with 27 paths, all of which are walked", () => {
  const walks = () =>
    [...output.matchAll(/STAIRS (\d) (\d) (\d) (\d+)/g)].map(([, a, b, c, bytes]) => ({
      way: `${a}${b}${c}`,
      bytes: Number(bytes),
    }));

  test("the deepest is as deep as the budget says, to the byte", () => {
    expect(walks()).toHaveLength(27);
    const deepest = walks().reduce((most, walk) => (walk.bytes > most.bytes ? walk : most));
    const path = budget.path("climb");
    // At its end the budget has what no walk has: the return address of a call that only a dying kernel makes.
    const [last, ...before] = path.steps.toReversed();
    expect(last).toMatchObject({ function: "__stack_chk_fail", bytes: 8 });
    expect(deepest).toEqual({ way: "102", bytes: path.bytes - 8 });
    expect(before.map((step) => step.function)).toEqual(["far_step", "red_step", "ash_step", "climb"]);
  });

  test("every other one is as deep as the frames on its way", () => {
    const { functions, sites } = budget.graph;
    const names = [
      ["oak_step", "ash_step", "elm_step"],
      ["red_step", "tan_step", "jet_step"],
      ["old_step", "new_step", "far_step"],
    ];
    const own = (name: string): number => {
      const f = functions.name.indexOf(name);
      return Math.max(...sites.bytes.filter((_, site) => sites.caller[site] === f));
    };
    for (const { way, bytes } of walks()) {
      const steps = names.map((choices, at) => own(choices[Number(way[at])]!));
      expect(bytes, way).toBe(steps.reduce((sum, step) => sum + step, own("climb")));
    }
  });
});

test.each(["stack tracer", "dump at work", ...SCENARIOS])("%s: every call is in the graph", (source) => {
  const { found, misses } = recalls.get(source)!;
  const told = misses.map(({ at, callee, reason }) => `${reason}: ${place(at)} -> ${place(callee)}`);
  expect(told).toEqual([]);
  // How many tasks are under way when the dump is taken is up to chance.
  expect(found.proven).toBeGreaterThan(10);
});

test.each(["dump at work", ...SCENARIOS])("%s: every frame is as large as the graph says", (source) => {
  const { differences, equal } = sizes.get(source)!;
  expect(differences).toEqual([]);
  expect(equal).toBeGreaterThan(30);
});

test("the stack tracer's frames are as large, but for a few that older copies of return addresses hide", () => {
  const { differences, equal } = sizes.get("stack tracer")!;
  expect(differences.length).toBeLessThan(equal / 100);
});

describe("depths", () => {
  test("above each entry of tasks no more was in use than its base", () => {
    expect(seen.bases.length).toBeGreaterThan(20);
    // What lies above the others is the hardware's choice: which flow handler, what was interrupted.
    const onTasks = new Set(budget.entries.filter(({ stack }) => stack === "task").map(({ f }) => f));
    const over = seen.bases.filter(({ entry, bytes, bound }) => bytes > bound && onTasks.has(entry));
    expect(over.map(({ entry, bytes }) => `${budget.graph.functions.name[entry]}: ${bytes}`)).toEqual([]);
  });

  test("at each call the stack was no fuller than the deepest way there", () => {
    expect(seen.depths.length).toBeGreaterThan(300);
    expect(seen.depths.filter(({ bytes, bounds }) => bytes > bounds[SAFEST]!).map(told)).toEqual([]);
  });

  // The crashes are runaway recursion: no bound on upcalls is for them.
  test("at work, wherever the slot-matched level knows the calls that led there, within the bound people are told", () => {
    const known = atWork.filter(({ bySlots }) => bySlots);
    expect(known.length).toBeGreaterThan(50);
    expect(known.filter(({ bytes, bounds }) => bytes > bounds[TOLD_BOUND]!).map(told)).toEqual([]);
  });

  test("at work nearly all others are within it too, by other ways", () => {
    const { length } = atWork.filter(({ bytes, bounds }) => bytes <= bounds[TOLD_BOUND]!);
    expect(length).toBeGreaterThan(0.9 * atWork.length);
  });

  test("at work the stack was below no entry fuller than the slot-matched bound of its deepest path", () => {
    const { depth } = boundPasses(budget.solved, budget.solved.levels.slotMatched).at(-1)!;
    expect(atWork.length).toBeGreaterThan(100);
    expect(atWork.filter(({ entry, bytes }) => bytes > depth[entry]!).map(told)).toEqual([]);
  });

  const told = ({ entry, f, bytes }: DepthsSeen["depths"][number]): string => {
    const { name } = budget.graph.functions;
    return `${name[entry]} -> ${name[f]}: ${bytes}`;
  };
});

function place(at: number): string {
  const found = program.symbols.byAddress(BigInt.asUintN(64, BigInt(at)));
  return found === null ? "?" : `${found.symbol.name}+${found.offset}`;
}
