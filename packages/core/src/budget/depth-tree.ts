/**
 * The deepest calls below a function as a tree: what an icicle graph draws. The tree has the deepest path, and the deepest of
 * the paths that leave it early enough to be paths of their own and not the same one with another last call. Where a path comes
 * to a function that a deeper one has passed, both go on alike, and it ends there.
 */
import {
  CERTAINTIES,
  DEPTH_KINDS,
  type DepthKind,
  type EdgeCertainty,
  SITE_KINDS,
  type SiteKind,
} from "./call-graph.ts";
import type { CallOrder } from "./call-layers.ts";
import type { DepthPass } from "./depths.ts";
import type { GraphIndex } from "./graph-index.ts";
import { assumedSetAt, typedSetAt } from "./level-sets.ts";
import { atLevel, type BudgetLevel } from "./levels.ts";
import { boundPasses, type SolvedGraph } from "./solve.ts";

/** A function on the stack. Its frame reaches from `top` to the `top` of whichever callee is live. */
export interface DepthNode {
  readonly name: string;
  /** Module name, null for the kernel. */
  readonly module: string | null;
  /** Bytes of stack in use at its CFA. */
  readonly top: number;
  /** Bytes of stack in use at the deepest place of its own frame, its callees apart. */
  readonly ownEnd: number;
  /** Bytes in use at the deepest place below it, whether or not that is in the tree. */
  readonly deepest: number;
  /** How it was called; null for the root. */
  readonly call: DepthCall | null;
  /** True where a deeper path of the tree passes the same function with as many upcalls left: what follows stands there, and `callees` is empty. */
  readonly repeated: boolean;
  /** The deepest first. */
  readonly callees: readonly DepthNode[];
  /** Callees that are left out because they reach less deep. */
  readonly leftOut: number;
}

export interface DepthCall {
  /** Address of the call, as signed 32 bits. */
  readonly address: number;
  readonly kind: SiteKind;
  readonly certainty: EdgeCertainty;
  readonly depth: DepthKind;
  /** Label of the set that it is a member of; null for a direct call. */
  readonly slot: string | null;
}

export interface DepthTreeOptions {
  /** Paths in the tree at most. */
  readonly paths?: number;
  /** A path that leaves another one has to go on for this share of the deepest path's bytes. */
  readonly least?: number;
  /** Callees of one function in the tree at most. */
  readonly callees?: number;
}

interface Input {
  readonly index: GraphIndex;
  readonly order: CallOrder;
  readonly level: BudgetLevel;
  /** For 0 upcalls, for 1, and so on. */
  readonly passes: readonly DepthPass[];
}

interface Edge {
  readonly site: number;
  readonly callee: number;
  /** Index into CERTAINTIES. */
  readonly certainty: number;
  readonly set: number;
  /** Upcalls that are left to a path that goes on by it. */
  readonly rounds: number;
  /** From the caller's CFA to the deepest place below. */
  readonly depth: number;
}

interface Growing {
  readonly f: number;
  /** Upcalls that are left to paths from it on. */
  readonly rounds: number;
  readonly top: number;
  readonly edge: Edge | null;
  readonly repeated: boolean;
  readonly callees: Growing[];
  /** Edges that are not in the tree, the deepest first. */
  readonly rest: Edge[];
}

/**
 * Paths that take as many upcalls as the bounds do.
 * @param root number of a function
 * @param base bytes in use before the function has its return address on the stack
 */
export function depthTree(
  solved: SolvedGraph,
  level: BudgetLevel,
  root: number,
  base: number,
  options: DepthTreeOptions = {},
): DepthNode {
  const { paths = 24, least = 0.12, callees = 4 } = options;
  const { index, order } = solved;
  const passes = boundPasses(solved, atLevel(solved.levels, level));
  const input: Input = { index, order, level, passes };
  const rounds = passes.length - 1;
  const wanted = least * depthAt(input, root, rounds);
  const open: Growing[] = [];
  const passed = new Set<string>();
  const top = grow(input, root, rounds, base, null, open, passed);
  for (let count = 1; count < paths; count++) {
    let best: Growing | null = null;
    for (const node of open) {
      const edge = node.rest[0];
      if (edge === undefined || node.callees.length >= callees) continue;
      if (depthAt(input, edge.callee, edge.rounds) < wanted) continue;
      if (best === null || node.top + edge.depth > best.top + (best.rest[0] as Edge).depth) best = node;
    }
    if (best === null) break;
    const edge = best.rest.shift() as Edge;
    const below = best.top + bytesAt(input, edge);
    best.callees.push(grow(input, edge.callee, edge.rounds, below, edge, open, passed));
  }
  return finished(input, top);
}

function depthAt({ passes }: Input, f: number, rounds: number): number {
  return (passes[rounds] as DepthPass).depth[f] as number;
}

function bytesAt({ index }: Input, edge: Edge): number {
  return index.graph.sites.bytes[edge.site] as number;
}

/** A node with the deepest path below it, down to a function that has been passed; what can grow further goes to `open`. */
function grow(
  input: Input,
  root: number,
  allowed: number,
  base: number,
  from: Edge | null,
  open: Growing[],
  passed: Set<string>,
): Growing {
  let f = root;
  let rounds = allowed;
  let top = base;
  let edge = from;
  let first: Growing | null = null;
  let above: Growing | null = null;
  for (;;) {
    const repeated = passed.has(`${f} ${rounds}`);
    const rest = repeated ? [] : edgesOf(input, f, rounds);
    const node: Growing = { f, rounds, top, edge, repeated, callees: [], rest };
    first ??= node;
    above?.callees.push(node);
    above = node;
    if (repeated) return first;
    passed.add(`${f} ${rounds}`);
    open.push(node);
    const next = rest[0];
    const own = input.index.graph.functions.ownBytes[f] as number;
    if (next === undefined || next.depth <= own) return first;
    rest.shift();
    top += bytesAt(input, next);
    edge = next;
    f = next.callee;
    rounds = next.rounds;
  }
}

/** The deepest edge to each callee, the deepest callee first; cut edges as long as upcalls are left. */
function edgesOf(input: Input, f: number, left: number): Edge[] {
  const { index, order, level } = input;
  const { graph, firstSite } = index;
  const { sites, sets } = graph;
  const place = order.position[f] as number;
  const best = new Map<number, Edge>();
  const consider = (site: number, callee: number, certainty: number, set: number): void => {
    const rounds = (order.position[callee] as number) <= place ? left - 1 : left;
    if (rounds < 0) return;
    const depth = (sites.bytes[site] as number) + depthAt(input, callee, rounds);
    const known = best.get(callee);
    if (known === undefined || depth > known.depth) best.set(callee, { site, callee, certainty, set, rounds, depth });
  };
  for (let site = firstSite[f] as number; site < (firstSite[f + 1] as number); site++) {
    const callee = sites.callee[site] as number;
    if (callee >= 0) consider(site, callee, 0, -1);
    for (const [certainty, set] of [
      [1, typedSetAt(graph, level, site)],
      [2, assumedSetAt(graph, level, site)],
    ] as const) {
      if (set < 0) continue;
      for (let at = sets.start[set] as number; at < (sets.start[set + 1] as number); at++) {
        consider(site, sets.members[at] as number, certainty, set);
      }
    }
  }
  // Of paths that are as deep as each other, the one that is told comes first.
  const told = (input.passes[left] as DepthPass).callee[f] as number;
  return [...best.values()].sort((a, b) => b.depth - a.depth || Number(b.callee === told) - Number(a.callee === told));
}

function finished(input: Input, node: Growing): DepthNode {
  const { graph } = input.index;
  const { functions, sites, sets } = graph;
  const { f, rounds, top, edge } = node;
  return {
    name: functions.name[f] as string,
    module: functions.module[f] as string | null,
    top,
    ownEnd: top + (functions.ownBytes[f] as number),
    deepest: top + depthAt(input, f, rounds),
    call:
      edge === null
        ? null
        : {
            address: sites.address[edge.site] as number,
            kind: SITE_KINDS[sites.kind[edge.site] as number] as SiteKind,
            certainty: CERTAINTIES[edge.certainty] as EdgeCertainty,
            depth: DEPTH_KINDS[sites.depthKind[edge.site] as number] as DepthKind,
            slot: edge.set < 0 ? null : (sets.label[edge.set] as string),
          },
    repeated: node.repeated,
    callees: node.callees.map((callee) => finished(input, callee)),
    leftOut: node.rest.length,
  };
}
