/**
 * Strongly connected components of the call graph: the functions of one can all call each other, directly or through others.
 *
 * A set of callees is a node of its own between the sites that lead to it and its members, so that the work is in proportion to
 * sites and memberships and not to their product. Two functions are in one component of this graph exactly where they are in
 * the graph of functions alone, since a set only ever stands between a caller and its callees.
 */
import type { GraphIndex } from "./graph-index.ts";
import type { BudgetLevel } from "./levels.ts";

export interface Components {
  readonly count: number;
  /**
   * Component of each node: of function f at f, of set s at `functions.count + s`. Numbered so that an edge never leads from a
   * lower number to a higher one: callees come first.
   */
  readonly of: Int32Array;
  /** True (1) where the component's functions can call each other: more than one of them, or one that calls itself. */
  readonly cyclic: Uint8Array;
  /** Functions of each component: `functions[first[c]]` up to `first[c + 1]`, ascending. */
  readonly first: Int32Array;
  readonly functions: Int32Array;
}

/** Which nodes and edges there are. `stops`: functions whose callees are not followed (1), where a placement cuts them off. */
export interface LevelEdges {
  readonly level: BudgetLevel;
  /** Functions that nothing is followed into (1); edges to them are left out. */
  readonly stops?: Uint8Array | undefined;
}

/** Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972), with a stack of its own in place of recursion. */
export function findComponents(index: GraphIndex, edges: LevelEdges): Components {
  const { graph, firstSite } = index;
  const { sites, sets } = graph;
  const { typedSet, assumedSet } = index.at(edges.level);
  const stops = edges.stops;
  const functionCount = graph.functions.count;
  const nodeCount = functionCount + sets.count;
  const of = new Int32Array(nodeCount).fill(-1);
  const number = new Int32Array(nodeCount);
  const low = new Int32Array(nodeCount);
  const open: number[] = [];
  const path: number[] = [];
  // Where a node's edges go on: three edges a site for functions, members for sets. Of the sites themselves and not of the
  // level's distinct edges, since components are numbered by the order in which they are come to.
  const cursor = new Int32Array(nodeCount);
  const selfCall = new Uint8Array(nodeCount);
  let visited = 0;
  let count = 0;

  const begin = (node: number): void => {
    visited++;
    number[node] = visited;
    low[node] = visited;
    cursor[node] = node < functionCount ? 3 * firstSite[node]! : sets.start[node - functionCount]!;
    open.push(node);
    path.push(node);
  };

  /** The next node that an edge of `node` leads to, -1 for a member that is not followed, -2 after the last. */
  const nextOf = (node: number): number => {
    let at = cursor[node]!;
    if (node >= functionCount) {
      if (at >= sets.start[node - functionCount + 1]!) return -2;
      cursor[node] = at + 1;
      const member = sets.members[at]!;
      return stops?.[member] === 1 ? -1 : member;
    }
    for (const end = 3 * firstSite[node + 1]!; at < end; at++) {
      const site = (at / 3) | 0;
      const which = at - 3 * site;
      if (which === 0) {
        const callee = sites.callee[site]!;
        if (callee < 0 || stops?.[callee] === 1) continue;
        cursor[node] = at + 1;
        return callee;
      }
      const set = which === 1 ? typedSet[site]! : assumedSet[site]!;
      if (set < 0) continue;
      cursor[node] = at + 1;
      return functionCount + set;
    }
    return -2;
  };

  for (let root = 0; root < functionCount; root++) {
    if (number[root] !== 0) continue;
    begin(root);
    while (path.length > 0) {
      const node = path[path.length - 1] as number;
      const next = nextOf(node);
      if (next >= 0) {
        if (number[next] === 0) begin(next);
        else if (of[next] === -1) {
          if (next === node) selfCall[node] = 1;
          low[node] = Math.min(low[node] as number, number[next] as number);
        }
        continue;
      }
      if (next === -1) continue;
      path.pop();
      const parent = path[path.length - 1];
      if (parent !== undefined) low[parent] = Math.min(low[parent] as number, low[node] as number);
      if (low[node] !== number[node]) continue;
      let member: number;
      do {
        member = open.pop() as number;
        of[member] = count;
      } while (member !== node);
      count++;
    }
  }
  // Sets that no function leads to have no edges into them; each gets a component above all others.
  for (let node = functionCount; node < nodeCount; node++) if (of[node] === -1) of[node] = count++;
  return withMembers(of, selfCall, count, functionCount);
}

function withMembers(of: Int32Array, selfCall: Uint8Array, count: number, functionCount: number): Components {
  const nodes = new Int32Array(count);
  const first = new Int32Array(count + 1);
  const cyclic = new Uint8Array(count);
  for (let node = 0; node < of.length; node++) {
    const component = of[node] as number;
    nodes[component] = (nodes[component] as number) + 1;
    if (selfCall[node] === 1) cyclic[component] = 1;
    if (node < functionCount) first[component + 1] = (first[component + 1] as number) + 1;
  }
  for (let component = 0; component < count; component++) {
    // A function and a set in one component: the function is a member of a set that it calls.
    if ((nodes[component] as number) > 1) cyclic[component] = 1;
    first[component + 1] = (first[component + 1] as number) + (first[component] as number);
  }
  const functions = new Int32Array(functionCount);
  const next = first.slice(0, count);
  for (let f = 0; f < functionCount; f++) {
    const component = of[f] as number;
    const place = next[component] as number;
    functions[place] = f;
    next[component] = place + 1;
  }
  return { count, of, cyclic, first, functions };
}
