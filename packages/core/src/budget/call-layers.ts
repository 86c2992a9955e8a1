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
import { DIRECT, TYPED } from "./level-graph.ts";
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

/** Lists of nodes, one for each node: of n from `first[n]` up to `first[n + 1]`. Sets are nodes after the functions. */
interface NodeLists {
  readonly first: Int32Array;
  readonly nodes: Int32Array;
}

/**
 * @param starts the entries' functions
 */
export function layeredOrder(index: GraphIndex, components: ByLevel<Components>, starts: Iterable<number>): CallOrder {
  const functionCount = index.graph.functions.count;
  const { slotMatched: inner, prototypeMatched: outer } = components;
  // Indirect calls that are only assumed put nothing into layers: there are far too many.
  const calls = callsAndSets(index);
  const nodes = new Int32Array(calls.first.length - 1);
  for (let node = 0; node < nodes.length; node++) nodes[node] = node;
  const order = moved(calls, sortedBy(layersFrom(calls, starts), nodes), inner.of);
  // Callers have higher numbers of components than callees.
  const functions = order.filter((node) => node < functionCount).reverse();
  const sequence = sortedBy(outer.of, sortedBy(inner.of, functions)).reverse();
  const position = new Int32Array(functionCount);
  for (let at = 0; at < functionCount; at++) position[sequence[at]!] = at;
  return { sequence, position };
}

/** Nodes by ascending keys, those of one key in the order in which they were. Keys are whole numbers from 0 on. */
function sortedBy(keyOf: Int32Array, nodes: Int32Array): Int32Array {
  let most = 0;
  for (let at = 0; at < nodes.length; at++) most = Math.max(most, keyOf[nodes[at]!]!);
  const next = new Int32Array(most + 2);
  for (let at = 0; at < nodes.length; at++) next[keyOf[nodes[at]!]! + 1]!++;
  for (let key = 0; key <= most; key++) next[key + 1]! += next[key]!;
  const sorted = new Int32Array(nodes.length);
  for (let at = 0; at < nodes.length; at++) sorted[next[keyOf[nodes[at]!]!]!++] = nodes[at]!;
  return sorted;
}

/** Callees of every function, and after the functions members of every typed set, each once. */
function callsAndSets(index: GraphIndex): NodeLists {
  const { functions, sets } = index.graph;
  const { first: firstEdge, kind, to, followed, setsOf } = index.at("slot-matched");
  const first = new Int32Array(functions.count + sets.count + 1);
  const nodes = new Int32Array(to.length + setsOf.length);
  let count = 0;
  for (let f = 0; f < functions.count; f++) {
    for (let at = firstEdge[f]!; at < firstEdge[f + 1]!; at++) {
      if (kind[at] === TYPED) nodes[count++] = functions.count + to[at]!;
      else if (kind[at] === DIRECT && to[at] !== f) nodes[count++] = to[at]!;
    }
    first[f + 1] = count;
  }
  for (let set = 0; set < sets.count; set++) {
    if (followed[set] === 1) {
      for (let at = sets.start[set]!; at < sets.start[set + 1]!; at++) nodes[count++] = sets.members[at]!;
    }
    first[functions.count + set + 1] = count;
  }
  return { first, nodes: nodes.subarray(0, count) };
}

/** Fewest edges from a start to each node. What no start leads to is counted from functions that nobody calls, then from any. */
function layersFrom({ first, nodes }: NodeLists, starts: Iterable<number>): Int32Array {
  const nodeCount = first.length - 1;
  const layer = new Int32Array(nodeCount).fill(-1);
  const queue = new Int32Array(nodeCount);
  let read = 0;
  let written = 0;
  const begin = (node: number): void => {
    if (layer[node]! >= 0) return;
    layer[node] = 0;
    queue[written++] = node;
  };
  const reach = (): void => {
    for (; read < written; read++) {
      const node = queue[read]!;
      for (let at = first[node]!; at < first[node + 1]!; at++) {
        const callee = nodes[at]!;
        if (layer[callee]! >= 0) continue;
        layer[callee] = layer[node]! + 1;
        queue[written++] = callee;
      }
    }
  };
  for (const node of starts) begin(node);
  reach();
  const called = new Uint8Array(nodeCount);
  for (let at = 0; at < nodes.length; at++) called[nodes[at]!] = 1;
  for (let node = 0; node < nodeCount; node++) if (called[node] === 0) begin(node);
  reach();
  for (let node = 0; node < nodeCount; node++) {
    begin(node);
    reach();
  }
  return layer;
}

/** Edges within components, by the node they leave and by the one they lead to. No other edge ever leads backwards. */
function edgesInside({ first, nodes }: NodeLists, componentOf: Int32Array): { callees: NodeLists; callers: NodeLists } {
  const nodeCount = first.length - 1;
  const firstCallee = new Int32Array(nodeCount + 1);
  const firstCaller = new Int32Array(nodeCount + 1);
  const callees = new Int32Array(nodes.length);
  let count = 0;
  for (let node = 0; node < nodeCount; node++) {
    for (let at = first[node]!; at < first[node + 1]!; at++) {
      const callee = nodes[at]!;
      if (componentOf[callee] !== componentOf[node]) continue;
      callees[count++] = callee;
      firstCaller[callee + 1]!++;
    }
    firstCallee[node + 1] = count;
  }
  for (let node = 0; node < nodeCount; node++) firstCaller[node + 1]! += firstCaller[node]!;
  const next = firstCaller.slice(0, nodeCount);
  const callers = new Int32Array(count);
  for (let node = 0; node < nodeCount; node++) {
    for (let at = firstCallee[node]!; at < firstCallee[node + 1]!; at++) callers[next[callees[at]!]!++] = node;
  }
  return { callees: { first: firstCallee, nodes: callees }, callers: { first: firstCaller, nodes: callers } };
}

/** The order after those nodes have been moved that this spares edges backwards. */
function moved(calls: NodeLists, order: Int32Array, componentOf: Int32Array): Int32Array {
  const { callees, callers } = edgesInside(calls, componentOf);
  const nodeCount = order.length;
  const place = new Float64Array(nodeCount);
  const finder = new PlaceFinder(place, callees, callers);
  const backwards = new Uint8Array(nodeCount);
  const isMoved = new Uint8Array(nodeCount);
  // What a node finds depends on where it and its neighbours stand to each other. As long as none of them moves, one that found
  // nothing better will not do so the next time.
  const settled = new Uint8Array(nodeCount);
  const disturbed = new Uint8Array(nodeCount);
  let sequence = order;
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    for (let at = 0; at < nodeCount; at++) place[sequence[at]!] = (at + 1) * ROOM;
    backwards.fill(0);
    for (let node = 0; node < nodeCount; node++) {
      for (let at = callees.first[node]!; at < callees.first[node + 1]!; at++) {
        if (place[callees.nodes[at]!]! < place[node]!) backwards[node] = backwards[callees.nodes[at]!] = 1;
      }
    }
    isMoved.fill(0);
    disturbed.fill(0);
    let changed = false;
    for (let at = 0; at < nodeCount; at++) {
      const node = sequence[at]!;
      if (backwards[node] === 0 || settled[node] === 1) continue;
      const best = finder.best(node);
      if (best === PlaceFinder.NONE) settled[node] = 1;
      if (!Number.isFinite(best)) continue;
      place[node] = best;
      isMoved[node] = 1;
      changed = true;
      disturbed[node] = 1;
      for (const { first, nodes } of [callees, callers]) {
        for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
          settled[nodes[edge]!] = 0;
          disturbed[nodes[edge]!] = 1;
        }
      }
    }
    if (!changed) break;
    // Of two in one place only the next numbering tells which is the first: whoever has seen them looks again.
    for (let node = 0; node < nodeCount; node++) if (disturbed[node] === 1) settled[node] = 0;
    sequence = merged(sequence, isMoved, place);
  }
  return sequence;
}

/** The nodes by their places, those in one place by their numbers. All but the moved ones are in that order already. */
function merged(sequence: Int32Array, isMoved: Uint8Array, place: Float64Array): Int32Array {
  const sort = (a: number, b: number): number => place[a]! - place[b]! || a - b;
  const others = sequence.filter((node) => isMoved[node] === 1).sort(sort);
  const result = new Int32Array(sequence.length);
  let written = 0;
  let other = 0;
  for (let at = 0; at < sequence.length; at++) {
    const node = sequence[at]!;
    if (isMoved[node] === 1) continue;
    while (other < others.length && sort(others[other]!, node) < 0) result[written++] = others[other++]!;
    result[written++] = node;
  }
  while (other < others.length) result[written++] = others[other++]!;
  return result;
}

/** Lists up to that long are sorted by insertion: a call of the engine's sort costs more. */
const SHORT = 32;

class PlaceFinder {
  /** What `best` gives where no place is better, and where one is but has no room. */
  static readonly NONE = Number.POSITIVE_INFINITY;
  static readonly NO_ROOM = Number.NEGATIVE_INFINITY;
  readonly #place: Float64Array;
  readonly #callees: NodeLists;
  readonly #callers: NodeLists;
  #below: Float64Array = new Float64Array(SHORT + 1);
  #above: Float64Array = new Float64Array(SHORT + 1);

  constructor(place: Float64Array, callees: NodeLists, callers: NodeLists) {
    this.#place = place;
    this.#callees = callees;
    this.#callers = callers;
  }

  /** A place with fewer edges backwards than where the node is, and none with fewer; NONE, NO_ROOM. */
  best(node: number): number {
    const belowCount = this.#callees.first[node + 1]! - this.#callees.first[node]!;
    const aboveCount = this.#callers.first[node + 1]! - this.#callers.first[node]!;
    const below = this.#sorted(this.#callees, node, belowCount, this.#below);
    const above = this.#sorted(this.#callers, node, aboveCount, this.#above);
    this.#below = below;
    this.#above = above;
    const own = this.#place[node]!;
    // Against standing before all of them: each callee that is passed is one edge backwards more, each caller one less.
    let weight = 0;
    let here = 0;
    let least = 0;
    let from = Number.NEGATIVE_INFINITY;
    let to = Math.min(below[0]!, above[0]!);
    for (let b = 0, a = 0; b < belowCount || a < aboveCount; ) {
      const at = Math.min(below[b]!, above[a]!);
      for (; below[b] === at; b++) weight++;
      for (; above[a] === at; a++) weight--;
      if (at < own) here = weight;
      if (weight >= least) continue;
      least = weight;
      from = at;
      to = Math.min(below[b]!, above[a]!);
    }
    if (least >= here) return PlaceFinder.NONE;
    if (from === Number.NEGATIVE_INFINITY) return to - ROOM;
    if (to === Number.POSITIVE_INFINITY) return from + ROOM;
    const middle = (from + to) / 2;
    return middle > from && middle < to ? middle : PlaceFinder.NO_ROOM;
  }

  /** The places of a node's neighbours, ascending, with an infinite one behind them. */
  #sorted({ first, nodes }: NodeLists, node: number, count: number, room: Float64Array): Float64Array {
    const list = count < room.length ? room : new Float64Array(2 * count);
    const begin = first[node]!;
    for (let at = 0; at < count; at++) {
      const place = this.#place[nodes[begin + at]!]!;
      let to = at;
      if (count <= SHORT) for (; to > 0 && list[to - 1]! > place; to--) list[to] = list[to - 1]!;
      list[to] = place;
    }
    if (count > SHORT) list.subarray(0, count).sort();
    list[count] = Number.POSITIVE_INFINITY;
    return list;
  }
}
