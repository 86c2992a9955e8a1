/** How many functions a call graph leaves behind an indirect call: the price of missing none. */
import { type CallGraph, SITE_KINDS } from "../call-graph.ts";

export interface SetSizes {
  /** Indirect sites of which targets are known. */
  readonly sites: number;
  readonly mean: number;
  readonly median: number;
  readonly largest: number;
}

export interface Precision {
  readonly indirectSites: number;
  /** With the typed set where there is one, the assumed one else. */
  readonly narrowed: SetSizes;
  /** With prototypes alone. */
  readonly prototypeOnly: SetSizes;
  /** Sites with a typed set. */
  readonly typed: SetSizes;
  readonly unresolved: number;
}

export function precisionOf(graph: CallGraph): Precision {
  const { sites, sets } = graph;
  const size = (set: number): number => (sets.start[set + 1] as number) - (sets.start[set] as number);
  const narrowed: number[] = [];
  const prototypes: number[] = [];
  const typedOnly: number[] = [];
  let indirectSites = 0;
  for (let site = 0; site < sites.count; site++) {
    if (!(SITE_KINDS[sites.kind[site] as number] ?? "").startsWith("indirect")) continue;
    indirectSites++;
    const [typed, assumed] = [sites.typedSet[site] as number, sites.assumedSet[site] as number];
    if (typed >= 0) typedOnly.push(size(typed));
    if (assumed >= 0) prototypes.push(size(assumed));
    if (typed >= 0 || assumed >= 0) narrowed.push(size(typed >= 0 ? typed : assumed));
  }
  return {
    indirectSites,
    narrowed: sizesOf(narrowed),
    prototypeOnly: sizesOf(prototypes),
    typed: sizesOf(typedOnly),
    unresolved: indirectSites - narrowed.length,
  };
}

function sizesOf(sizes: number[]): SetSizes {
  sizes.sort((a, b) => a - b);
  const sum = sizes.reduce((total, size) => total + size, 0);
  return {
    sites: sizes.length,
    mean: sizes.length === 0 ? 0 : sum / sizes.length,
    median: sizes[sizes.length >> 1] ?? 0,
    largest: sizes.at(-1) ?? 0,
  };
}
