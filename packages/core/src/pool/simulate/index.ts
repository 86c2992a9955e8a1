/** What the rest of Spillway uses of the simulation of a pool. */
export { engset, erlangB, erlangBStacks, erlangC, erlangCWait } from "./formulas.ts";
export { readFtrace, type TraceReading } from "./ftrace.ts";
export { compareWithGuard, type GuardComparison } from "./guard-comparison.ts";
export { type GuardCounts, readGuardCounts, readHoldBins } from "./guard-export.ts";
export { type ArrivalLaw, type HoldLaw, type LawBin, meanHold, meanRate } from "./laws.ts";
export { DEFAULT_STACK_BYTES, poolMemory } from "./memory.ts";
export { offeredLoad, type PoolModel, type PoolPolicy, type RunOptions } from "./model.ts";
export { type LawFile, parseArrivals, parseDuration, parseHold, parseRate } from "./parse-laws.ts";
export type { SimulationDocument } from "./result.ts";
export { simulatePool } from "./simulate-pool.ts";
export { eventsFor, type SizeDocument, type SizeStep, sizePool } from "./size-pool.ts";
export { type SweepDocument, type SweepPoint, sweepPool } from "./sweep-pool.ts";
