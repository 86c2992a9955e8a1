import { expect, test } from "vitest";
import { tinyProgram } from "../../../../core/src/budget/tiny-program.fixture.ts";
import type { Context } from "../../context.ts";
import { openBudget } from "./budget-options.ts";

const terminal = { progress: false } as unknown as Context["terminal"];

test.each([
  ["files of debug information are opened for the program", ["vmlinux"], [["tiny", "vmlinux"]]],
  ["without --debuginfo none is looked for", undefined, []],
])("%s", (_, debuginfo, expected) => {
  const asked: string[][] = [];
  const { program } = tinyProgram({ functions: { f: "c3  ret" } });
  const context: Context = {
    terminal,
    open: () => {
      throw new Error("no dump");
    },
    openProgram: () => program,
    openDeclaredTypes: (of, files) => {
      asked.push([of.name, ...files]);
      return null;
    },
  };
  openBudget(context, "vmlinuz", { rounds: 0, ...(debuginfo === undefined ? {} : { debuginfo }) });
  expect(asked).toEqual(expected);
});
