/**
 * Functions and sets of a budget's document as JSON text, the same as `JSON.stringify` makes of `functionsOf` and `setsOf`: these
 * lists are nearly all of a document, and most of their text is made of few pieces, each of which is made once.
 */
import type { Budget } from "./budget.ts";
import { WRITTEN_OUT_CALLEES } from "./budget-document.ts";
import { type CallGraph, DEPTH_KINDS, SITE_KINDS } from "./call-graph.ts";
import { addressText } from "./function-names.ts";
import { firstSites } from "./graph-index.ts";
import { isUnresolved } from "./level-sets.ts";

export function* functionLines({ wholeGraph: graph, names }: Budget): Iterable<string> {
  const { functions } = graph;
  const first = firstSites(graph);
  const calls = new CallText(graph, names.ids);
  for (let f = 0; f < functions.count; f++) {
    const name = JSON.stringify(functions.name[f]);
    const id = names.ids[f] === functions.name[f] ? name : JSON.stringify(names.ids[f]);
    const module = JSON.stringify(functions.module[f]);
    const address = addressText(functions.start[f]!);
    const frame = `"frameBytes":${functions.ownBytes[f]},"frameKind":"${DEPTH_KINDS[functions.ownKind[f]!]}"`;
    let text = `{"id":${id},"name":${name},"module":${module},"address":"${address}",${frame}`;
    text += `,"returns":${functions.returns[f] === 1},"calls":[`;
    for (let site = first[f]!; site < first[f + 1]!; site++) {
      text += site === first[f] ? calls.of(site) : `,${calls.of(site)}`;
    }
    yield `${text}]}`;
  }
}

export function* setLines({ wholeGraph: { sets } }: Budget): Iterable<string> {
  for (let set = 0; set < sets.count; set++) {
    const members = sets.members.subarray(sets.start[set], sets.start[set + 1]);
    yield `{"label":${JSON.stringify(sets.label[set])},"members":[${members.join(",")}]}`;
  }
}

class CallText {
  readonly #graph: CallGraph;
  readonly #ids: readonly string[];
  /** What stands between a call's offset and its certainty, by the values in it. */
  readonly #depths = new Map<number, string>();
  /** From the certainty of a direct call on, by callee. */
  readonly #direct: string[] = [];

  constructor(graph: CallGraph, ids: readonly string[]) {
    this.#graph = graph;
    this.#ids = ids;
  }

  of(site: number): string {
    const { functions, sites } = this.#graph;
    const callee = sites.callee[site]!;
    const offset = sites.address[site]! - functions.start[sites.caller[site]!]!;
    return `{"offset":${offset},${this.#depth(site)},${callee >= 0 ? this.#callee(callee) : this.#callees(site)}}`;
  }

  #depth(site: number): string {
    const { kind, bytes, depthKind } = this.#graph.sites;
    const key = (bytes[site]! * SITE_KINDS.length + kind[site]!) * DEPTH_KINDS.length + depthKind[site]!;
    let text = this.#depths.get(key);
    if (text === undefined) {
      const depth = `"depthBytes":${bytes[site]},"depthKind":"${DEPTH_KINDS[depthKind[site]!]}"`;
      text = `"kind":"${SITE_KINDS[kind[site]!]}",${depth}`;
      this.#depths.set(key, text);
    }
    return text;
  }

  #callee(callee: number): string {
    let text = this.#direct[callee];
    if (text === undefined) {
      text = `"certainty":"proven","targets":[${JSON.stringify(this.#ids[callee])}],"set":null,"assumedSet":null`;
      this.#direct[callee] = text;
    }
    return text;
  }

  #callees(site: number): string {
    const { sites, sets } = this.#graph;
    const typed = sites.typedSet[site]!;
    const assumed = sites.assumedSet[site]!;
    const set = typed >= 0 ? typed : assumed;
    const isKnown = !isUnresolved(this.#graph, "prototype-matched", site);
    const certainty = isKnown ? (typed >= 0 ? "typed" : "assumed") : "unresolved";
    const members = set < 0 ? [] : sets.members.subarray(sets.start[set], sets.start[set + 1]);
    const targets =
      members.length <= WRITTEN_OUT_CALLEES
        ? Array.from(members, (member) => JSON.stringify(this.#ids[member])).join(",")
        : "";
    const asAssumed = typed >= 0 && assumed >= 0 ? assumed : null;
    return `"certainty":"${certainty}","targets":[${targets}],"set":${set < 0 ? null : set},"assumedSet":${asAssumed}`;
  }
}
