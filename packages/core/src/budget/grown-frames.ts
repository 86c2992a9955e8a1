/** What if a frame were larger: the same budget with so many bytes more in some functions. */
import { SpillwayError } from "../errors.ts";
import { Budget, type BudgetOptions } from "./budget.ts";
import { type CallGraph, DEPTH_KINDS, SITE_KINDS } from "./call-graph.ts";

export interface GrownFrame {
  /** A function, as `FunctionNames.find` takes it. */
  readonly name: string;
  readonly bytes: number;
}

const OTHER_STACK = DEPTH_KINDS.indexOf("other-stack");
const CALLS = [SITE_KINDS.indexOf("call"), SITE_KINDS.indexOf("indirect-call")];

/** Reads "vfs_write=512,ext4_map_blocks=128". @throws SpillwayError `SPW_USAGE` */
export function parseGrownFrames(list: string): GrownFrame[] {
  return list.split(",").map((one) => {
    const [, name, bytes] = /^(\S+)=\+?(\d{1,6})$/.exec(one.trim()) ?? [];
    if (name === undefined || bytes === undefined) {
      throw new SpillwayError("SPW_USAGE", `"${one.trim()}" is not a function and how many bytes its frame grows by`, {
        class: "usage",
        facts: { list },
        hint: "as in vfs_write=512,ext4_map_blocks=128",
      });
    }
    return { name, bytes: Number(bytes) };
  });
}

/**
 * The budget that the kernel would have: the frame counts for so much more at each call that the function makes, even one that
 * comes before its frame is whole. What lies above the entries (`do_syscall_64`) is as it was.
 * @throws SpillwayError `SPW_BUDGET_NO_FUNCTION`
 */
export function withGrownFrames(budget: Budget, frames: readonly GrownFrame[], options: BudgetOptions): Budget {
  const { names, program, wholeGraph, foundEntries } = budget;
  const more = new Int32Array(wholeGraph.functions.count);
  for (const { name, bytes } of frames) more[names.find(name)]! += bytes;
  const said = frames.map(({ name, bytes }) => `the frame of ${name} is taken to be ${bytes} bytes larger than it is`);
  // Whoever keeps a kernel opens it when it is asked for more.
  const grown = Object.create(program, { problems: { value: [...program.problems, ...said], enumerable: true } });
  return new Budget(grown, grow(wholeGraph, more), options, foundEntries);
}

function grow(graph: CallGraph, more: Int32Array): CallGraph {
  const { functions, sites } = graph;
  return {
    ...graph,
    functions: { ...functions, ownBytes: functions.ownBytes.map((bytes, f) => bytes + more[f]!) },
    sites: {
      ...sites,
      bytes: sites.bytes.map((bytes, site) => {
        const grows = CALLS.includes(sites.kind[site]!) && sites.depthKind[site] !== OTHER_STACK;
        return grows ? bytes + more[sites.caller[site]!]! : bytes;
      }),
    },
  };
}
