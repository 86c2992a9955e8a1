import { createBudget, makePlan, type PlanOptions } from "@spillway/core";
import { expect, test } from "vitest";
import { budgetProgram } from "../../../../core/src/budget/budget-program.fixture.ts";
import { graphOf } from "../../../../core/src/budget/call-graph.fixture.ts";
import { recorder } from "../../testing/recorder.ts";
import { formatBound, formatPlan } from "./plan.ts";

const NOP = [0x0f, 0x1f, 0x44, 0x00, 0x00, 0x55, 0x53, 0x51, 0x52];
const LONG = { kind: "int", name: "long", size: 8, signed: true };
const types = { func: () => ({ kind: "function", returns: LONG, parameters: [] }) };
const program = budgetProgram({
  memory: { u64: () => null, read: () => Uint8Array.from(NOP) },
  types,
  moduleTypes: () => types,
});
const graph = graphOf(`
  __x64_sys_write 9000: vfs_write+9000
  vfs_write 4000: *file_operations.write_iter+4000
  stacked_write@stacked 2000: kernel_write+2000, mutex_lock+100
  kernel_write 900: *file_operations.write_iter+900
  __x64_sys_sync 9000: some_function_that_has_a_long_name+8000, mutex_lock+100
  some_function_that_has_a_long_name 9000: mutex_lock+5000
  mutex_lock 99:
  {file_operations.write_iter}: stacked_write@stacked
`);
const planOf = (options: PlanOptions) => makePlan(createBudget(program, graph), { recursion: true, ...options });

test("a plan in 80 columns", () => {
  const text = formatPlan(planOf({}), recorder({ width: 80 }));
  expect(text).toMatchInlineSnapshot(`
    "2 critical points for Linux 6.1.0-test
      placement  chosen among 3 functions; none smaller keeps the limits
      threshold  8,912 bytes: a point called with as much in use switches
      stack      16,384 bytes, 1,024 of them in reserve
      edges      slot-matched

      point         returns  segment  why it may be one
      kernel_write  long       3,348  a known entry point
      vfs_write     long       6,448  a known entry point

    The longest segments left
      9,616  of 15,360  __x64_sys_write → vfs_write   2 calls
      6,448  of 7,168   vfs_write → kernel_write      3 calls
      3,348  of 7,168   kernel_write → kernel_write   3 calls
      2,616  of 15,360  stacked_write → kernel_write  2 calls

    No placement helps: 1 segment over the limit
      1  too long between the functions that could be points
    The worst of them
      17,168  of 15,360  __x64_sys_sync → some_function_that_has_a_long_name  coarse

    note: without points 2 of 3 entries on task stacks could exceed a stack less its
    reserve
    note: 1 segment stays too long whatever the placement: the guarantee holds for
    all other starts
    "
  `);
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("what would bound one entry", () => {
  expect(formatBound(planOf({ entry: "__x64_sys_write" }), recorder({ width: 80 }))).toMatchInlineSnapshot(`
    "2 critical points would bound it, rounds of cycles included.
      kernel_write, vfs_write
      Up to the first at most 9,616 of 15,360 bytes are in use.
      A point that finds 8,912 or more in use goes on on an extra stack; from one
      point to the next at most 6,448 bytes follow.
      Points for all entries: spillway plan INPUT --recursion -o plan.json; on this
      kernel: spillway guard load --plan plan.json.
    "
  `);
});
