/** Sets of callees, each once however many sites share it. */

import type { CalleeSets } from "../call-graph.ts";
import type { FunctionTable } from "../function-table.ts";
import { Fitting } from "./fitting.ts";
import type { FlowGraph } from "./flow-graph.ts";
import type { FoundSite } from "./found-site.ts";
import type { IndirectCallees } from "./indirect-calls.ts";
import type { CheckedHash, TypeHashes } from "./kcfi.ts";
import type { KnownFunctions } from "./known-functions.ts";
import type { MemberSearch } from "./member-search.ts";
import type { Prototypes } from "./prototypes.ts";

export class SetBuilder {
  readonly #table: FunctionTable;
  readonly #functions: KnownFunctions;
  readonly #prototypes: Prototypes;
  readonly #graph: FlowGraph;
  readonly #taken: ReadonlySet<number>;
  readonly #search: MemberSearch;
  readonly #hashes: TypeHashes;
  /** Functions whose address is taken, by the hash before them; for each place where it can stand. */
  readonly #byHash = new Map<number, ReadonlyMap<number | null, number[]>>();
  readonly #fit: Fitting;
  readonly #fittingAll = new Map<string, readonly number[]>();
  readonly #listNumbers = new Map<readonly number[], number>();
  readonly #listsByKey = new Map<string, number>();
  readonly #byPrototype = new Map<number, number[]>();
  /** Address taken, of no known prototype. */
  readonly #unsure: number[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #members: Int32Array[] = [];
  /** Of each function: one more than the set that it was put into last. */
  readonly #lastSet: Int32Array;
  readonly #indexes = new Map<number, number>();
  readonly #labels: string[] = [];

  constructor(
    table: FunctionTable,
    functions: KnownFunctions,
    prototypes: Prototypes,
    graph: FlowGraph,
    taken: ReadonlySet<number>,
    search: MemberSearch,
    mayBeCalled: (entry: number) => boolean,
    hashes: TypeHashes,
  ) {
    this.#hashes = hashes;
    this.#search = search;
    this.#table = table;
    this.#lastSet = new Int32Array(table.count);
    this.#functions = functions;
    this.#prototypes = prototypes;
    this.#graph = graph;
    this.#taken = taken;
    this.#fit = new Fitting(prototypes);
    const held = heldAs(graph);
    for (const entry of taken) {
      const known = functions.at(entry);
      if (known === undefined || known.init || (known.prototypes.length === 0 && !mayBeCalled(entry))) continue;
      // Where a record may be another function's, or there is none, the members that hold it say what it is as well.
      const told = known.sure && known.prototypes.length > 0 ? [] : (held.get(entry) ?? []);
      for (const prototype of new Set([...known.prototypes, ...told])) {
        const list = this.#byPrototype.get(prototype);
        if (list === undefined) this.#byPrototype.set(prototype, [entry]);
        else list.push(entry);
      }
      if (known.prototypes.length === 0 && !held.has(entry)) this.#unsure.push(entry);
    }
  }

  answer(sites: readonly FoundSite[]): IndirectCallees {
    const typed = new Map<number, number>();
    const assumed = new Map<number, number>();
    let byPrototype = 0;
    let byArguments = 0;
    for (const site of sites) {
      const slot = this.#typed(site);
      if (slot >= 0) typed.set(site.address, slot);
      if (site.checked !== null) {
        assumed.set(site.address, this.#checked(site.checked));
        byPrototype++;
        continue;
      }
      const wide = this.#assumed(site, slot);
      if (wide >= 0) {
        assumed.set(site.address, wide);
        byPrototype++;
        continue;
      }
      const fitting = this.#fitting(site);
      if (fitting >= 0) {
        assumed.set(site.address, fitting);
        byArguments++;
      }
    }
    return {
      sets: this.#sets(),
      typedSet: typed,
      assumedSet: assumed,
      statistics: {
        sites: sites.length,
        typed: typed.size,
        assumed: byPrototype,
        byArguments,
        unresolved: sites.length - new Set([...typed.keys(), ...assumed.keys()]).size,
        addressTaken: this.#taken.size,
        prototypes: this.#prototypes.count,
      },
    };
  }

  #typed(site: FoundSite): number {
    if (site.unknown || (site.nodes.length === 0 && site.constants.length === 0)) return -1;
    const entries = new Set(site.constants);
    const labels: string[] = [];
    for (const node of site.nodes) {
      if (this.#graph.unknown[node] && this.#graph.kind[node] !== "member") return -1;
      const held = this.#graph.functions[node];
      // Nobody gives it a function that we see: then we do not see who does.
      if (held == null || held.size === 0) return -1;
      for (const entry of held) entries.add(entry);
      labels.push(this.#graph.describe(node));
    }
    const { checked } = site;
    const passes = [...entries].filter(
      (entry) => checked === null || this.#hashes.of(entry, checked.offset) === checked.hash,
    );
    // The check would fail whatever is called: then it is something else.
    if (passes.length === 0) return -1;
    const key = `n${site.nodes.join()} ${site.constants.join()} ${checked?.hash ?? ""}`;
    return this.#make(key, labels.join(" | "), () => passes);
  }

  /** All that the check lets pass (see kcfi.ts). */
  #checked({ hash, offset }: CheckedHash): number {
    return this.#make(`h${hash} ${offset}`, `type hash 0x${(hash >>> 0).toString(16).padStart(8, "0")}`, () => {
      let known = this.#byHash.get(offset);
      if (known === undefined) {
        known = Map.groupBy(this.#taken, (entry) => this.#hashes.of(entry, offset));
        this.#byHash.set(offset, known);
      }
      return known.get(hash) ?? [];
    });
  }

  #assumed(site: FoundSite, slot: number): number {
    const told = this.#prototypesOf(site);
    const prototypes = told.length === 0 && site.declared !== null ? [site.declared] : told;
    // A variable that is only ever given functions whose prototypes nobody knows.
    if (prototypes.length === 0) return slot;
    const label = prototypes.map((prototype) => this.#prototypes.label(prototype)).join(" | ");
    return this.#make(`p${prototypes.join()}`, label, () => {
      const found = new Set(prototypes.flatMap((prototype) => this.#byPrototype.get(prototype) ?? []));
      for (const entry of this.#unsure) found.add(entry);
      return [...found];
    });
  }

  /** What the pointer calls, as its type says or as those of the members do that it comes out of. */
  #prototypesOf(site: FoundSite): number[] {
    const found = new Set(site.prototypes);
    for (const node of site.nodes) {
      // Something else may be in it, of which the members that were seen tell nothing; what a member declares holds all the same.
      const incomplete = this.#graph.unknown[node] && this.#graph.kind[node] !== "member";
      if (incomplete && site.prototypes.length === 0) return [];
      const members = this.#graph.prototypes(node);
      const told = members.length > 0 ? members : this.#heldBy(node);
      if (told.length === 0 && site.prototypes.length === 0) return [];
      for (const prototype of told) found.add(prototype);
    }
    return [...found].sort((a, b) => a - b);
  }

  /** A variable that holds functions of a prototype is a pointer to that. */
  #heldBy(node: number): number[] {
    if (this.#graph.unknown[node]) return [];
    const found = new Set<number>();
    for (const entry of this.#graph.functions[node] ?? []) {
      for (const prototype of this.#functions.at(entry)?.prototypes ?? []) found.add(prototype);
    }
    return [...found];
  }

  /** What fits by arguments and result alone. */
  #fitting(site: FoundSite): number {
    const fitting = this.#fittingPrototypes(site);
    if (fitting.length === 0 && site.origins !== null) return this.#fitting({ ...site, origins: null });
    const label = this.#fit.label(site);
    return this.#make(`a${label} ${this.#listNumber(fitting)}`, label, () => [
      ...fitting.flatMap((prototype) => this.#byPrototype.get(prototype)!),
      ...this.#unsure,
    ]);
  }

  /** The same for lists of the same numbers: they can be long, and most sites share one. */
  #listNumber(list: readonly number[]): number {
    let number = this.#listNumbers.get(list);
    if (number === undefined) {
      const key = list.join();
      number = this.#listsByKey.get(key) ?? this.#listsByKey.size;
      this.#listsByKey.set(key, number);
      this.#listNumbers.set(list, number);
    }
    return number;
  }

  #fittingPrototypes(site: FoundSite): readonly number[] {
    const members = site.origins === null ? null : this.#search.prototypesAt(site.origins);
    if (members !== null) {
      const known = members.filter((prototype) => this.#byPrototype.has(prototype));
      return this.#fit.select(site, known).sort((a, b) => a - b);
    }
    const key = this.#fit.key(site);
    let found = this.#fittingAll.get(key);
    if (found === undefined) {
      found = this.#fit.select(site, this.#byPrototype.keys()).sort((a, b) => a - b);
      this.#fittingAll.set(key, found);
    }
    return found;
  }

  /** The set of that key, made when it is first asked for. */
  #make(key: string, label: string, entries: () => readonly number[]): number {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#members.length;
      const indexes: number[] = [];
      for (const entry of entries()) {
        const index = this.#indexOf(entry);
        if (index < 0 || this.#lastSet[index] === number + 1) continue;
        this.#lastSet[index] = number + 1;
        indexes.push(index);
      }
      const members = Int32Array.from(indexes).sort();
      this.#members.push(members);
      this.#labels.push(label);
      this.#numbers.set(key, number);
    }
    return number;
  }

  #indexOf(entry: number): number {
    let index = this.#indexes.get(entry);
    if (index === undefined) {
      index = this.#table.entryAt(entry);
      this.#indexes.set(entry, index);
    }
    return index;
  }

  #sets(): CalleeSets {
    const start = new Int32Array(this.#members.length + 1);
    for (const [n, list] of this.#members.entries()) start[n + 1] = start[n]! + list.length;
    const members = new Int32Array(start.at(-1)!);
    for (const [n, list] of this.#members.entries()) members.set(list, start[n]!);
    return { count: this.#members.length, start, members, label: this.#labels };
  }
}

/** Prototypes of the members that hold each function. */
function heldAs(graph: FlowGraph): Map<number, Set<number>> {
  const held = new Map<number, Set<number>>();
  for (let node = 0; node < graph.count; node++) {
    if (graph.kind[node] !== "member") continue;
    const told = graph.prototypes(node);
    if (told.length === 0) continue;
    for (const entry of graph.functions[node] ?? []) {
      let known = held.get(entry);
      if (known === undefined) {
        known = new Set();
        held.set(entry, known);
      }
      for (const prototype of told) known.add(prototype);
    }
  }
  return held;
}
