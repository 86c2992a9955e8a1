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
  const { stops } = edges;
  const functionCount = graph.functions.count;
  const nodeCount = functionCount + sets.count;
  const of = new Int32Array(nodeCount).fill(-1);
  const number = new Int32Array(nodeCount);
  const low = new Int32Array(nodeCount);
  const open = new Int32Array(nodeCount);
  const path = new Int32Array(nodeCount);
  // Where a node's edges go on: three edges a site for functions, members for sets. Of the sites themselves and not of the
  // level's distinct edges, since components are numbered by the order in which they are come to.
  const cursor = new Int32Array(nodeCount);
  const selfCall = new Uint8Array(nodeCount);
  let openCount = 0;
  let pathLength = 0;
  let visited = 0;
  let count = 0;

  const begin = (node: number): void => {
    visited++;
    number[node] = visited;
    low[node] = visited;
    cursor[node] = node < functionCount ? 3 * firstSite[node]! : sets.start[node - functionCount]!;
    open[openCount++] = node;
    path[pathLength++] = node;
  };
  /** Takes in an edge that leads to a node which has been visited. */
  const meet = (node: number, target: number): void => {
    if (of[target] !== -1) return;
    if (target === node) selfCall[node] = 1;
    if (number[target]! < low[node]!) low[node] = number[target]!;
  };
  /** Goes over a function's edges up to one that leads to a node not visited yet, which it gives; -1 after the last. */
  const followSites = (f: number): number => {
    const end = firstSite[f + 1]!;
    let which = cursor[f]! % 3;
    for (let site = (cursor[f]! - which) / 3; site < end; site++, which = 0) {
      for (; which < 3; which++) {
        let target = which === 0 ? sites.callee[site]! : which === 1 ? typedSet[site]! : assumedSet[site]!;
        if (target < 0) continue;
        if (which > 0) target += functionCount;
        else if (stops?.[target] === 1) continue;
        if (number[target] === 0) {
          cursor[f] = 3 * site + which + 1;
          return target;
        }
        meet(f, target);
      }
    }
    return -1;
  };
  /** The same for the members of a set. */
  const followMembers = (node: number): number => {
    const end = sets.start[node - functionCount + 1]!;
    for (let at = cursor[node]!; at < end; at++) {
      const member = sets.members[at]!;
      if (stops?.[member] === 1) continue;
      if (number[member] === 0) {
        cursor[node] = at + 1;
        return member;
      }
      meet(node, member);
    }
    return -1;
  };

  /** All that one of the open nodes and those after it reach are known: they are a component. */
  const close = (node: number): void => {
    let member: number;
    do {
      member = open[--openCount]!;
      of[member] = count;
    } while (member !== node);
    count++;
  };
  const explore = (root: number): void => {
    begin(root);
    while (pathLength > 0) {
      const node = path[pathLength - 1]!;
      const next = node < functionCount ? followSites(node) : followMembers(node);
      if (next >= 0) {
        begin(next);
        continue;
      }
      pathLength--;
      if (pathLength > 0) {
        const parent = path[pathLength - 1]!;
        if (low[node]! < low[parent]!) low[parent] = low[node]!;
      }
      if (low[node] === number[node]) close(node);
    }
  };
  for (let root = 0; root < functionCount; root++) if (number[root] === 0) explore(root);
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
