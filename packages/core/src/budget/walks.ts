/**
 * What is told of the deepest paths from many starts: their edges, their cycles, and what is left of them without repetition.
 *
 * From a function with so many upcalls left all paths go on alike. So they come together and share their ends: they are a forest
 * of some ten thousand nodes, though they are millions of functions long. Each node is looked at once, on the way from the ends
 * of paths to their starts, with what is known of the node that it goes on in.
 */
import { type CallGraph, CERTAINTIES, type EdgeCertainty } from "./call-graph.ts";
import type { DepthPass } from "./depths.ts";

export interface WalkFigures {
  /** Edges of the bound's path, by certainty. */
  readonly edges: Readonly<Record<EdgeCertainty, number>>;
  /** Cycles that the bound's path passes, in its order. */
  readonly cycles: readonly number[];
  /**
   * Bytes of the deepest path without repetition among those that the passes give: their walks up to where one comes back to
   * itself, and with the loops taken out.
   */
  readonly foundBytes: number;
}

/**
 * @param passes with one more than the bound takes
 * @param cycleOf number of the cycle that each function is in; -1 for none
 * @param starts functions; one result for each
 */
export function walkFigures(
  graph: CallGraph,
  passes: readonly DepthPass[],
  cycleOf: Int32Array,
  starts: readonly number[],
): WalkFigures[] {
  const { functions, sites } = graph;
  const { nodes, next, nodeOf } = forestOf(functions.count, passes, starts);
  const { firstCaller, nextCaller, ends } = callersIn(next);
  // Of the path from each node on: bytes up to the frame of its last function; the deepest without repetition of two kinds; edges.
  const bytes = new Int32Array(nodes.length);
  const untilRepeated = new Int32Array(nodes.length);
  const withoutLoops = new Int32Array(nodes.length);
  const edges = new Int32Array(CERTAINTIES.length * nodes.length);
  const cycles: (readonly number[])[] = [];
  // The path from the present node on, its end first; where on it each function comes next (-1: does not), and comes last.
  const path: number[] = [];
  const nearest = new Int32Array(functions.count).fill(-1);
  const last = new Int32Array(functions.count).fill(-1);
  // Of each node: where it found its function the next time, and where on its path any function comes for the second time.
  const found = new Int32Array(nodes.length);
  const repeated = new Int32Array(nodes.length);

  // With the return address of a call that leads nowhere known, where the deepest path ends there.
  const endBytes = (node: number): number => {
    const f = nodes[node]! % functions.count;
    return next[node]! < 0 ? passes[Math.floor(nodes[node]! / functions.count)]!.depth[f]! : functions.ownBytes[f]!;
  };
  const enter = (node: number): void => {
    const f = nodes[node]! % functions.count;
    const after = next[node]!;
    const place = path.push(node) - 1;
    found[node] = nearest[f]!;
    repeated[node] = Math.max(nearest[f]!, after < 0 ? -1 : repeated[after]!);
    nearest[f] = place;
    const cycle = cycleOf[f]!;
    if (after < 0) {
      withoutLoops[node] = endBytes(node);
      cycles[node] = cycle < 0 ? [] : [cycle];
    } else {
      const pass = passes[Math.floor(nodes[node]! / functions.count)]!;
      const own = sites.bytes[pass.site[f]!]!;
      bytes[node] = own + bytes[after]!;
      // Taking out all between the first and the last time that it comes to the function.
      withoutLoops[node] = last[f]! >= 0 ? withoutLoops[last[f]!]! : own + withoutLoops[after]!;
      for (let which = 0; which < CERTAINTIES.length; which++) {
        edges[CERTAINTIES.length * node + which] =
          edges[CERTAINTIES.length * after + which]! + (pass.certainty[f] === which ? 1 : 0);
      }
      // A path that has left a cycle never comes back to it.
      const tail = cycles[after]!;
      cycles[node] = cycle < 0 || cycle === tail[0] ? tail : [cycle, ...tail];
    }
    if (last[f]! < 0) last[f] = node;
    const end = path[repeated[node]! + 1]!;
    untilRepeated[node] = bytes[node]! - bytes[end]! + endBytes(end);
  };
  const leave = (node: number): void => {
    const f = nodes[node]! % functions.count;
    nearest[f] = found[node]!;
    if (last[f] === node) last[f] = -1;
    path.pop();
  };
  const walkBackFrom = (end: number): void => {
    enter(end);
    while (path.length > 0) {
      const node = path[path.length - 1]!;
      const caller = firstCaller[node]!;
      if (caller < 0) {
        leave(node);
        continue;
      }
      firstCaller[node] = nextCaller[caller]!;
      enter(caller);
    }
  };
  for (const end of ends) walkBackFrom(end);

  const bound = passes.length - 2;
  return starts.map((f) => {
    const node = nodeOf[bound * functions.count + f]!;
    const edgesAt = CERTAINTIES.length * node;
    let foundBytes = 0;
    for (let upcalls = 0; upcalls < passes.length; upcalls++) {
      const one = nodeOf[upcalls * functions.count + f]!;
      foundBytes = Math.max(foundBytes, untilRepeated[one]!, withoutLoops[one]!);
    }
    return {
      edges: { proven: edges[edgesAt]!, typed: edges[edgesAt + 1]!, assumed: edges[edgesAt + 2]! },
      cycles: cycles[node]!,
      foundBytes,
    };
  });
}

interface Forest {
  /** Of each node: its pass times the number of functions, plus its function. */
  readonly nodes: readonly number[];
  /** The node that its path goes on in; -1 where it ends. */
  readonly next: readonly number[];
  /** The node of each function in each pass; -1 where no path comes there. */
  readonly nodeOf: Int32Array;
}

/** All paths from the starts, in every pass. */
function forestOf(functionCount: number, passes: readonly DepthPass[], starts: readonly number[]): Forest {
  const nodes: number[] = [];
  const next: number[] = [];
  const nodeOf = new Int32Array(passes.length * functionCount).fill(-1);
  for (const start of starts) {
    for (let upcalls = 0; upcalls < passes.length; upcalls++) {
      let round = upcalls;
      let f = start;
      for (let before = -1; f >= 0; ) {
        const at = round * functionCount + f;
        const isNew = nodeOf[at]! < 0;
        if (isNew) {
          nodeOf[at] = nodes.push(at) - 1;
          next.push(-1);
        }
        const node = nodeOf[at]!;
        if (before >= 0) next[before] = node;
        if (!isNew) break;
        const { callee, cut } = passes[round]!;
        before = node;
        const goesBack = cut[f] === 1;
        f = callee[f]!;
        if (f >= 0 && goesBack) round--;
      }
    }
  }
  return { nodes, next, nodeOf };
}

/** The nodes that go on in each: a list by its first one, then from each to the next; -1 ends it. And the ends of all paths. */
function callersIn(next: readonly number[]): { firstCaller: Int32Array; nextCaller: Int32Array; ends: number[] } {
  const firstCaller = new Int32Array(next.length).fill(-1);
  const nextCaller = new Int32Array(next.length).fill(-1);
  const ends: number[] = [];
  for (const [node, after] of next.entries()) {
    if (after < 0) {
      ends.push(node);
      continue;
    }
    nextCaller[node] = firstCaller[after]!;
    firstCaller[after] = node;
  }
  return { firstCaller, nextCaller, ends };
}
