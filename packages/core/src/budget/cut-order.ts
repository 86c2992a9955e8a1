/**
 * One order of all functions, callers before callees. Where functions call each other in a cycle no order has every caller
 * before its callee; the edges that lead backwards are the *cut edges*, whose absence a bound assumes.
 *
 * Which edges are cut decides what a bound means, so the order is made in layers, the surest edges first:
 * - within a cycle of direct calls, few calls are cut: those by which what is called from everywhere calls the code above it;
 * - a cycle that only indirect calls close is cut at indirect calls, never at direct ones: the direct calls of the functions in
 *   it are free of cycles once those of the layer before are cut, and the order keeps them. What is cut are the *upcalls*, by
 *   which lower code calls back into the code above it (reclaim into file systems, a stacked device into the block layer);
 * - the same again for edges that are only assumed, under those that are typed.
 * All three levels use the same order, so that each level's uncut edges are among the next level's, and so bounds never shrink
 * from level to level.
 *
 * To cut few edges is NP-hard (minimum feedback arc set, Karp 1972). The heuristic takes, as in Eades, Lin and Smyth, "A fast and
 * effective heuristic for the feedback arc set problem" (1993), whatever is free first: functions all of whose callers are
 * placed. Where none is, it looks at the set of callees with fewest callers not yet placed, goes from these up to what has to be
 * placed before them, and places the one of those with fewest edges to cut.
 */
import type { Components } from "./components.ts";
import { assumedSetAt, type GraphIndex } from "./graph-index.ts";
import { MinHeap } from "./min-heap.ts";

export interface CutOrder {
  /** Functions, outermost first. */
  readonly sequence: Int32Array;
  /** Place of each function in `sequence`. */
  readonly position: Int32Array;
}

/** Ready items that are compared before one is placed at the cost of cut edges. */
const COMPARED = 16;

/** `components`: those of the levels up to the one wanted, direct first. */
export function cutOrder(index: GraphIndex, components: readonly Components[]): CutOrder {
  const functionCount = index.graph.functions.count;
  const sequence = new Int32Array(functionCount);
  let placed = 0;
  const emit = (level: number, component: number): void => {
    const { first, functions } = components[level] as Components;
    const start = first[component] as number;
    const members = functions.subarray(start, first[component + 1]);
    if (members.length <= 1) {
      for (const f of members) sequence[placed++] = f;
    } else if (level === 0) {
      for (const f of fewestBackwards(index, components[0] as Components, members)) sequence[placed++] = f;
    } else {
      const finer = (components[level - 1] as Components).of;
      const one = finer[members[0] as number] as number;
      if (members.every((f) => finer[f] === one)) emit(level - 1, one);
      else {
        for (const item of orderItems(index, components, level, members)) {
          // A set's own component has no functions.
          emit(level - 1, item);
        }
      }
    }
  };
  const top = components.length - 1;
  for (let component = (components[top] as Components).count - 1; component >= 0; component--) emit(top, component);
  const position = new Int32Array(functionCount);
  for (let place = 0; place < functionCount; place++) position[sequence[place] as number] = place;
  return { sequence, position };
}

/**
 * Functions of one cycle of direct calls, so that few calls lead backwards (Eades, Lin and Smyth): whoever has no caller left goes
 * to the front, whoever has no callee left to the end, else the one with most calls more than callers to the front. What is called
 * from everywhere (locks, memory, messages) so comes last, and what it calls of the code above it, on rare occasions, is cut.
 */
function fewestBackwards(index: GraphIndex, direct: Components, members: Int32Array): number[] {
  const { graph, firstSite, firstSet, firstCaller, sitesTo } = index;
  const component = direct.of[members[0] as number];
  const local = new Map<number, number>();
  members.forEach((f, at) => {
    local.set(f, at);
  });
  const calls: number[][] = [];
  const callers: number[][] = Array.from(members, () => []);
  const outside = new Int32Array(members.length);
  members.forEach((f, at) => {
    const list: number[] = [];
    for (let site = firstSite[f] as number; site < (firstSite[f + 1] as number); site++) {
      const callee = graph.sites.callee[site] as number;
      if (callee >= 0 && callee !== f && direct.of[callee] === component) list.push(local.get(callee) as number);
    }
    calls.push(list);
    for (const to of list) (callers[to] as number[]).push(at);
    let from = (firstSet[f + 1] as number) - (firstSet[f] as number);
    for (let to = firstCaller[f] as number; to < (firstCaller[f + 1] as number); to++) {
      if (direct.of[graph.sites.caller[sitesTo[to] as number] as number] !== component) from++;
    }
    outside[at] = from;
  });
  const out = Int32Array.from(calls, (list) => list.length);
  const into = Int32Array.from(callers, (list) => list.length);
  const placed = new Uint8Array(members.length);
  const front: number[] = [];
  const back: number[] = [];
  const ready: number[] = [];
  const heap = new MinHeap();
  // Of equal ones who is called from outside of the cycle goes first: its own callees are then counted below it.
  const keyOf = (at: number): number =>
    ((into[at] as number) - (out[at] as number)) * OUTSIDE_COUNTED -
    Math.min(outside[at] as number, OUTSIDE_COUNTED - 1);
  const changed = (at: number): void => {
    if (placed[at] === 1) return;
    if (out[at] === 0 || into[at] === 0) ready.push(at);
    else heap.push(at, keyOf(at));
  };
  const place = (at: number, list: number[]): void => {
    placed[at] = 1;
    list.push(members[at] as number);
    for (const to of calls[at] as number[]) {
      into[to] = (into[to] as number) - 1;
      changed(to);
    }
    for (const from of callers[at] as number[]) {
      out[from] = (out[from] as number) - 1;
      changed(from);
    }
  };
  for (let at = 0; at < members.length; at++) changed(at);
  for (;;) {
    const at = ready.pop();
    if (at !== undefined) {
      if (placed[at] === 0) place(at, into[at] === 0 ? front : back);
      continue;
    }
    const top = heap.pop();
    if (top === null) break;
    if (placed[top.item] === 0 && top.key === keyOf(top.item)) place(top.item, front);
  }
  return [...front, ...back.reverse()];
}

/** Callers from outside that are told apart. */
const OUTSIDE_COUNTED = 1024;

/**
 * Places the components of the level before (the items) that make up one component of `level`. Edges of the level before are
 * kept, and the sets of `level` give the edges that may be cut.
 */
function orderItems(
  index: GraphIndex,
  components: readonly Components[],
  level: number,
  members: Int32Array,
): number[] {
  const { graph, firstSite, firstSet, setsOf } = index;
  const { sites, sets } = graph;
  const functionCount = graph.functions.count;
  const coarse = (components[level] as Components).of;
  const finer = (components[level - 1] as Components).of;
  const component = coarse[members[0] as number];

  // Items, numbered locally. At level 2 the typed sets are nodes of their own between items.
  const itemOf = new Map<number, number>();
  const items: number[] = [];
  const item = (node: number): number => {
    const of = finer[node] as number;
    let local = itemOf.get(of);
    if (local === undefined) {
      local = items.push(of) - 1;
      itemOf.set(of, local);
    }
    return local;
  };
  const kept: number[] = [];
  const keep = (from: number, to: number): void => {
    if (from !== to) kept.push(from, to);
  };
  // Sets whose edges may be cut, numbered locally, with their callers and members.
  const softOf = new Map<number, number>();
  const callers: number[][] = [];
  const called: number[][] = [];
  const softSets: number[][] = [];
  const seenTyped = new Set<number>();
  for (const f of members) {
    const from = item(f);
    for (let site = firstSite[f] as number; site < (firstSite[f + 1] as number); site++) {
      const callee = sites.callee[site] as number;
      if (callee >= 0 && coarse[callee] === component) keep(from, item(callee));
      const typed = sites.typedSet[site] as number;
      if (level === 2 && typed >= 0 && coarse[functionCount + typed] === component) {
        const node = item(functionCount + typed);
        keep(from, node);
        if (!seenTyped.has(typed)) {
          seenTyped.add(typed);
          for (let at = sets.start[typed] as number; at < (sets.start[typed + 1] as number); at++) {
            const callee = sets.members[at] as number;
            if (coarse[callee] === component) keep(node, item(callee));
          }
        }
      }
      const soft = level === 1 ? typed : assumedSetAt(graph, "prototype-matched", site);
      if (soft >= 0 && coarse[functionCount + soft] === component) {
        let local = softOf.get(soft);
        if (local === undefined) {
          local = callers.push([]) - 1;
          called.push([]);
          softOf.set(soft, local);
        }
        (callers[local] as number[]).push(from);
      }
    }
  }
  for (const f of members) {
    const to = item(f);
    for (let at = firstSet[f] as number; at < (firstSet[f + 1] as number); at++) {
      const local = softOf.get(setsOf[at] as number);
      if (local === undefined) continue;
      (called[local] as number[]).push(to);
      softSets[to] ??= [];
      (softSets[to] as number[]).push(local);
    }
  }
  return placeItems(items, kept, callers, called, softSets);
}

function placeItems(
  items: readonly number[],
  kept: readonly number[],
  callers: readonly number[][],
  called: readonly (readonly number[])[],
  softSets: readonly (readonly number[] | undefined)[],
): number[] {
  const count = items.length;
  const after: number[][] = Array.from({ length: count }, () => []);
  const before: number[][] = Array.from({ length: count }, () => []);
  const waits = new Int32Array(count);
  for (let at = 0; at < kept.length; at += 2) {
    const from = kept[at] as number;
    const to = kept[at + 1] as number;
    (after[from] as number[]).push(to);
    (before[to] as number[]).push(from);
    waits[to] = (waits[to] as number) + 1;
  }
  const setsOfItem = softSets.map((list) => (list === undefined ? undefined : [...new Set(list)]));
  const setsCalled: number[][] = Array.from({ length: count }, () => []);
  const remaining = new Int32Array(callers.length);
  callers.forEach((list, set) => {
    remaining[set] = list.length;
    for (const from of list) (setsCalled[from] as number[]).push(set);
  });
  const placed = new Uint8Array(count);
  const order: number[] = [];
  const free: number[] = [];
  const heap = new MinHeap();
  callers.forEach((list, set) => {
    heap.push(set, list.length);
  });

  const isFree = (node: number): boolean =>
    placed[node] === 0 && waits[node] === 0 && (setsOfItem[node] ?? []).every((set) => remaining[set] === 0);
  const costOf = (node: number, atMost: number): number => {
    let cost = 0;
    for (const set of setsOfItem[node] ?? []) {
      cost += remaining[set] as number;
      if (cost > atMost) break;
    }
    return cost;
  };
  const place = (node: number): void => {
    placed[node] = 1;
    order.push(items[node] as number);
    for (const set of setsCalled[node] as number[]) {
      remaining[set] = (remaining[set] as number) - 1;
      if (remaining[set] === 0) {
        for (const to of called[set] as number[]) if (isFree(to)) free.push(to);
      } else heap.push(set, remaining[set] as number);
    }
    for (const to of after[node] as number[]) {
      waits[to] = (waits[to] as number) - 1;
      if (isFree(to)) free.push(to);
    }
  };
  for (let node = 0; node < count; node++) if (isFree(node)) free.push(node);

  const seen = new Int32Array(count).fill(-1);
  const path: number[] = [];
  /** The next of a list that is neither placed nor seen, which is then seen; -1 for none. What is placed leaves the list. */
  const next = (list: number[], stamp: number): number => {
    for (let at = list.length - 1; at >= 0; at--) {
      const node = list[at] as number;
      if (placed[node] === 1) {
        list[at] = list[list.length - 1] as number;
        list.length--;
      } else if (seen[node] !== stamp) {
        seen[node] = stamp;
        return node;
      }
    }
    return -1;
  };
  /**
   * What can be placed now and has to be before the callers of a set can be, the cheapest of the first that are found: from a
   * caller up to what it waits for, and on to what that waits for.
   */
  const readyAbove = (set: number, stamp: number): number => {
    let best = -1;
    let bestCost = Number.MAX_SAFE_INTEGER;
    let compared = 0;
    path.length = 0;
    while (compared < COMPARED) {
      const below = path[path.length - 1];
      const node = next((below === undefined ? callers[set] : before[below]) as number[], stamp);
      if (node < 0) {
        if (path.pop() === undefined) break;
        continue;
      }
      if (waits[node] !== 0) {
        path.push(node);
        continue;
      }
      compared++;
      const cost = costOf(node, bestCost);
      if (cost < bestCost) {
        best = node;
        bestCost = cost;
      }
    }
    return best;
  };

  for (let stamp = 0; order.length < count; ) {
    const node = free.pop();
    if (node !== undefined) {
      if (placed[node] === 0) place(node);
      continue;
    }
    const top = heap.pop();
    // Cannot be: an item that is not free waits for another one, or for the callers of a set.
    if (top === null) break;
    if (remaining[top.item] !== top.key) continue;
    const chosen = readyAbove(top.item, stamp++);
    if (chosen < 0) continue;
    place(chosen);
    if (remaining[top.item] === top.key) heap.push(top.item, top.key);
  }
  return order;
}
