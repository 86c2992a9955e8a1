/**
 * Holds calls that a kernel really made against a call graph: is there a way from the call site to the function that was
 * entered, and how sure is its least sure edge? Addresses are the low 32 bits, signed, as in the graph.
 */
import { type CallGraph, CERTAINTIES, type EdgeCertainty, SITE_KINDS } from "../call-graph.ts";
import { type GraphIndex, indexGraph } from "../graph-index.ts";
import { firstAfter } from "../sorted.ts";

/** Why a call that happened is not in the graph. */
export const MISS_REASONS = [
  /** The return address follows no call that the graph knows. */
  "no-site",
  /** A direct call, whose target does not go on there. */
  "direct-elsewhere",
  /** An indirect call of which the graph knows no target at all. */
  "unresolved",
  /** An indirect call whose sets lack the function. */
  "not-in-set",
] as const;
export type MissReason = (typeof MISS_REASONS)[number];

/** The certainty of the way found, or why there is none. */
export type Match =
  | { readonly found: EdgeCertainty; readonly sites: readonly number[] }
  | { readonly found: null; readonly reason: MissReason; readonly sites: readonly number[] };

/**
 * Entry code of exceptions and interrupts (arch/x86/include/asm/idtentry.h), with the label under which NMIs call C; its address
 * is in tables, but nothing calls it.
 */
const INTERRUPT_ENTRY = /^asm_|^end_repeat_nmi$/;
/** In the graph a branch through one is the indirect branch itself (arch/x86/lib/retpoline.S). */
const THUNK = /^__x86_(indirect|return)_/;
/** Calls every probe of a tracepoint; the static call at the tracepoint leads here, or to the one probe (kernel/tracepoint.c). */
const TRACEPOINT_ITERATOR = /^__traceiter_/;
/** A CPU's start enters C by `lretq`, with the address behind it pushed as if by a call (arch/x86/kernel/head_64.S). */
const FAR_RETURN = /^secondary_startup_64/;

const TAIL = SITE_KINDS.indexOf("tail");
const INDIRECT_TAIL = SITE_KINDS.indexOf("indirect-tail");
/** Lengths of calls in bytes: `ff d0` to an indirect one with prefix, SIB byte and displacement; an lfence may come first. */
const SHORTEST_CALL = 2;
const LONGEST_CALL = 8;
/** A near call of a target: e8 and 32 bits, where the linker or a thunk asks for it behind a prefix. */
const DIRECT_LENGTHS = [5, 6];

export class CallMatcher {
  readonly graph: CallGraph;
  /** Sites in ascending order of their addresses. */
  readonly #byAddress: Int32Array;
  readonly #index: GraphIndex;
  /** Sites by the set that they name. */
  readonly #typedSites: ReadonlyMap<number, readonly number[]>;
  readonly #assumedSites: ReadonlyMap<number, readonly number[]>;
  readonly #tails: Record<EdgeCertainty, Map<number, ReadonlySet<number>>> = {
    proven: new Map(),
    typed: new Map(),
    assumed: new Map(),
  };
  readonly #called: Uint8Array;

  constructor(graph: CallGraph) {
    this.graph = graph;
    const { sites, functions, sets } = graph;
    this.#byAddress = Int32Array.from({ length: sites.count }, (_, site) => site).sort(
      (a, b) => (sites.address[a] as number) - (sites.address[b] as number),
    );
    this.#index = indexGraph(graph);
    this.#typedSites = sitesBySet(sites.typedSet);
    this.#assumedSites = sitesBySet(sites.assumedSet);
    this.#called = new Uint8Array(functions.count);
    for (const callee of sites.callee) if (callee >= 0) this.#called[callee] = 1;
    for (const member of sets.members) this.#called[member] = 1;
  }

  /** The function that the address is in (its body; cold parts are not looked up), -1 for none. */
  functionAt(address: number): number {
    const { start, end } = this.graph.functions;
    const f = firstAfter(start, address) - 1;
    return f >= 0 && address < (end[f] as number) ? f : -1;
  }

  /** True where some site may lead to the function. Entries of interrupts and system calls are reached by none. */
  isCalled(f: number): boolean {
    return this.#called[f] === 1;
  }

  /** Control comes here by the CPU: what lies above on the stack was interrupted there, and made no call. */
  isInterruptEntry(f: number): boolean {
    return INTERRUPT_ENTRY.test(this.graph.functions.name[f] as string);
  }

  /** A retpoline or a return thunk, which has no place in the graph. */
  isThunk(f: number): boolean {
    return THUNK.test(this.graph.functions.name[f] as string);
  }

  /** What has this return address was entered by a far return. */
  isFarReturn(returnAddress: number): boolean {
    const f = this.functionAt(returnAddress - 1);
    return f >= 0 && FAR_RETURN.test(this.graph.functions.name[f] as string);
  }

  /** Calls (not jumps) that would leave this return address; of several by it those that end nearest. */
  sitesBefore(returnAddress: number): number[] {
    const { sites } = this.graph;
    let low = 0;
    let high = this.#byAddress.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sites.address[this.#byAddress[middle] as number] as number) < returnAddress) low = middle + 1;
      else high = middle;
    }
    const found: number[] = [];
    for (let at = low - 1; at >= 0; at--) {
      const site = this.#byAddress[at] as number;
      const length = returnAddress - (sites.address[site] as number);
      if (length > LONGEST_CALL) break;
      const kind = sites.kind[site] as number;
      if (length < SHORTEST_CALL || kind === TAIL || kind === INDIRECT_TAIL) continue;
      if (SITE_KINDS[kind] === "call" && !DIRECT_LENGTHS.includes(length)) continue;
      found.push(site);
    }
    return found;
  }

  /** A call that returned to, or would return to, `returnAddress` and entered `callee`, by tail jumps in between or not. */
  matchCall(returnAddress: number, callee: number): Match {
    const sites = this.sitesBefore(returnAddress);
    if (sites.length === 0) return { found: null, reason: "no-site", sites };
    const itself = new Set([callee]);
    for (const certainty of CERTAINTIES) {
      const leads = (wanted: ReadonlySet<number>): boolean =>
        sites.some((site) => this.#leadsTo(site, certainty, wanted));
      if (leads(itself) || leads(this.#tailingInto(callee, certainty))) return { found: certainty, sites };
    }
    return { found: null, reason: this.#why(sites), sites };
  }

  /**
   * A function that ran inside another, with none in between that `passable` refuses: in function_graph's output those are
   * the functions that ftrace cannot see.
   */
  matchNesting(caller: number, callee: number, passable: (f: number) => boolean): Match {
    const sites = this.#sitesOf(caller);
    const itself = new Set([callee]);
    for (const certainty of CERTAINTIES) {
      const leads = (wanted: ReadonlySet<number>): boolean =>
        sites.some((site) => this.#leadsTo(site, certainty, wanted));
      if (leads(itself) || leads(this.#backwards(callee, certainty, () => true, passable)))
        return { found: certainty, sites };
    }
    return { found: null, reason: sites.length === 0 ? "no-site" : this.#why(sites), sites };
  }

  #isTracing(f: number): boolean {
    return TRACEPOINT_ITERATOR.test(this.graph.functions.name[f] as string);
  }

  /** The function and those that jump there at their ends, at once or by others. */
  #tailingInto(callee: number, certainty: EdgeCertainty): ReadonlySet<number> {
    const known = this.#tails[certainty].get(callee);
    if (known !== undefined) return known;
    const { kind, caller } = this.graph.sites;
    // A tracepoint with one probe calls it without the iterator, which is the deeper way.
    const isTail = (site: number): boolean =>
      kind[site] === TAIL || kind[site] === INDIRECT_TAIL || this.#isTracing(caller[site] as number);
    const found = this.#backwards(callee, certainty, isTail, () => true);
    this.#tails[certainty].set(callee, found);
    return found;
  }

  /** The function and those from which ways lead to it over the sites that count, through functions that are passable. */
  #backwards(
    callee: number,
    certainty: EdgeCertainty,
    counts: (site: number) => boolean,
    passable: (f: number) => boolean,
  ): ReadonlySet<number> {
    const { firstCaller, sitesTo, firstSet, setsOf } = this.#index;
    const seen = new Set([callee]);
    // Functions share sets, and a set's sites have to be gone through once.
    const sets = new Set<number>();
    const over = (site: number): void => {
      if (!counts(site)) return;
      const f = this.graph.sites.caller[site] as number;
      if (passable(f)) seen.add(f);
    };
    // A set's iterator goes on to what is added meanwhile.
    for (const f of seen) {
      for (let at = firstCaller[f] as number; at < (firstCaller[f + 1] as number); at++) over(sitesTo[at] as number);
      if (certainty === "proven") continue;
      for (let at = firstSet[f] as number; at < (firstSet[f + 1] as number); at++) {
        const set = setsOf[at] as number;
        if (sets.has(set)) continue;
        sets.add(set);
        for (const site of this.#typedSites.get(set) ?? []) over(site);
        if (certainty === "assumed") for (const site of this.#assumedSites.get(set) ?? []) over(site);
      }
    }
    return seen;
  }

  #leadsTo(site: number, certainty: EdgeCertainty, wanted: ReadonlySet<number>): boolean {
    const { sites } = this.graph;
    if (wanted.has(sites.callee[site] as number)) return true;
    if (certainty === "proven") return false;
    if (this.#holds(sites.typedSet[site] as number, wanted)) return true;
    return certainty === "assumed" && this.#holds(sites.assumedSet[site] as number, wanted);
  }

  #holds(set: number, wanted: ReadonlySet<number>): boolean {
    if (set < 0) return false;
    const { start, members } = this.graph.sets;
    for (let at = start[set] as number; at < (start[set + 1] as number); at++) {
      if (wanted.has(members[at] as number)) return true;
    }
    return false;
  }

  /** Functions that a site can lead to, by edges at least so sure. */
  targets(site: number, certainty: EdgeCertainty): number[] {
    const { sites, sets } = this.graph;
    const found: number[] = [];
    const callee = sites.callee[site] as number;
    if (callee >= 0) found.push(callee);
    const chosen = certainty === "proven" ? [] : [sites.typedSet[site] as number];
    if (certainty === "assumed") chosen.push(sites.assumedSet[site] as number);
    for (const set of chosen) {
      if (set < 0) continue;
      for (let at = sets.start[set] as number; at < (sets.start[set + 1] as number); at++) {
        found.push(sets.members[at] as number);
      }
    }
    return found;
  }

  #sitesOf(f: number): number[] {
    const { firstSite } = this.#index;
    const first = firstSite[f] as number;
    return Array.from({ length: (firstSite[f + 1] as number) - first }, (_, at) => first + at);
  }

  #why(from: readonly number[]): MissReason {
    const { sites } = this.graph;
    const indirect = from.filter((site) => (sites.callee[site] as number) < 0);
    if (indirect.length === 0) return "direct-elsewhere";
    const known = indirect.some(
      (site) => (sites.typedSet[site] as number) >= 0 || (sites.assumedSet[site] as number) >= 0,
    );
    return known ? "not-in-set" : "unresolved";
  }
}

function sitesBySet(setOf: Int32Array): Map<number, number[]> {
  const lists = new Map<number, number[]>();
  for (const [site, set] of setOf.entries()) {
    if (set < 0) continue;
    const list = lists.get(set);
    if (list === undefined) lists.set(set, [site]);
    else list.push(site);
  }
  return lists;
}
