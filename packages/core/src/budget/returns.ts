/** Functions that never return. */
import { SITE_KIND, type Sites } from "./sites.ts";

/**
 * Which functions return, from those that have a return of their own: also those that tail-jump to one that returns, or to
 * where nobody knows.
 * @param own 1 for each function that has a return in its code; changed in place
 */
export function whatReturns(own: Uint8Array, sites: Sites): Uint8Array {
  const kinds = sites.kind.values;
  const callers = sites.caller.values;
  const callees = sites.callee.values;
  const tails: number[] = [];
  for (let site = 0; site < sites.count; site++) {
    const isTail = kinds[site] === SITE_KIND.tail || kinds[site] === SITE_KIND["indirect-tail"];
    if (!isTail || own[callers[site]!] === 1) continue;
    if (callees[site]! < 0) own[callers[site]!] = 1;
    else tails.push(site);
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (const site of tails) {
      if (own[callers[site]!] === 1 || own[callees[site]!] === 0) continue;
      own[callers[site]!] = 1;
      changed = true;
    }
  }
  return own;
}
