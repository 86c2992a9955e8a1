import { createBudget } from "@spillway/core";
import { expect, test } from "vitest";
import { budgetProgram } from "../../../../core/src/budget/budget-program.fixture.ts";
import { graphOf } from "../../../../core/src/budget/call-graph.fixture.ts";
import { recorder } from "../../testing/recorder.ts";
import { formatPath } from "./path.ts";

function printed(table: string): string {
  const path = createBudget(budgetProgram(), graphOf(table)).path("write");
  return formatPath({ ...path, title: "write", stackBytes: 16384 }, recorder({ width: 80 }));
}

test("a path that goes round a cycle says so at each step, and in all", () => {
  expect(
    printed("__x64_sys_write 40: alloc+400\n alloc 56: reclaim+56\n reclaim 80: alloc+112, leaf+80\n leaf 90:"),
  ).toMatchInlineSnapshot(`
    "write: 1,466 of 16,384 bytes, slot-matched
      in use                bytes  function               through
         168  ············         (in use at the entry)
         568  ············    400  ● __x64_sys_write
         624  ············     56  ● alloc
         736  █···········    112  ● reclaim
         792  █···········     56  ● alloc                upcall, again
         904  █···········    112  ● reclaim              again
         960  █···········     56  ● alloc                upcall, again
       1,072  █···········    112  ● reclaim              again
       1,128  █···········     56  ● alloc                upcall, again
       1,240  █···········    112  ● reclaim              again
       1,296  █···········     56  ● alloc                upcall, again
       1,376  █···········     80  ● reclaim              again
       1,466  █···········     90  ● leaf
      ● proven   ◐ typed (its slot is known)   ○ assumed (its prototype fits)
      again: in functions that are on the path already, 640 bytes in all
      the deepest path that takes no upcall twice has 962 bytes
    "
  `);
});

test("one that goes round none says nothing of it", () => {
  expect(printed("__x64_sys_write 40: alloc+400\n alloc 56:")).not.toMatch(/again|twice/);
});
