import { expect } from "vitest";
import { SpillwayError } from "../../errors.ts";
import type { PhysicalMemory } from "../physical-memory.ts";
import { expectedState, type MemoryModel, runsOf } from "./memory-model.ts";

/** Checks every frame of the model, state and bytes, and the runs. */
export function expectSameMemory(memory: PhysicalMemory, model: MemoryModel): void {
  const states: Record<string, string> = {};
  const expected: Record<string, string> = {};
  for (let pfn = 0; pfn < model.maxPfn + 3; pfn++) {
    states[pfn] = memory.pageState(pfn);
    expected[pfn] = expectedState(model, pfn);
    expect(memory.page(pfn), `page ${pfn}`).toEqual(model.pages.get(pfn) ?? null);
  }
  expect(states).toEqual(expected);
  expect([...memory.presentRanges()]).toEqual(runsOf(model.pages.keys()));
}

/** The SpillwayError that `act` throws; any other error, or none, fails the test. */
export function failureOf(act: () => unknown): SpillwayError {
  try {
    act();
  } catch (error) {
    if (error instanceof SpillwayError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
