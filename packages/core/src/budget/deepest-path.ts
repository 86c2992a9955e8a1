/** Reads the paths out of the passes of depths.ts. */
import { type CallGraph, CERTAINTIES, type EdgeCertainty } from "./call-graph.ts";
import type { ContextPass, DepthPass } from "./depths.ts";

/** One function on a path. */
export interface PathNode {
  readonly f: number;
  /** The site, in the function before, that leads here; -1 for the first one. */
  readonly site: number;
  /** Index into CERTAINTIES of the edge that leads here; 0 for the first one. */
  readonly certainty: number;
  /** True where that edge is a cut one. */
  readonly cut: boolean;
  /**
   * Of the last one, where it is not its frame alone: bytes that it takes, with the return address of a call that leads nowhere
   * known.
   */
  readonly endBytes?: number;
}

/** The deepest path from `start` in the last of `passes`. Ends at a stop, which is then the last node. */
export function pathFrom(passes: readonly DepthPass[], start: number, stops: Uint8Array | null = null): PathNode[] {
  const nodes: PathNode[] = [{ f: start, site: -1, certainty: 0, cut: false }];
  let round = passes.length - 1;
  let f = start;
  for (;;) {
    const pass = passes[round] as DepthPass;
    const callee = pass.callee[f] as number;
    if (callee < 0) {
      nodes.push({ ...nodes.pop()!, endBytes: pass.depth[f]! });
      return nodes;
    }
    const cut = pass.cut[f] === 1;
    nodes.push({ f: callee, site: pass.site[f] as number, certainty: pass.certainty[f] as number, cut });
    if (stops?.[callee] === 1) return nodes;
    if (cut) round--;
    f = callee;
  }
}

/** The deepest way to `end` in the last of `passes`, from where a path starts; null where none reaches it. */
export function pathTo(graph: CallGraph, passes: readonly ContextPass[], end: number): PathNode[] | null {
  let round = passes.length - 1;
  if (((passes[round] as ContextPass).above[end] as number) < 0) return null;
  const nodes: PathNode[] = [];
  let f = end;
  for (;;) {
    const pass = passes[round] as ContextPass;
    const site = pass.site[f] as number;
    const cut = site >= 0 && pass.cut[f] === 1;
    nodes.push({ f, site, certainty: site < 0 ? 0 : (pass.certainty[f] as number), cut });
    if (site < 0) return nodes.reverse();
    if (cut) round--;
    f = graph.sites.caller[site] as number;
  }
}

/** Bytes that each node of a path takes: up to the next one's frame, and all of its own for the last one. */
export function nodeBytes(graph: CallGraph, path: readonly PathNode[]): number[] {
  return path.map((_, at) => bytesAt(graph, path, at));
}

export function bytesAt({ functions, sites }: CallGraph, path: readonly PathNode[], at: number): number {
  const { f, endBytes } = path[at]!;
  const next = path[at + 1];
  return next === undefined ? (endBytes ?? functions.ownBytes[f]!) : sites.bytes[next.site]!;
}

/** How many edges of each certainty a path has. */
export function countEdges(path: readonly PathNode[]): Record<EdgeCertainty, number> {
  const counts: Record<EdgeCertainty, number> = { proven: 0, typed: 0, assumed: 0 };
  for (const { site, certainty } of path) if (site >= 0) counts[CERTAINTIES[certainty] as EdgeCertainty]++;
  return counts;
}
