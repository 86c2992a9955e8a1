/**
 * The order that bounds go by: functions in the layers of a kernel, outermost first. Calls that lead backwards in it are the
 * *cut edges*, the upcalls of which a path may take only so many (see solve.ts).
 *
 * A function's layer is the fewest calls by which an entry leads to it. Kernels are built so: a system call goes down by short
 * ways, and where a call leads back into a layer far above, that is the start of something else (an allocation that reclaims, a
 * lock that sleeps, an inode that goes). Few edges are not what is wanted: an order with the fewest has the narrowest passages of
 * the kernel cut, through which ordinary calls go (`do_dentry_open` to every open), and lets a path wander through a hundred
 * functions that no stack was ever seen to have together. An order in layers keeps paths short, at the price of upcalls that are
 * none in the source; some of them on one path are then allowed.
 *
 * Within the layers, functions are moved, one at a time, to where fewest of their own calls lead backwards, as long as that
 * helps. Functions that cannot call each other are not put apart by that: components stay in their order, so that nothing is cut
 * outside of cycles.
 */
import type { Components } from "./components.ts";
import type { GraphIndex } from "./graph-index.ts";
import type { ByLevel } from "./levels.ts";

export interface CallOrder {
  /** Functions, outermost first. */
  readonly sequence: Int32Array;
  /** Place of each function in `sequence`. */
  readonly position: Int32Array;
}

/** Room between two places, so that a function can be moved between them. */
const ROOM = 2 ** 16;
/** Times that all are looked at again; on a kernel's graph no more move after a dozen. */
const MOST_PASSES = 64;

/**
 * @param starts the entries' functions
 */
export function layeredOrder(index: GraphIndex, components: ByLevel<Components>, starts: Iterable<number>): CallOrder {
  const functionCount = index.graph.functions.count;
  // Indirect calls that are only assumed put nothing into layers: there are far too many.
  const calls = callsAndSets(index);
  const layered = Int32Array.from(calls.keys());
  const layer = layersFrom(calls, starts);
  layered.sort((a, b) => layer[a]! - layer[b]! || a - b);
  const { slotMatched: inner, prototypeMatched: outer } = components;
  const place = moved(calls, layered, inner.of);
  const sequence = Int32Array.from({ length: functionCount }, (_, f) => f).sort(
    (a, b) => outer.of[b]! - outer.of[a]! || inner.of[b]! - inner.of[a]! || place[a]! - place[b]! || a - b,
  );
  const position = new Int32Array(functionCount);
  for (let at = 0; at < functionCount; at++) position[sequence[at]!] = at;
  return { sequence, position };
}

/** Callees of every function, and after the functions members of every typed set, each once. */
function callsAndSets({ graph, firstSite }: GraphIndex): number[][] {
  const { functions, sites, sets } = graph;
  const calls: number[][] = [];
  for (let f = 0; f < functions.count; f++) {
    const list = new Set<number>();
    for (let site = firstSite[f]!; site < firstSite[f + 1]!; site++) {
      if (sites.callee[site]! >= 0) list.add(sites.callee[site]!);
      if (sites.typedSet[site]! >= 0) list.add(functions.count + sites.typedSet[site]!);
    }
    list.delete(f);
    calls.push([...list]);
  }
  const typed = new Uint8Array(sets.count);
  for (const set of sites.typedSet) if (set >= 0) typed[set] = 1;
  for (let set = 0; set < sets.count; set++) {
    calls.push(typed[set] === 0 ? [] : [...sets.members.subarray(sets.start[set], sets.start[set + 1])]);
  }
  return calls;
}

/** Fewest edges from a start to each node. What no start leads to is counted from functions that nobody calls, then from any. */
function layersFrom(calls: readonly (readonly number[])[], starts: Iterable<number>): Int32Array {
  const layer = new Int32Array(calls.length).fill(-1);
  const reach = (from: Iterable<number>): void => {
    const queue: number[] = [];
    for (const node of from) {
      if (layer[node]! >= 0) continue;
      layer[node] = 0;
      queue.push(node);
    }
    // An array's iterator goes on to what is added meanwhile.
    for (const node of queue) {
      for (const callee of calls[node]!) {
        if (layer[callee]! >= 0) continue;
        layer[callee] = layer[node]! + 1;
        queue.push(callee);
      }
    }
  };
  reach(starts);
  const called = new Uint8Array(calls.length);
  for (const list of calls) for (const callee of list) called[callee] = 1;
  reach([...calls.keys()].filter((node) => called[node] === 0));
  for (const node of calls.keys()) reach([node]);
  return layer;
}

/** Places of nodes after those have been moved that this spares edges backwards. */
function moved(calls: readonly (readonly number[])[], order: Int32Array, componentOf: Int32Array): Float64Array {
  // Edges between components never lead backwards.
  const inside = calls.map((list, node) => list.filter((callee) => componentOf[callee] === componentOf[node]));
  const callers: number[][] = calls.map(() => []);
  for (const [node, list] of inside.entries()) for (const callee of list) callers[callee]!.push(node);
  const place = new Float64Array(calls.length);
  let sequence = order;
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    sequence.forEach((node, at) => {
      place[node] = (at + 1) * ROOM;
    });
    const backwards = new Uint8Array(calls.length);
    for (const [node, list] of inside.entries()) {
      for (const callee of list) if (place[callee]! < place[node]!) backwards[node] = backwards[callee] = 1;
    }
    let changed = false;
    for (const node of sequence) {
      if (backwards[node] === 0) continue;
      const best = bestPlace(place, node, inside[node]!, callers[node]!);
      if (best === null) continue;
      place[node] = best;
      changed = true;
    }
    if (!changed) break;
    sequence = sequence.toSorted((a, b) => place[a]! - place[b]! || a - b);
  }
  return place;
}

/** A place with fewer edges backwards than where the node is, and none with fewer; null where there is none. */
function bestPlace(
  place: Float64Array,
  node: number,
  callees: readonly number[],
  callers: readonly number[],
): number | null {
  const below = Float64Array.from(callees, (callee) => place[callee]!).sort();
  const above = Float64Array.from(callers, (caller) => place[caller]!).sort();
  const own = place[node]!;
  // Against standing before all of them: each callee that is passed is one edge backwards more, each caller one less.
  let weight = 0;
  let here = 0;
  let least = 0;
  let from = Number.NEGATIVE_INFINITY;
  let to = Math.min(below[0] ?? Number.POSITIVE_INFINITY, above[0] ?? Number.POSITIVE_INFINITY);
  for (let b = 0, a = 0; b < below.length || a < above.length; ) {
    const at = Math.min(below[b] ?? Number.POSITIVE_INFINITY, above[a] ?? Number.POSITIVE_INFINITY);
    for (; below[b] === at; b++) weight++;
    for (; above[a] === at; a++) weight--;
    if (at < own) here = weight;
    if (weight >= least) continue;
    least = weight;
    from = at;
    to = Math.min(below[b] ?? Number.POSITIVE_INFINITY, above[a] ?? Number.POSITIVE_INFINITY);
  }
  if (least >= here) return null;
  if (from === Number.NEGATIVE_INFINITY) return to - ROOM;
  if (to === Number.POSITIVE_INFINITY) return from + ROOM;
  const middle = (from + to) / 2;
  return middle > from && middle < to ? middle : null;
}
