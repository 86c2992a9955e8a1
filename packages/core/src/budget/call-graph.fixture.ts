/**
 * Call graphs out of tables, for tests. A line is a function and what it calls:
 *
 *     name own: callee+bytes, tail callee, callee2+8, *slot+24, ?set+16, unknown+8
 *
 * `own` are the bytes of its frame. `*slot` calls the typed set of that label, `?set` one that is only assumed,
 * `*slot?set+24` both; `!+24` is an indirect call of which nothing is known. A set is a line of its own:
 *
 *     {slot}: callee callee2
 *
 * A function that is called and has no line is a leaf of 8 bytes. `name@module` puts a function into a module.
 */
import { type CallGraph, CERTAINTIES, DEPTH_KINDS, SITE_KINDS } from "./call-graph.ts";

interface Site {
  readonly caller: number;
  readonly kind: number;
  readonly bytes: number;
  readonly callee: number;
  readonly typed: number;
  readonly assumed: number;
}

export function graphOf(table: string): CallGraph {
  const names: string[] = [];
  const own: number[] = [];
  const labels: string[] = [];
  const members: number[][] = [];
  const sites: Site[] = [];
  const functionOf = (name: string): number => {
    let at = names.indexOf(name);
    if (at < 0) {
      at = names.push(name) - 1;
      own.push(8);
    }
    return at;
  };
  const setOf = (label: string | undefined): number => {
    if (label === undefined) return -1;
    const at = labels.indexOf(label);
    if (at >= 0) return at;
    members.push([]);
    return labels.push(label) - 1;
  };
  const lines = table
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  for (const line of lines) {
    const set = /^\{(.*)\}:(.*)$/.exec(line);
    if (set !== null) {
      members[setOf(set[1])] = (set[2] as string).trim().split(/\s+/).filter(Boolean).map(functionOf);
      continue;
    }
    const parts = /^(\S+)\s+(\d+)\s*(?::(.*))?$/.exec(line);
    if (parts === null) throw new Error(`no line of a graph: ${line}`);
    const caller = functionOf(parts[1] as string);
    own[caller] = Number(parts[2]);
    for (const call of (parts[3] ?? "").split(",").map((text) => text.trim())) {
      if (call === "") continue;
      const shape = /^(tail )?(?:(!)|([\w.@]+)|(?:\*([\w.]+))?(?:\?([\w.]+))?)(?:\+(\d+))?$/.exec(call);
      if (shape === null) throw new Error(`no call of a graph: ${call}`);
      const [, tail, unknown, callee, typed, assumed, bytes] = shape;
      const indirect = unknown !== undefined || typed !== undefined || assumed !== undefined;
      const kind = indirect ? (tail ? "indirect-tail" : "indirect-call") : tail ? "tail" : "call";
      sites.push({
        caller,
        kind: SITE_KINDS.indexOf(kind),
        bytes: Number(bytes ?? 0),
        callee: callee === undefined ? -1 : functionOf(callee),
        typed: setOf(typed),
        assumed: setOf(assumed),
      });
    }
  }
  return columnsOf(names, own, sites, labels, members);
}

function columnsOf(
  names: readonly string[],
  own: readonly number[],
  unsorted: readonly Site[],
  labels: readonly string[],
  members: readonly number[][],
): CallGraph {
  const sites = unsorted.toSorted((a, b) => a.caller - b.caller);
  const starts = [0];
  for (const list of members) starts.push((starts[starts.length - 1] as number) + list.length);
  const base = -0x7f000000;
  const seen = new Map<number, number>();
  return {
    slotsWhole: true,
    functions: {
      count: names.length,
      name: names.map((name) => name.split("@")[0] as string),
      module: names.map((name) => name.split("@")[1] ?? null),
      start: Int32Array.from(names, (_, f) => base + 0x1000 * f),
      end: Int32Array.from(names, (_, f) => base + 0x1000 * f + 0x800),
      ownBytes: Int32Array.from(own),
      ownKind: new Uint8Array(names.length).fill(DEPTH_KINDS.indexOf("exact")),
      returns: new Uint8Array(names.length).fill(1),
    },
    sites: {
      count: sites.length,
      caller: Int32Array.from(sites, (site) => site.caller),
      address: Int32Array.from(sites, ({ caller }) => {
        const nth = seen.get(caller) ?? 0;
        seen.set(caller, nth + 1);
        return base + 0x1000 * caller + 0x10 + 5 * nth;
      }),
      kind: Uint8Array.from(sites, (site) => site.kind),
      bytes: Int32Array.from(sites, (site) => site.bytes),
      depthKind: new Uint8Array(sites.length).fill(DEPTH_KINDS.indexOf("exact")),
      callee: Int32Array.from(sites, (site) => site.callee),
      typedSet: Int32Array.from(sites, (site) => site.typed),
      assumedSet: Int32Array.from(sites, (site) => site.assumed),
    },
    sets: {
      count: labels.length,
      start: Int32Array.from(starts),
      members: Int32Array.from(members.flat()),
      label: labels,
    },
  };
}

/** Function's number by its name (as the table spells it, without the module). */
export function numberOf(graph: CallGraph, name: string): number {
  const at = graph.functions.name.indexOf(name);
  if (at < 0) throw new Error(`no function ${name} in the graph`);
  return at;
}

/** Edges of a level as plain pairs: [caller, callee, bytes, certainty, site]. For brute force. */
export function plainEdges(
  graph: CallGraph,
  levelIndex: number,
): { caller: number; callee: number; bytes: number; certainty: string; site: number }[] {
  const edges: { caller: number; callee: number; bytes: number; certainty: string; site: number }[] = [];
  const { sites, sets } = graph;
  for (let site = 0; site < sites.count; site++) {
    const caller = sites.caller[site] as number;
    const bytes = sites.bytes[site] as number;
    const callees = [
      (sites.callee[site] as number) >= 0 ? [sites.callee[site] as number] : [],
      ...[sites.typedSet, sites.assumedSet].map((column) => {
        const set = column[site] as number;
        return set < 0 ? [] : [...sets.members.subarray(sets.start[set], sets.start[set + 1])];
      }),
    ];
    // The slot, and what the prototype says only where the slot says nothing.
    if ((callees[1] as number[]).length > 0) callees[2] = [];
    callees.slice(0, levelIndex + 1).forEach((list, which) => {
      for (const callee of list) edges.push({ caller, callee, bytes, certainty: CERTAINTIES[which] as string, site });
    });
  }
  return edges;
}
