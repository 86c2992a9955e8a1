/** Tables in a narrow and in a wide terminal. */
import { createBudget } from "@spillway/core";
import { expect, test } from "vitest";
import { budgetProgram } from "../../../../core/src/budget/budget-program.fixture.ts";
import { graphOf } from "../../../../core/src/budget/call-graph.fixture.ts";
import { recorder } from "../../testing/recorder.ts";
import { formatPath } from "./path.ts";
import { formatBudget } from "./summary.ts";

const graph = graphOf(`
  __x64_sys_write 40: vfs_write+400
  vfs_write 80: *file_operations.write_iter+720
  upper_write@upper 600: function_of_a_long_name+4000
  function_of_a_long_name 60: *address_space_operations.write_begin+60
  lower_write_begin@lower 6000: spin+40
  spin 50: spin+50
  {file_operations.write_iter}: upper_write@upper
  {address_space_operations.write_begin}: lower_write_begin@lower
`);
const budget = createBudget(budgetProgram(), graph);

const path = { ...budget.path("write"), title: "The deepest path from write", stackBytes: 16384 };
const summary = { limit: 5, level: "slot-matched", maxBytes: null } as const;

/** What is printed, each line within the width. */
function within(width: number, text: string): string {
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(width);
  return text;
}

test("a path in 80 columns", () => {
  expect(within(80, formatPath(path, recorder({ width: 80 })))).toMatchInlineSnapshot(`
    "The deepest path from write: 11,348 of 16,384 bytes, slot-matched
      in use                bytes  function                     through
         168  ············         (in use at the entry)
         568  ············    400  ● __x64_sys_write
       1,288  █···········    720  ● vfs_write
       5,288  ████········  4,000  ◐ upper_write [upper]        file_operations.wri…
       5,348  ████········     60  ● function_of_a_long_name
      11,348  ████████····  6,000  ◐ lower_write_begin [lower]  address_space_opera…
      ● proven   ◐ typed (its slot is known)   ○ assumed (its prototype fits)
    "
  `);
});

test("a path in 120 columns", () => {
  expect(within(120, formatPath(path, recorder({ width: 120 })))).toMatchInlineSnapshot(`
    "The deepest path from write: 11,348 of 16,384 bytes, slot-matched
      in use                            bytes  function                     through
         168  ························         (in use at the entry)
         568  █·······················    400  ● __x64_sys_write
       1,288  ██······················    720  ● vfs_write
       5,288  ████████················  4,000  ◐ upper_write [upper]        file_operations.write_iter
       5,348  ████████················     60  ● function_of_a_long_name
      11,348  █████████████████·······  6,000  ◐ lower_write_begin [lower]  address_space_operations.write_begin
      ● proven   ◐ typed (its slot is known)   ○ assumed (its prototype fits)
    "
  `);
});

test("a path with names that leave little room has a shorter bar", () => {
  const long = graphOf(`
    __x64_sys_write 40: __alloc_pages_slowpath.constprop.0+400
    __alloc_pages_slowpath.constprop.0 80: *rmap_walk_control.rmap_one+720
    try_to_unmap_one 360:
    {rmap_walk_control.rmap_one}: try_to_unmap_one
  `);
  const drawn = { ...createBudget(budgetProgram(), long).path("write"), title: "write", stackBytes: 16384 };
  expect(within(80, formatPath(drawn, recorder({ width: 80 })))).toMatchInlineSnapshot(`
    "write: 1,648 of 16,384 bytes, slot-matched
      in use          bytes  function                              through
         168  ······         (in use at the entry)
         568  ······    400  ● __x64_sys_write
       1,288  ······    720  ● __alloc_pages_slowpath.constprop.0
       1,648  █·····    360  ◐ try_to_unmap_one                    rmap_walk_contro…
      ● proven   ◐ typed (its slot is known)   ○ assumed (its prototype fits)
    "
  `);
});

test("the deepest entries in 80 columns", () => {
  expect(within(80, formatBudget(budget.summary, summary, recorder({ width: 80 })))).toMatchInlineSnapshot(`
    "Stack budget of Linux 6.1.0-test
    test (vmlinux, 2 modules)

      functions  6
      calls      6, of them 2 indirect
      indirect   100 % resolved by slot, 100 % by prototype or arguments too
      callees    1.0 on average by slot (1 at most), 0.0 by prototype (0)
      stack      16,384 bytes

    The deepest 2 of 2 entries, bytes of stack, by slot-matched bounds
      entry                kind            direct    slot  prototype
      __x64_sys_write      system call      1,296  11,348     11,348
      upper_write [upper]  file operation   4,236  10,228     10,228
      None is over 16,384 bytes.

    Recursion: 1 cycle at the slot-matched level
      The bounds let a path take 4 upcalls, of 1: calls back into the layers above.
      Another round adds what stands below.
      1 function  1 call cut  50 bytes a round  spin → spin
    "
  `);
});

test("an entry of a long name and kind in 80 columns", () => {
  const long = graphOf(`
    do_syscall_64 1100: syscall_exit_to_user_mode+1056
    syscall_exit_to_user_mode 140: leaf+40
    leaf 20000:
  `);
  const { summary: longest } = createBudget(budgetProgram(), long);
  expect(longest.entries[0]).toMatchObject({ name: "syscall_exit_to_user_mode", kind: "user-return" });
  within(80, formatBudget(longest, summary, recorder({ width: 80 })));
});

test("the deepest entries in 120 columns", () => {
  const [, , entries] = within(120, formatBudget(budget.summary, summary, recorder({ width: 120 }))).split("\n\n");
  expect(entries).toMatchInlineSnapshot(`
    "The deepest 2 of 2 entries, bytes of stack, by slot-matched bounds
      entry                kind            stack  direct calls  slot-matched  prototype-matched  largest frame
      __x64_sys_write      system call     task          1,296        11,348             11,348  6,000 lower_write_begin [l…
      upper_write [upper]  file operation  task          4,236        10,228             10,228  6,000 lower_write_begin [l…
      None is over 16,384 bytes."
  `);
});
