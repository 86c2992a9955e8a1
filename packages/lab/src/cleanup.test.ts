import { expect, test } from "vitest";
import { undoAtExit } from "./cleanup.ts";

test("handlers are there only while there is something to undo, and it is undone once", () => {
  const before = process.listenerCount("SIGINT");
  const done: string[] = [];
  const first = undoAtExit(() => done.push("first"));
  const second = undoAtExit(() => done.push("second"));
  expect(process.listenerCount("SIGINT")).toBe(before + 1);
  first();
  first();
  expect(done).toEqual(["first"]);
  expect(process.listenerCount("SIGINT")).toBe(before + 1);
  second();
  expect(done).toEqual(["first", "second"]);
  expect(process.listenerCount("SIGINT")).toBe(before);
});
