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

const boundOf = (text: string, name: string) => {
  const budget = createBudget(program, graphOf(text));
  return formatBound(makePlan(budget, { recursion: true, entry: name }), budget.path(name), recorder({ width: 80 }));
};

test("a path that points would bound", () => {
  const text = `
    __x64_sys_write 9000: vfs_write+9000
    vfs_write 4000: *file_operations.write_iter+4000
    stacked_write@stacked 2000: kernel_write+2000
    kernel_write 900: *file_operations.write_iter+900
    {file_operations.write_iter}: stacked_write@stacked`;
  expect(boundOf(text, "__x64_sys_write")).toMatchInlineSnapshot(`
    "2 critical points on this path would bound it: 27,676 of 15,360 bytes, 1,024
    more in reserve.
      2 points on it bound recursion through them however often it goes round:
      kernel_write, vfs_write.
      A point that finds 8,912 or more in use goes on on an extra stack: before the
      first point at most 9,616 bytes are in use, and from one to the next at most
      6,448.
      Points for all entries: spillway plan INPUT --recursion -o plan.json; on this
      kernel: spillway guard load --plan plan.json.
    "
  `);
});

test("a kernel that needs no points", () => {
  const small = createBudget(program, graphOf("__x64_sys_write 600: vfs_write+600\n vfs_write 400:"));
  expect(formatPlan(makePlan(small, {}), recorder())).toMatchInlineSnapshot(`
    "No critical point is needed for Linux 6.1.0-test
      stack  16,384 bytes, 1,024 of them in reserve
      edges  slot-matched

    The longest segments left
      1,168  of 15,360  __x64_sys_write → vfs_write  2 calls

    note: without points none of 1 entries on task stacks could exceed a stack less
    its reserve
    "
  `);
});

test("a path that needs no points, beside recursion that does", () => {
  const text = `
    __x64_sys_write 600: vfs_write+600
    vfs_write 400: kernel_write+400, leaf+390
    kernel_write 900: vfs_write+100, reclaim+8
    reclaim 40: reclaim+40
    leaf 4000:`;
  expect(boundOf(text, "__x64_sys_write")).toMatchInlineSnapshot(`
    "This path needs no critical point: 7,158 of 15,360 bytes, 1,024 more in reserve.
      2 points on it bound recursion through them however often it goes round:
      vfs_write, kernel_write.
      A point that finds 10,960 or more in use goes on on an extra stack: before the
      first point at most 1,216 bytes are in use, and from one to the next at most
      4,390.
      1 cycle has no point: at most 4 upcalls from one point to the next are assumed
      there, as in the bound.
      Points for all entries: spillway plan INPUT --recursion -o plan.json; on this
      kernel: spillway guard load --plan plan.json.
    "
  `);
});

test("a path that nothing bounds", () => {
  expect(boundOf("__x64_sys_write 9000: leaf+9000\n leaf 7000:", "__x64_sys_write")).toMatchInlineSnapshot(`
    "No critical point bounds this path: 16,168 of 15,360 bytes, 1,024 more in
    reserve.
      What no placement bounds, \`spillway plan\` tells.
      Points for all entries: spillway plan INPUT --recursion -o plan.json; on this
      kernel: spillway guard load --plan plan.json.
    "
  `);
});

test("a path of which points bound a part", () => {
  const text = "__x64_sys_write 9000: vfs_write+9000\n vfs_write 400: leaf+300\n leaf 15400:";
  expect(boundOf(text, "__x64_sys_write")).toMatchInlineSnapshot(`
    "1 critical point on this path bounds a part of it: 24,868 of 15,360 bytes, 1,024
    more in reserve.
      1 point on it bounds recursion through it however often it goes round:
      vfs_write.
      A point that finds 8,192 or more in use goes on on an extra stack: before the
      first point at most 9,616 bytes are in use, and from one to the next at most
      15,700.
      What no placement bounds, \`spillway plan\` tells.
      Points for all entries: spillway plan INPUT --recursion -o plan.json; on this
      kernel: spillway guard load --plan plan.json.
    "
  `);
});
