/**
 * The call graph against the truth of real kernels: ORC against the code over a whole kernel, and every call that was under
 * way when one crashed. Who reads a stack asks nothing of the graph, and the graph nothing of the stack.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  backtrace,
  buildCallGraph,
  type CallGraph,
  compareDepths,
  DEPTH_KINDS,
  type Frame,
  type Kernel,
  programFromKernel,
  SITE_KINDS,
} from "@spillway/core";
import { ensureLab, KERNEL_SERIES, type KernelSeries, type LabTarget, runScenario } from "@spillway/lab";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FunctionTable, fullAddress } from "../../core/src/budget/function-table.ts";
import { compareDecoders } from "../../core/src/code/compare-decoders.fixture.ts";
import { openFiles } from "../src/io/open-files.ts";
import { openProgramFile } from "../src/io/open-program.ts";

/** Of all functions; the rest is entry code and the like, see docs/call-graph.md. */
const LEAST_EQUAL = 0.999;
/** Frames further apart than any task's stack is large are on two. Bytes. */
const SWITCHED = 16384;
/** No call instruction is longer or shorter. Bytes. */
const CALL_BYTES = { least: 2, most: 9 };

let folder: string;
let targets: ReadonlyMap<KernelSeries, LabTarget>;

beforeAll(async () => {
  targets = await ensureLab([...KERNEL_SERIES], ["qemu-elf"]);
  folder = await mkdtemp(join(tmpdir(), "spillway-lab-test-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each([...KERNEL_SERIES])("%s", (series) => {
  it("ORC and the code agree in 99.9 % of all functions, and no C function is among the others", () => {
    const program = openProgramFile(targets.get(series)!.kernel.image);
    const { functions, equalFunctions, differences } = compareDepths(program, buildCallGraph(program));
    expect(functions).toBeGreaterThan(40_000);
    expect(equalFunctions / functions).toBeGreaterThan(LEAST_EQUAL);
    const unexplained = differences.filter((one) => one.cause === "unexplained").map((one) => one.name);
    // The one is entered by the return of a function that is traced; of the other one instruction differs (`pushf; pop`).
    expect(unexplained.filter((name) => !["arch_rethook_trampoline", "__stack_chk_fail"].includes(name))).toEqual([]);
  });

  it("the decoder of common instructions says of every function what iced says", () => {
    const program = openProgramFile(targets.get(series)!.kernel.image);
    const functions = new FunctionTable(program);
    const differences: string[] = [];
    let compared = 0;
    for (let f = 0; f < functions.count; f++) {
      const start = fullAddress(functions.start[f]!);
      const code = program.memory.read(start, functions.end[f]! - functions.start[f]!)!;
      const result = compareDecoders(code, start);
      compared += result.compared;
      if (result.difference !== null) differences.push(`${functions.name[f]}: ${result.difference}`);
    }
    expect(compared).toBeGreaterThan(2_000_000);
    expect(differences).toEqual([]);
  });

  it("has every call under way in a crashed kernel, with the very bytes that lay between", async () => {
    const variant = { kernel: series, capture: "qemu-elf", codec: null, la57: false } as const;
    const { vmcore } = await runScenario({ scenario: "overrun-long", variant, folder, targets });
    const { kernel } = openFiles([vmcore.path]);
    const graph = buildCallGraph(programFromKernel(kernel));
    const pairs = provenPairs(kernel);
    expect(pairs.length).toBeGreaterThan(100);
    const judged = pairs.filter((pair) => !byFarReturn(kernel, pair)).map((pair) => judge(graph, pair));
    expect(judged.filter((what) => what !== "right")).toEqual([]);
  });
});

/** A frame and the one of its caller. */
interface Pair {
  readonly inner: Frame;
  readonly outer: Frame;
}

/** Neighbours on the stacks of all tasks: both proven, on one stack, the inner one called and not interrupted. */
function provenPairs(kernel: Kernel): Pair[] {
  const pairs: Pair[] = [];
  const bound = (name: string): bigint => kernel.symbols.byName(name, null)!.address;
  // What runs at start-up only is no part of the graph.
  const isInit = ({ address }: Frame) => address >= bound("_sinittext") && address <= bound("_einittext");
  for (const task of kernel.tasks()) {
    const { frames } = backtrace(kernel, { task: task.address });
    for (const [index, outer] of frames.entries()) {
      const inner = frames[index - 1];
      if (inner === undefined || inner.certainty !== "proven" || outer.certainty !== "proven") continue;
      if (outer.interrupted || inner.stack !== outer.stack || inner.start === null || outer.start === null) continue;
      if (!isInit(inner) && !isInit(outer)) pairs.push({ inner, outer });
    }
  }
  return pairs;
}

/** A CPU's start enters C by `lretq`, the address behind which it has pushed itself (arch/x86/kernel/head_64.S): no call. */
function byFarReturn(kernel: Kernel, { outer }: Pair): boolean {
  const before = kernel.memory.read(outer.address - 2n, 2);
  return before !== null && before[0] === 0x48 && before[1] === 0xcb;
}

function low32(address: bigint): number {
  return Number(BigInt.asIntN(32, address));
}

/** "right", or what is wrong. */
function judge(graph: CallGraph, { inner, outer }: Pair): string {
  const { sites, functions } = graph;
  const name = `${outer.function}+${outer.offset} -> ${inner.function}`;
  const returns = low32(outer.address);
  const here: number[] = [];
  for (let site = 0; site < sites.count; site++) {
    const length = returns - sites.address[site]!;
    if (length >= CALL_BYTES.least && length <= CALL_BYTES.most) here.push(site);
  }
  if (here.length === 0) return `${name}: no call is known there`;
  const callee = functions.start.indexOf(low32(inner.start!));
  const leads = here.filter((site) => reaches(graph, site, callee));
  if (leads.length === 0) return `${name}: the call leads elsewhere`;
  if (inner.cfa === null || outer.cfa === null) return "right";
  const between = Number(outer.cfa - inner.cfa);
  const told = leads.map((site) => `${sites.bytes[site]} ${DEPTH_KINDS[sites.depthKind[site]!]}`);
  const fits = leads.some((site) => {
    const kind = DEPTH_KINDS[sites.depthKind[site]!];
    // Then the callee's frame is not below the caller's, or not near it.
    if (kind === "other-stack") return between < 0 || between > SWITCHED;
    return kind === "at-most" ? between <= sites.bytes[site]! : kind === "exact" && between === sites.bytes[site];
  });
  return fits ? "right" : `${name}: ${between} bytes lie between, not ${told.join(", ")}`;
}

/** Does the site lead to the function, at once or by tail jumps? An indirect one may. */
function reaches(graph: CallGraph, site: number, wanted: number): boolean {
  const { sites } = graph;
  const seen = new Set<number>();
  const work = [site];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    if (SITE_KINDS[sites.kind[next]!]!.startsWith("indirect")) return true;
    const callee = sites.callee[next]!;
    if (callee === wanted) return true;
    if (callee < 0 || seen.has(callee)) continue;
    seen.add(callee);
    for (let tail = 0; tail < sites.count; tail++) {
      if (sites.caller[tail] === callee && SITE_KINDS[sites.kind[tail]!]!.endsWith("tail")) work.push(tail);
    }
  }
  return false;
}
