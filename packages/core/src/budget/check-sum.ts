/** Bounds are added up in columns of 32 bits: a graph that could overflow them is refused before any is computed. */
import { SpillwayError } from "../errors.ts";
import type { CallGraph } from "./call-graph.ts";
import type { Entry } from "./entries.ts";

const MOST = 0x7fffffff;
/** The return address of a call of which nothing else is known. */
const RETURN_ADDRESS_BYTES = 8;

/**
 * A path enters each function at most once for each upcall, so no sum is larger than all functions' largest figures together, as
 * often.
 * @param passes upcalls that paths may take, and one
 * @throws SpillwayError `SPW_BUDGET_TOO_DEEP`
 */
export function checkSum({ functions, sites }: CallGraph, passes: number, entries: readonly Entry[]): void {
  const most = functions.ownBytes.map((bytes) => Math.abs(bytes));
  for (let site = 0; site < sites.count; site++) {
    const f = sites.caller[site]!;
    most[f] = Math.max(most[f]!, Math.abs(sites.bytes[site]!));
  }
  const sum = most.reduce((total, bytes) => total + bytes + RETURN_ADDRESS_BYTES, 0);
  const base = entries.reduce((largest, { baseBytes }) => Math.max(largest, baseBytes), 0);
  if (sum * passes + base <= MOST) return;
  throw new SpillwayError("SPW_BUDGET_TOO_DEEP", "the frames of all functions add up to more than can be counted", {
    facts: { frameBytes: sum, passes },
    hint: "It is damaged, or --rounds asks for too many.",
  });
}
