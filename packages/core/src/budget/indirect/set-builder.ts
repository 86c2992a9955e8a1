/** Sets of callees, each once however many sites share it. */

import { Bits, BitsNumbers } from "../bits.ts";
import { isCallbackSlot } from "../callbacks.ts";
import type { FunctionTable } from "../function-table.ts";
import { Fitting } from "./fitting.ts";
import type { FlowGraph } from "./flow-graph.ts";
import type { FoundSite } from "./found-site.ts";
import type { IndirectCallees } from "./indirect-calls.ts";
import type { CheckedHash, TypeHashes } from "./kcfi.ts";
import type { KnownFunctions } from "./known-functions.ts";
import type { MemberSearch } from "./member-search.ts";
import type { Prototypes } from "./prototypes.ts";
import { SetTable } from "./set-table.ts";

const NO_FUNCTIONS: readonly number[] = [];

export class SetBuilder {
  readonly #sets: SetTable;
  readonly #functions: KnownFunctions;
  readonly #prototypes: Prototypes;
  readonly #graph: FlowGraph;
  readonly #taken: ReadonlySet<number>;
  readonly #search: MemberSearch;
  readonly #hashes: TypeHashes;
  /** Functions whose address is taken, by the hash before them; for each place where it can stand. */
  readonly #byHash = new Map<number, ReadonlyMap<number | null, number[]>>();
  /** Prototypes of the functions of a set. */
  readonly #heldIn = new Map<number, readonly number[]>();
  readonly #fit: Fitting;
  readonly #fitting = new BitsNumbers();
  /** Lists of prototypes that are all there can be, as Fitting has them. */
  readonly #among = new Map<readonly number[], Bits>();
  /** Functions, by their numbers in the table; by the number of the prototype. */
  readonly #ofPrototype: (readonly number[])[];
  /** Address taken, of no known prototype. */
  readonly #unsure: Bits;

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
    this.#sets = new SetTable(table);
    this.#functions = functions;
    this.#prototypes = prototypes;
    this.#graph = graph;
    this.#taken = taken;
    this.#unsure = new Bits(table.count);
    const byPrototype = new Map<number, number[]>();
    const held = heldAs(graph);
    for (const entry of taken) {
      const known = functions.at(entry);
      if (known === undefined || known.init || (known.prototypes.length === 0 && !mayBeCalled(entry))) continue;
      // Where a record may be another function's, or there is none, the members that hold it say what it is as well.
      const told = known.sure && known.prototypes.length > 0 ? [] : (held.get(entry) ?? []);
      const index = this.#sets.indexOf(entry);
      for (const prototype of new Set([...known.prototypes, ...told])) {
        const list = byPrototype.get(prototype) ?? [];
        if (list.length === 0) byPrototype.set(prototype, list);
        if (index >= 0) list.push(index);
      }
      if (known.prototypes.length === 0 && !held.has(entry) && index >= 0) this.#unsure.add(index);
    }
    this.#ofPrototype = new Array<readonly number[]>(prototypes.count).fill(NO_FUNCTIONS);
    for (const [prototype, list] of byPrototype) this.#ofPrototype[prototype] = list;
    this.#fit = new Fitting(
      prototypes,
      [...byPrototype.keys()].sort((a, b) => a - b),
    );
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
      assumed.set(site.address, this.#byArguments(site));
      byArguments++;
    }
    this.#callbacks();
    return {
      sets: this.#sets.sets(),
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

  /** What is in slots out of which the kernel calls on a fresh stack: a set of each, whether a call of it was understood or not. */
  #callbacks(): void {
    for (const node of this.#graph.slots()) {
      const label = this.#graph.describe(node);
      if (!isCallbackSlot(label)) continue;
      this.#sets.of(slotKey([node]), (members) => {
        const held = this.#graph.sets.functions(this.#graph.functionsOf(node));
        const functions = held.filter((entry) => this.#isDeclaredFor(entry, node));
        this.#sets.addEntries(members, functions);
        return functions.length === 0 ? null : label;
      });
    }
  }

  /**
   * Is a function of the very prototype that a member is declared for, so far as both are known? Those that are stored through
   * pointers of no known type are in every member of their shape.
   */
  #isDeclaredFor(entry: number, node: number): boolean {
    const known = this.#functions.at(entry);
    const declared = this.#graph.prototypes(node);
    if (known?.sure !== true || known.prototypes.length === 0 || declared.length === 0) return true;
    return known.prototypes.some((prototype) => declared.includes(prototype));
  }

  #typed(site: FoundSite): number {
    if (site.unknown || (site.nodes.length === 0 && site.constants.length === 0)) return -1;
    for (const node of site.nodes) {
      if (this.#isIncomplete(node)) return -1;
    }
    const { checked, nodes, constants } = site;
    return this.#sets.of(slotKey(nodes, constants, checked), (members) => {
      const held = nodes.map((node) => this.#graph.sets.functions(this.#graph.functionsOf(node)));
      // Nobody gives one of them a function that we see: then we do not see who does.
      if (held.some((functions) => functions.length === 0)) return null;
      const passes: number[] = [];
      for (const entries of [constants, ...held]) {
        for (const entry of entries) {
          if (checked === null || this.#hashes.of(entry, checked.offset) === checked.hash) passes.push(entry);
        }
      }
      // The check would fail whatever is called: then it is something else.
      if (passes.length === 0) return null;
      this.#sets.addEntries(members, passes);
      return nodes.map((node) => this.#graph.describe(node)).join(" | ");
    });
  }

  /** All that the check lets pass (see kcfi.ts). */
  #checked({ hash, offset }: CheckedHash): number {
    return this.#sets.of(`h${hash} ${offset}`, (members) => {
      let known = this.#byHash.get(offset);
      if (known === undefined) {
        known = Map.groupBy(this.#taken, (entry) => this.#hashes.of(entry, offset));
        this.#byHash.set(offset, known);
      }
      this.#sets.addEntries(members, known.get(hash) ?? []);
      return `type hash 0x${(hash >>> 0).toString(16).padStart(8, "0")}`;
    });
  }

  #assumed(site: FoundSite, slot: number): number {
    const told = this.#prototypesOf(site);
    const prototypes = told.length === 0 && site.declared !== null ? [site.declared] : told;
    // A variable that is only ever given functions whose prototypes nobody knows.
    if (prototypes.length === 0) return slot;
    return this.#sets.of(`p${prototypes.join()}`, (members) => {
      this.#addAll(members, prototypes);
      return prototypes.map((prototype) => this.#prototypes.label(prototype)).join(" | ");
    });
  }

  /** Functions of some prototypes, and those that can be of any. */
  #addAll(members: Bits, prototypes: readonly number[]): void {
    for (let at = 0; at < prototypes.length; at++) members.addAll(this.#ofPrototype[prototypes[at]!] ?? NO_FUNCTIONS);
    members.or(this.#unsure);
  }

  /** What the pointer calls, as its type says or as those of the members do that it comes out of. */
  #prototypesOf(site: FoundSite): number[] {
    const found = new Set(site.prototypes);
    for (const node of site.nodes) {
      if (this.#isIncomplete(node) && site.prototypes.length === 0) return [];
      const members = this.#graph.prototypes(node);
      const told = members.length > 0 ? members : this.#heldBy(node);
      if (told.length === 0 && site.prototypes.length === 0) return [];
      for (const prototype of told) found.add(prototype);
    }
    return [...found].sort((a, b) => a - b);
  }

  /**
   * Something else may be in it, of which the members that were seen tell nothing; what a member declares holds all the same.
   */
  #isIncomplete(node: number): boolean {
    return this.#graph.isUnknown(node) && !this.#graph.isMember(node);
  }

  /** A variable that holds functions of a prototype is a pointer to that. */
  #heldBy(node: number): readonly number[] {
    if (this.#graph.isUnknown(node)) return [];
    const set = this.#graph.functionsOf(node);
    let held = this.#heldIn.get(set);
    if (held === undefined) {
      const functions = [...this.#graph.sets.functions(set)];
      held = [...new Set(functions.flatMap((entry) => this.#functions.at(entry)?.prototypes ?? []))];
      this.#heldIn.set(set, held);
    }
    return held;
  }

  /** What fits by arguments and result alone. */
  #byArguments(site: FoundSite): number {
    if (site.arguments.length === 0) return -1;
    const among = site.origins === null ? null : this.#search.prototypesAt(site.origins);
    let fitting = this.#fit.select(site, among === null ? undefined : this.#placesOf(among));
    if (among !== null && fitting.isEmpty) fitting = this.#fit.select(site);
    const label = this.#fit.label(site);
    return this.#sets.of(`a${label} ${this.#fitting.of(fitting)}`, (members) => {
      this.#addAll(members, this.#fit.prototypesAt(fitting));
      return label;
    });
  }

  #placesOf(prototypes: readonly number[]): Bits {
    let places = this.#among.get(prototypes);
    if (places === undefined) {
      places = this.#fit.placesOf(prototypes);
      this.#among.set(prototypes, places);
    }
    return places;
  }
}

/** Of the set of what is in some slots: equal for all calls through them. */
function slotKey(
  nodes: readonly number[],
  constants: readonly number[] = [],
  checked: CheckedHash | null = null,
): string {
  return `n${nodes.join()} ${constants.join()} ${checked?.hash ?? ""}`;
}

/** Prototypes of the members that hold each function. */
function heldAs(graph: FlowGraph): Map<number, Set<number>> {
  const held = new Map<number, Set<number>>();
  for (let node = 0; node < graph.count; node++) {
    if (!graph.isMember(node)) continue;
    const told = graph.prototypes(node);
    if (told.length === 0) continue;
    for (const entry of graph.sets.functions(graph.functionsOf(node))) {
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
