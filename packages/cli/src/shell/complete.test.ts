import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kernel } from "@spillway/core";
import { afterAll, expect, test } from "vitest";
import { fakeKernel } from "../testing/fake-kernel.ts";
import { Completer } from "./complete.ts";

type Struct = NonNullable<ReturnType<Kernel["types"]["structOrUnion"]>>;
const int = { kind: "int", name: "int", size: 4, signed: true } as const;
const member = (name: string, type: Struct["members"][number]["type"] = int) => ({
  name,
  bitOffset: 0,
  bitSize: null,
  type,
});
const struct = (name: string, ...members: Struct["members"]): Struct => ({ kind: "struct", name, size: 8, members });
const thread = struct("thread_struct", member("sp"), member("sp0"));
const task = struct("task_struct", member("state"), member("", struct("", member("stack"))), member("thread", thread));

const kernel = fakeKernel();
const types = {
  ...kernel.types,
  names: () => ["task_group", "task_struct", "thread_struct"],
  structOrUnion: (name: string) => (name === "task_struct" ? task : null),
  member: (name: string, path: string) =>
    name === "task_struct" && path === "thread"
      ? { offset: 0, size: 8, bitOffset: 0, bitSize: null, type: thread }
      : null,
};
const completer = new Completer(
  kernel.symbols,
  types,
  new Map([
    ["bt", ["-a", "--stale"]],
    ["dis", ["-r"]],
    ["struct", ["-o"]],
  ]),
);

const folder = mkdtempSync(join(tmpdir(), "spillway-complete-"));
writeFileSync(join(folder, "report.txt"), "");
writeFileSync(join(folder, ".hidden"), "");
mkdirSync(join(folder, "reports"));
const path = process.env.PATH;
const programs = mkdtempSync(join(tmpdir(), "spillway-programs-"));
writeFileSync(join(programs, "grep-of-mine"), "");
process.env.PATH = programs;
afterAll(() => {
  process.env.PATH = path;
  rmSync(programs, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each<[string, string[], string]>([
  ["", ["bt", "dis", "struct", "set", "help", "exit", "quit"], ""],
  ["b", ["bt"], "b"],
  ["bt; di", ["dis"], "di"],
  ["help b", ["bt"], "b"],
  ["bt -", ["-a", "--stale"], "-"],
  ["bt --s", ["--stale"], "--s"],
  ["bt vfs", [], "vfs"],
  ["dis vfs_", ["vfs_read", "vfs_write"], "vfs_"],
  ["dis -r vfs_r", ["vfs_read"], "vfs_r"],
  ["dis ", [], ""],
  ["struct task_", ["task_group", "task_struct"], "task_"],
  ["struct -o th", ["thread_struct"], "th"],
  ["struct task_struct.st", ["task_struct.state", "task_struct.stack"], "task_struct.st"],
  ["struct task_struct.thread.s", ["task_struct.thread.sp", "task_struct.thread.sp0"], "task_struct.thread.s"],
  ["struct task_struct.state,st", ["state", "stack"], "st"],
  ["struct task_struct.thread.sp,thread.s", ["thread.sp", "thread.sp0"], "thread.s"],
  ["struct nope.x", [], "nope.x"],
  ["struct task_struct vfs_w", ["vfs_write"], "vfs_w"],
  [`bt > ${folder}/rep`, [`${folder}/report.txt`, `${folder}/reports/`], `${folder}/rep`],
  [`bt | cat ${folder}/`, [`${folder}/report.txt`, `${folder}/reports/`], `${folder}/`],
  [`bt --html ${folder}/rep`, [`${folder}/report.txt`, `${folder}/reports/`], `${folder}/rep`],
  ["bt | gre", ["grep-of-mine"], "gre"],
  ["! gre", ["grep-of-mine"], "gre"],
  ["bt | ", [], ""],
  [`! ls ${folder}/report.`, [`${folder}/report.txt`], `${folder}/report.`],
  [`bt > ${folder}/nowhere/x`, [], `${folder}/nowhere/x`],
])("%s", (line, offered, word) => {
  const [candidates, replaced] = completer.complete(line);
  expect([...candidates].sort()).toEqual([...offered].sort());
  expect(replaced).toBe(word);
});
