/** From functions to the sets of callees that they are in. */
import type { CalleeSets } from "./call-graph.ts";

export interface Memberships {
  /** Sets that a function is a member of, ascending: `setsOf[firstSet[f]]` up to `firstSet[f + 1]`. */
  readonly firstSet: Int32Array;
  readonly setsOf: Int32Array;
}

/** @param among the sets that count (1); null: all */
export function membershipsIn(
  { count, start, members }: CalleeSets,
  functionCount: number,
  among: Uint8Array | null,
): Memberships {
  const firstSet = new Int32Array(functionCount + 1);
  for (let set = 0; set < count; set++) {
    if (among !== null && among[set] !== 1) continue;
    const end = start[set + 1]!;
    for (let at = start[set]!; at < end; at++) firstSet[members[at]! + 1]!++;
  }
  for (let f = 0; f < functionCount; f++) firstSet[f + 1]! += firstSet[f]!;
  const setsOf = new Int32Array(firstSet[functionCount]!);
  const next = firstSet.slice(0, functionCount);
  for (let set = 0; set < count; set++) {
    if (among !== null && among[set] !== 1) continue;
    const end = start[set + 1]!;
    for (let at = start[set]!; at < end; at++) setsOf[next[members[at]!]!++] = set;
  }
  return { firstSet, setsOf };
}
