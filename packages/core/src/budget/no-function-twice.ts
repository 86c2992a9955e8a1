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
import type { GraphIndex } from "./graph-index.ts";
import { BARE, DIRECT } from "./level-graph.ts";
import type { BudgetLevel } from "./levels.ts";

export interface NoFunctionTwice {
  /** Of each component: bytes from the CFA of any function in it. */
  readonly ofComponent: Float64Array;
  /** Of each component: the part of that which lies inside of it. */
  readonly inside: Float64Array;
}

export function noFunctionTwice(index: GraphIndex, level: BudgetLevel, components: Components): NoFunctionTwice {
  const { functions, sets } = index.graph;
  const { first, kind, to, bytes, followed } = index.at(level);
  const ofComponent = new Float64Array(components.count);
  const inside = new Float64Array(components.count);
  const { firstSetIn, setsIn } = setsByComponent(components, functions.count, followed);
  // The most that a set's members outside of its own component take.
  const outside = new Float64Array(sets.count);

  /** Looks at the members of a component's sets that are outside of it, and gives the most that any takes. */
  const outsideOf = (component: number): number => {
    let mostOutside = 0;
    for (let own = firstSetIn[component]!; own < firstSetIn[component + 1]!; own++) {
      const set = setsIn[own]!;
      const most = mostBelow(component, sets.start[set]!, sets.start[set + 1]!);
      outside[set] = most;
      if (most > mostOutside) mostOutside = most;
    }
    return mostOutside;
  };
  const mostBelow = (component: number, begin: number, end: number): number => {
    let most = 0;
    for (let at = begin; at < end; at++) {
      const of = components.of[sets.members[at]!]!;
      if (of < component && ofComponent[of]! > most) most = ofComponent[of]!;
    }
    return most;
  };
  // Of the function that was looked at: its largest call within the cycle, and the most where it is the path's last one there.
  let within = 0;
  let last = 0;
  const look = (component: number, f: number): void => {
    last = functions.ownBytes[f]!;
    within = 0;
    for (let at = first[f]!; at < first[f + 1]!; at++) {
      const target = to[at]!;
      // Whatever it calls, the return address is there.
      let below = RETURN_ADDRESS_BYTES;
      if (kind[at] === DIRECT) {
        const of = components.of[target]!;
        if (of === component) {
          within = Math.max(within, bytes[at]!);
          continue;
        }
        below = ofComponent[of]!;
      } else if (kind[at] !== BARE) {
        const of = components.of[functions.count + target]!;
        if (of === component) {
          within = Math.max(within, bytes[at]!);
          below = outside[target]!;
        } else below = ofComponent[of]!;
      }
      last = Math.max(last, bytes[at]! + below);
    }
  };
  const sumUp = (component: number, mostOutside: number): void => {
    let sum = 0;
    let lastGain = 0;
    let lastInside = 0;
    const begin = components.first[component]!;
    const end = components.first[component + 1]!;
    for (let member = begin; member < end; member++) {
      const f = components.functions[member]!;
      look(component, f);
      sum += within;
      lastGain = Math.max(lastGain, last - within);
      lastInside = Math.max(lastInside, functions.ownBytes[f]! - within);
    }
    // A component of sets alone: what their members take.
    ofComponent[component] = end === begin ? mostOutside : sum + lastGain;
    inside[component] = end === begin ? 0 : sum + lastInside;
  };
  for (let component = 0; component < components.count; component++) sumUp(component, outsideOf(component));
  return { ofComponent, inside };
}

/** The followed sets of each component: `setsIn[firstSetIn[c]]` up to `firstSetIn[c + 1]`. */
function setsByComponent(
  { count, of }: Components,
  functionCount: number,
  followed: Uint8Array,
): { firstSetIn: Int32Array; setsIn: Int32Array } {
  const firstSetIn = new Int32Array(count + 1);
  for (let set = 0; set < followed.length; set++) {
    const next = of[functionCount + set]! + 1;
    firstSetIn[next] = firstSetIn[next]! + followed[set]!;
  }
  for (let component = 0; component < count; component++) {
    firstSetIn[component + 1] = firstSetIn[component + 1]! + firstSetIn[component]!;
  }
  const setsIn = new Int32Array(firstSetIn[count]!);
  const next = firstSetIn.slice(0, count);
  for (let set = 0; set < followed.length; set++) {
    if (followed[set] === 0) continue;
    const component = of[functionCount + set]!;
    setsIn[next[component]!] = set;
    next[component] = next[component]! + 1;
  }
  return { firstSetIn, setsIn };
}
