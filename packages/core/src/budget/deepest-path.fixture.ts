/** Of one path alone what walks.ts finds of all paths at once. */
import type { CallGraph } from "./call-graph.ts";
import { nodeBytes, type PathNode } from "./deepest-path.ts";

export function pathBytes(graph: CallGraph, path: readonly PathNode[]): number {
  return nodeBytes(graph, path).reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * Takes the loops out of a walk: where a function comes twice, what lies between goes. The rest is a path of the graph that
 * enters no function twice.
 */
export function withoutLoops(walk: readonly PathNode[]): PathNode[] {
  const path: PathNode[] = [];
  for (const node of walk) {
    const earlier = path.findIndex(({ f }) => f === node.f);
    if (earlier < 0) path.push(node);
    else {
      const { endBytes } = node;
      path.splice(earlier, path.length, { ...path[earlier]!, ...(endBytes === undefined ? {} : { endBytes }) });
    }
  }
  return path;
}

/** A walk up to where it comes to a function for the second time. */
export function untilRepeated(walk: readonly PathNode[]): PathNode[] {
  const seen = new Set<number>();
  const end = walk.findIndex(({ f }) => seen.size === seen.add(f).size);
  return walk.slice(0, end < 0 ? walk.length : end);
}
