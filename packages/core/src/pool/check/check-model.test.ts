import { describe, expect, it, test } from "vitest";
import { checkModel } from "./check-model.ts";
import { parseModel } from "./parse-model.ts";
import { PRESETS } from "./presets.ts";

const check = (text: string, symmetry = true) => checkModel(parseModel(text), { symmetry });
const preset = (name: string) => PRESETS.find((one) => one.name === name)!.text;

describe("presets", () => {
  it.each([
    ["rfc-eio", "holds", 0],
    ["rfc-sleep", "deadlock", 3],
    ["rfc-sleep-fixed", "holds", 0],
    ["nested-eio", "holds", 0],
    ["nested-sleep", "deadlock", 4],
    ["nested-sleep-fixed", "holds", 0],
    ["xfs-2012", "deadlock", 6],
    ["xfs-2012-fixed", "holds", 0],
    ["xfs-2023", "deadlock", 2],
    ["xfs-2023-fixed", "holds", 0],
    ["resize", "holds", 0],
    ["resize-unchecked", "violated", 3],
    ["leak", "violated", 4],
  ])("%s: %s, %d steps", (name, verdict, steps) => {
    const document = check(preset(name));
    expect(document.verdict).toBe(verdict);
    expect(document.trace).toHaveLength(steps);
    expect(document.neverReached).toEqual([]);
  });

  test("all of them are in that table", () => expect(PRESETS).toHaveLength(13));
});

test("a deadlock is told step by step, with who holds what, and as a cycle", () => {
  const { trace, cycle, reason } = check(preset("rfc-sleep"));
  expect(reason).toBe("no task can go on");
  expect(trace.map(({ task, action, at }) => `${task} ${action} (${at})`)).toEqual([
    "writer 1 gets an extra stack (10:3)",
    "writer 2 gets an extra stack (10:3)",
    "flusher takes lock inode (19:3)",
  ]);
  expect(trace.at(-1)!.state).toEqual({
    inUse: 2,
    total: 2,
    variables: {},
    tasks: [
      { task: "writer 1", holds: ["an extra stack"], waitsFor: "lock inode", ended: false },
      { task: "writer 2", holds: ["an extra stack"], waitsFor: "lock inode", ended: false },
      { task: "flusher", holds: ["lock inode"], waitsFor: "an extra stack", ended: false },
    ],
  });
  expect(cycle).toEqual([
    "writer 1 holds an extra stack and waits for lock inode, held by flusher",
    "flusher holds lock inode and waits for an extra stack, all 2 held by writer 1 and writer 2",
  ]);
});
