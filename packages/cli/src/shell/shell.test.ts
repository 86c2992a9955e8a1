import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../run.ts";
import { fakeKernel, task } from "../testing/fake-kernel.ts";
import { recorder } from "../testing/recorder.ts";
import { loadHistory, saveHistory } from "./history.ts";
import { Shell } from "./shell.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spillway-shell-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function shell() {
  const terminal = recorder();
  const kernel = fakeKernel({
    tasks: [
      task({ pid: 1, tgid: 1, running: true }),
      task({ address: 0xffff_8a21_0120_c000n, pid: 7, tgid: 7, comm: "sh" }),
    ],
  });
  const open = () => {
    throw new Error("the dump is open already");
  };
  return { terminal, shell: new Shell({ files: ["vmcore"], kernel }, { terminal, open }, run) };
}

test.each<[string, number, RegExp | "", RegExp | ""]>([
  ["", 0, "", ""],
  ["mod", 0, /^no modules are loaded$/m, ""],
  ["mod; sym vfs_read", 0, /^no modules.*\n.*vfs_read$/m, ""],
  ["sym nope; mod", 0, /^no modules/m, /no symbol named "nope".*\nhint: sym -q PART lists/],
  ["mod; sym nope", 4, /^no modules/m, /SPW_SYMBOL_UNKNOWN/],
  ["frobnicate", 2, "", /unknown command 'frobnicate'.*\nhint: see help$/m],
  ["bt 'x", 2, "", /the ' is not closed/],
  ["set 7", 0, /PID: 7\n COMMAND: "sh"/, ""],
  ["set 99", 4, "", /neither a PID nor the address/],
  ["lab list", 2, "", /"lab" has no use at the prompt/],
  ["help", 0, /^ {2}bt \[task\.\.\.\] [\s\S]*At the prompt:/m, ""],
  ["help rd", 0, /^Usage: rd \[options\] <where> \[count\][\s\S]*^ {2}rd init_task 8/m, ""],
  ["exit; mod", 0, "", ""],
  ["mod | exit 3", 3, "", ""],
  ["sym nope | cat", 4, "", /SPW_SYMBOL_UNKNOWN/],
  ["! exit 5", 5, "", ""],
])("%s", async (line, code, output, errors) => {
  const { terminal, shell: it } = shell();
  expect(await it.execute(line)).toBe(code);
  expect(terminal.output()).toMatch(output === "" ? /^$/ : output);
  expect(terminal.errors()).toMatch(errors === "" ? /^$/ : errors);
});

test("output goes into files and through programs", async () => {
  const { shell: it, terminal } = shell();
  const file = join(folder, "out");
  expect(await it.execute(`mod > ${file}; sym vfs_read | tr a-z A-Z >> ${file}; nope > ${file}.2`)).toBe(2);
  expect(readFileSync(file, "utf8")).toBe("no modules are loaded\nFFFFFFFF81000100 (T) VFS_READ\n");
  expect(terminal.output()).toBe("");
});

test("with -e nothing runs after a failure", async () => {
  const { shell: it, terminal } = shell();
  expect(await it.execute("sym nope; mod", true)).toBe(4);
  expect(terminal.output()).toBe("");
});

test("leaving is remembered", async () => {
  const { shell: it } = shell();
  expect(it.left).toBe(false);
  await it.execute("q");
  expect(it.left).toBe(true);
});

test("history is kept newest first, with what was typed last", () => {
  const file = join(folder, "state", "history");
  expect(loadHistory(file)).toEqual([]);
  saveHistory(file, ["newest", "older"]);
  expect(readFileSync(file, "utf8")).toBe("older\nnewest\n");
  expect(loadHistory(file)).toEqual(["newest", "older"]);
  saveHistory("/dev/null/history", ["x"]);
});
