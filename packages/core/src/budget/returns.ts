/** Functions that never return. */
import { type FoundSites, SITE_KIND } from "./sites.ts";

/**
 * Which functions return, from those that have a return of their own: also those that tail-jump to one that returns, or to
 * where nobody knows.
 * @param own 1 for each function that has a return in its code; changed in place
 */
export function whatReturns(own: Uint8Array, sites: FoundSites): Uint8Array {
  const { kind: kinds, caller: callers, callee: callees } = sites;
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
