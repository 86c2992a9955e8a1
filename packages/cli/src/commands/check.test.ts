import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CheckDocument, PRESETS } from "@spillway/core";
import { afterAll, expect, test } from "vitest";
import { run } from "../run.ts";
import { recorder } from "../testing/recorder.ts";

const folder = mkdtempSync(join(tmpdir(), "spillway-check-"));
afterAll(() => rmSync(folder, { recursive: true }));

const noDump = (): never => {
  throw new Error("check opens no dump");
};

async function ran(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  const terminal = recorder();
  const code = await run(["check", ...args], { terminal, open: noDump });
  return { code, output: terminal.output(), errors: terminal.errors() };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test("a deadlock, for a person", async () => {
  const { code, output, errors } = await ran("rfc-sleep");
  expect(code).toBe(6);
  expect(errors).toBe("");
  expect(output).toBe(`Deadlock · rfc-sleep
  The RFC's open question: the same, but a task that finds no free stack sleeps
  until one is freed.

  No task can go on.

The shortest way there, 3 steps
  1  writer 1 gets an extra stack  10:3
       1 of 2 stacks in use; writer 1 holds an extra stack
  2  writer 2 gets an extra stack  10:3
       2 of 2 stacks in use; writer 1 holds an extra stack; writer 2 holds an
       extra stack
  3  flusher takes lock inode  19:3
       2 of 2 stacks in use; writer 1 holds an extra stack, waits for lock
       inode; writer 2 holds an extra stack, waits for lock inode; flusher holds
       lock inode, waits for an extra stack

Each waits for the next
  writer 1 holds an extra stack and waits for lock inode, held by flusher
  flusher holds lock inode and waits for an extra stack, all 2 held by writer
    1 and writer 2

Asked
  no   no deadlock
  ?    a task that ends, refused or not, holds nothing; none releases what it
       does not hold
  ?    never more stacks in use than there are
  no   always a way back to nothing held and no stack in use
  yes  reach in_use == total

  22 states generated, 16 distinct, depth 4; 64 KiB; identical tasks taken for
  one another
  for 2 tasks writer, 1 task flusher, 2 stacks (policy sleep), 1 lock; says
  nothing of larger ones
`);
});

test.each([
  [["rfc-eio"], "holds", 0],
  [["rfc-sleep"], "deadlock", 6],
  [["rfc-sleep", "--stacks", "3"], "holds", 0],
  [["rfc-sleep", "--policy", "eio"], "holds", 0],
  [["rfc-sleep-fixed", "--tasks", "writer=4,flusher=3"], "holds", 0],
  [["rfc-eio", "--stacks", "9"], "violated", 6],
  [["xfs-2012"], "deadlock", 6],
  [["xfs-2023"], "deadlock", 6],
  [["nested-sleep", "--no-symmetry"], "deadlock", 6],
  [["leak", "--continue"], "violated", 6],
  [["rfc-eio", "--tasks", "writer=9", "--max-states", "50"], "incomplete", 6],
])("%j: %s, exit code %d", async (args, verdict, exit) => {
  const { code, output } = await ran(...args, "--json");
  const document = JSON.parse(output) as CheckDocument;
  expect(document.verdict).toBe(verdict);
  expect(document.trace.length > 0).toBe(verdict === "deadlock" || args[0] === "leak");
  expect(code).toBe(exit);
});

test("a model from a file, in either form, is the preset it was printed from", async () => {
  const expected = (await ran("xfs-2012", "--json")).output;
  const text = file("text.model", (await ran("xfs-2012", "--source")).output);
  expect((await ran(text, "--json")).output).toBe(expected);
  const json = file("model.json", (await ran("xfs-2012", "--source", "--json")).output);
  const document = JSON.parse((await ran(json, "--json")).output) as CheckDocument;
  expect(document.trace.map(({ at }) => at)).toContain("tasks[0].steps[0].do[0]");
  expect({ ...document, trace: [] }).toEqual({ ...(JSON.parse(expected) as CheckDocument), trace: [] });
});

test("--source with other numbers prints the model that is checked", async () => {
  const { output } = await ran("nested-sleep", "--source", "--stacks", "7", "--tasks", "nested=5", "--policy", "eio");
  expect(output).toMatch(/^stacks 7\npolicy eio\n\ntask nested \* 5 \{/);
});

test("--promela prints a model for SPIN", async () => {
  const { output, code } = await ran("rfc-sleep", "--promela");
  expect(code).toBe(0);
  expect(output).toContain("active [2] proctype task_writer() {");
  expect(output).toContain(":: d_step { (lock_inode + 1 <= 1); lock_inode = lock_inode + 1 }; goto s_2");
});

test("--list names every preset", async () => {
  const { output } = await ran("--list");
  for (const { name } of PRESETS) expect(output).toContain(`  ${name} `);
  expect(JSON.parse((await ran("--list", "--json")).output)).toEqual(
    PRESETS.map(({ name, title }) => ({ name, title })),
  );
});

test.each([
  [["bad.model", "lock l\ntask t {\n  lok l\n}"], 3, "SPW_CHECK_BAD_MODEL: bad.model:3:3: expected a step"],
  [["bad.json", '{"tasks": [{"name": "t"}]}'], 3, "SPW_CHECK_BAD_MODEL: bad.json: tasks[0].steps: expected a list"],
  [["many.model", "task t * 50 { } task u * 50 { }"], 3, "SPW_CHECK_TOO_LARGE: many.model: 100 tasks"],
])("%j: exit code %d", async ([name, text], exit, message) => {
  const path = file(name!, text!);
  const { code, errors } = await ran(path);
  expect(code).toBe(exit);
  expect(errors.replaceAll(`${folder}/`, "")).toContain(message);
});

test.each([
  [[], 2, "SPW_USAGE: which model?"],
  [["rfc-slep"], 3, "SPW_INPUT_NOT_FOUND: rfc-slep: there is no such preset or file"],
  [["rfc-sleep", "--tasks", "reader=2"], 2, 'SPW_USAGE: the model has no task "reader", but writer, flusher'],
  [["rfc-sleep", "--tasks", "writer"], 2, "SPW_USAGE: option '--tasks <name=n,...>' argument 'writer' is invalid"],
  [["rfc-sleep", "--policy", "maybe"], 2, "SPW_USAGE: option '--policy <policy>' argument 'maybe' is invalid"],
  [["rfc-sleep", "--stacks", "1000"], 2, "SPW_USAGE: there can be 0 to 255 stacks, not 1000"],
])("%j: exit code %d, %s", async (args, exit, message) => {
  const { code, errors } = await ran(...args);
  expect(code).toBe(exit);
  expect(errors).toContain(message);
});
