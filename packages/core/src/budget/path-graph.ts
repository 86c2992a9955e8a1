/** The graph that paths are looked for in: of the calls of a program those that a path goes on by. */
import type { CallGraph, SiteColumns } from "./call-graph.ts";
import { leavesForSoftirqs } from "./fresh-starts.ts";

export interface PathEnds {
  /** Functions (1) that paths end in: with their frames, and without what these call. See fatal.ts. */
  readonly fatal: Uint8Array;
  /** Functions (1) that no path goes on in: those at which other paths begin. See fresh-starts.ts. */
  readonly apart: Uint8Array;
}

export function pathGraph(graph: CallGraph, { fatal, apart }: PathEnds): CallGraph {
  const { sites } = graph;
  const isKept = (site: number): boolean =>
    fatal[sites.caller[site]!] !== 1 &&
    !(sites.callee[site]! >= 0 && apart[sites.callee[site]!] === 1) &&
    !leavesForSoftirqs(graph, site);
  const kept = new Int32Array(sites.count);
  let count = 0;
  for (let site = 0; site < sites.count; site++) if (isKept(site)) kept[count++] = site;
  const words = (column: Int32Array): Int32Array => {
    const words = new Int32Array(count);
    for (let at = 0; at < count; at++) words[at] = column[kept[at]!]!;
    return words;
  };
  const bytes = (column: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at++) bytes[at] = column[kept[at]!]!;
    return bytes;
  };
  const left: SiteColumns = {
    count,
    caller: words(sites.caller),
    address: words(sites.address),
    kind: bytes(sites.kind),
    bytes: words(sites.bytes),
    depthKind: bytes(sites.depthKind),
    callee: words(sites.callee),
    typedSet: words(sites.typedSet),
    assumedSet: words(sites.assumedSet),
  };
  return { ...graph, sites: left };
}
