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
    expectSamePage(memory.page(pfn), model.pages.get(pfn) ?? null, `page ${pfn}`);
  }
  expect(states).toEqual(expected);
  expect([...memory.presentRanges()]).toEqual(runsOf(model.pages.keys()));
}

/** Like toEqual, but quick on what is equal: a test compares thousands of pages. */
export function expectSamePage(found: Uint8Array | null, expected: Uint8Array | null, name: string): void {
  if (found !== null && expected !== null && found.length === expected.length) {
    let i = 0;
    while (i < found.length && found[i] === expected[i]) i++;
    if (i === found.length) return;
  }
  expect(found, name).toEqual(expected);
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
