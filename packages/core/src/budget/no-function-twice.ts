/**
 * An upper bound for every path that enters no function twice, whatever edges it takes.
 *
 * Outside of cycles that is the deepest path. Inside a cycle the longest path without repetition is NP-hard; what is certain is
 * that such a path takes from each function at most its largest call within the cycle, and that from its last one it goes on
 * outside, or stays in its own frame. The sum over the cycle's functions is therefore safe. For large cycles it is far more than
 * any real path has, and is given for just what it is.
 */
import type { Components } from "./components.ts";
import { RETURN_ADDRESS_BYTES } from "./depths.ts";
import { assumedSetAt, type GraphIndex, typedSetAt } from "./graph-index.ts";
import type { BudgetLevel } from "./levels.ts";

export interface NoFunctionTwice {
  /** Of each component: bytes from the CFA of any function in it. */
  readonly ofComponent: Float64Array;
  /** Of each component: the part of that which lies inside of it. */
  readonly inside: Float64Array;
}

export function noFunctionTwice(index: GraphIndex, level: BudgetLevel, components: Components): NoFunctionTwice {
  const { graph, firstSite } = index;
  const { functions, sites, sets } = graph;
  const ofComponent = new Float64Array(components.count);
  const inside = new Float64Array(components.count);
  const setsIn: number[][] = [];
  for (let set = 0; set < sets.count; set++) {
    const component = components.of[functions.count + set] as number;
    setsIn[component] ??= [];
    (setsIn[component] as number[]).push(set);
  }
  // The most that a set's members outside of its own component take.
  const outside = new Float64Array(sets.count);

  for (let component = 0; component < components.count; component++) {
    let mostOutside = 0;
    for (const set of setsIn[component] ?? []) {
      let most = 0;
      for (let at = sets.start[set] as number; at < (sets.start[set + 1] as number); at++) {
        const of = components.of[sets.members[at] as number] as number;
        if (of < component) most = Math.max(most, ofComponent[of] as number);
      }
      outside[set] = most;
      mostOutside = Math.max(mostOutside, most);
    }
    let sum = 0;
    let lastGain = 0;
    let lastInside = 0;
    const first = components.first[component] as number;
    const end = components.first[component + 1] as number;
    for (let member = first; member < end; member++) {
      const f = components.functions[member] as number;
      const own = functions.ownBytes[f] as number;
      let last = own;
      let within = 0;
      for (let site = firstSite[f] as number; site < (firstSite[f + 1] as number); site++) {
        const bytes = sites.bytes[site] as number;
        const callee = sites.callee[site] as number;
        if (callee >= 0) {
          const of = components.of[callee] as number;
          if (of === component) within = Math.max(within, bytes);
          else last = Math.max(last, bytes + (ofComponent[of] as number));
        }
        for (const set of [typedSetAt(graph, level, site), assumedSetAt(graph, level, site)]) {
          if (set < 0) continue;
          const of = components.of[functions.count + set] as number;
          if (of === component) {
            within = Math.max(within, bytes);
            last = Math.max(last, bytes + (outside[set] as number));
          } else last = Math.max(last, bytes + (ofComponent[of] as number));
        }
        if (callee < 0) last = Math.max(last, bytes + RETURN_ADDRESS_BYTES);
      }
      sum += within;
      lastGain = Math.max(lastGain, last - within);
      lastInside = Math.max(lastInside, own - within);
    }
    // A component of sets alone: what their members take.
    ofComponent[component] = end === first ? mostOutside : sum + lastGain;
    inside[component] = end === first ? 0 : sum + lastInside;
  }
  return { ofComponent, inside };
}
