/** The commands of `budget`, and their options, on budgets that were kept. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { budgetJson, createBudget } from "@spillway/core";
import { afterAll, describe, expect, test } from "vitest";
import { budgetProgram } from "../../../../core/src/budget/budget-program.fixture.ts";
import { graphOf } from "../../../../core/src/budget/call-graph.fixture.ts";
import { run } from "../../run.ts";
import { recorder } from "../../testing/recorder.ts";

const folder = mkdtempSync(join(tmpdir(), "spillway-budget-"));
afterAll(() => rmSync(folder, { recursive: true }));

function kept(name: string, table: string, problems: readonly string[] = []): string {
  const path = join(folder, name);
  writeFileSync(path, [...budgetJson(createBudget(budgetProgram({ problems }), graphOf(table)))].join(""));
  return path;
}

const OLD = kept(
  "old.json",
  `__x64_sys_write 40: vfs_write+40
   vfs_write 80: *file_operations.write_iter+72
   slow_write 600: kernel_write+500
   kernel_write 900: *file_operations.write_iter+60
   {file_operations.write_iter}: slow_write`,
);
const FOLDER = join(folder, "folder.json");
mkdirSync(FOLDER);
const NONE = kept("none.json", "f 8:");
const NEW = kept("new.json", "__x64_sys_write 40: vfs_write+5000\n vfs_write 80:");

async function ran(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  const terminal = recorder();
  const open = (): never => {
    throw new Error("budget opens no dump");
  };
  const code = await run(["budget", ...args], { terminal, open });
  return { code, output: terminal.output(), errors: terminal.errors() };
}

describe("what is amiss with what was read is told beside each answer", () => {
  const table = "__x64_sys_write 40: f+40\n f 8:";
  const one = kept("one.json", table, ["no ORC"]);
  const three = kept("three.json", table, ["no ORC", "no BTF", "module x: damaged"]);
  const more = `note: no ORC\nnote: and 2 more, which spillway budget ${three} tells\n`;
  test.each([
    ["nothing", ["top", OLD], ""],
    ["top", ["top", one], "note: no ORC\n"],
    ["path", ["path", three, "write"], more],
    ["callers", ["callers", three, "f", "--deep", "--json"], more],
    ["diff", ["diff", one, three], `note: no ORC\n${more}`],
    ["diff with itself", ["diff", one, one, "--grow", "f=8"], "note: no ORC\n"],
  ])("%s", async (_what, args, errors) => {
    expect(await ran(...args)).toMatchObject({ code: 0, errors });
  });
});

async function json(...args: string[]) {
  return JSON.parse((await ran(...args, "--json")).output);
}

test("a subcommand's options are its own, though budget has some of the same name", async () => {
  expect(await json("path", OLD, "write")).toMatchObject({ level: "slot-matched" });
  expect(await json("path", OLD, "write", "--level", "direct")).toMatchObject({ level: "direct" });
  expect(await json("callers", OLD, "kernel_write", "--deep")).toMatchObject({ function: "kernel_write" });
  expect(await json("callers", OLD, "kernel_write")).toMatchObject([{ function: "slow_write" }]);
  expect(await json("top", OLD, "--by", "frame", "-n", "1")).toMatchObject([{ function: "kernel_write" }]);
  expect((await json("diff", OLD, NEW)).entries.length).toBeGreaterThan(0);
  expect(await json(OLD, "--entry", "slow_write")).toMatchObject({ entries: [{ name: "slow_write" }] });
});

test.each([
  ["an entry is over the limit", [NEW, "--max", "5000"], 6],
  ["none is", [NEW, "--max", "16384"], 0],
  ["one is over it after an update", ["diff", OLD, NEW, "--max", "5000"], 6],
  ["one has grown by more", ["diff", OLD, NEW, "--max-growth", "256"], 6],
  ["none has", ["diff", OLD, OLD, "--max-growth", "0"], 0],
  ["none is left", ["diff", OLD, NONE, "--max-growth", "0"], 6],
  ["there are none", [NONE, "--max", "16384"], 6],
])("a gate: %s", async (_, args, expected) => {
  const { code, errors } = await ran(...args);
  expect(code).toBe(expected);
  expect(errors === "").toBe(expected === 0);
});

test("what if a frame were larger: alone, as a gate, and beside what is", async () => {
  const grow = ["--grow", "vfs_write=100"];
  expect(await json("path", NEW, "write", ...grow)).toMatchObject({ bytes: 168 + 5000 + 180 });
  expect((await ran(NEW, "--max", "5300", ...grow)).code).toBe(6);
  expect((await ran(NEW, "--max", "5300")).code).toBe(0);
  const { output } = await ran("diff", NEW, NEW, ...grow);
  expect(output).toContain("+100  5,248 → 5,348  __x64_sys_write  system call");
  expect((await ran("diff", NEW, NEW)).output).toContain("No bound, no frame and no cycle has changed.");
});

test("entries that lead to a function, and its callers", async () => {
  const { output } = await ran("callers", OLD, "kernel_write", "--entries");
  expect(output.split("\n").slice(0, 3)).toEqual([
    "2 entries lead to kernel_write, slot-matched; on the deepest path of 2",
    "  bound  entry            kind",
    "  3,920  __x64_sys_write  system call     on its deepest path",
  ]);
});

test("the functions of one module, or of the kernel itself", async () => {
  const both = kept("both.json", "write 40: fs_write@fs+40\n fs_write@fs 80:\n");
  const names = async (...args: string[]) =>
    (await json("top", both, ...args)).map((row: { function: string }) => row.function);
  expect(await names("--module", "fs")).toEqual(["fs_write"]);
  expect(await names("--module", "vmlinux")).toEqual(["write"]);
  expect(await names()).toEqual(["fs_write", "write"]);
});

test("what would bound an entry, drawn", async () => {
  const page = join(folder, "write.html");
  const { output } = await ran("path", OLD, "write", "--plan", "--html", page);
  expect(output).toMatch(
    /◆ critical point\n\nThis path needs no critical point: 3,920 of 15,360 bytes, .*\n {2}1 point on it bounds recursion through it however often/,
  );
  const html = readFileSync(page, "utf8");
  expect(html).toContain("◆ kernel_write");
  expect(html).toMatch(/Made by <code>spillway budget path \S+old\.json write --plan --html \S+write\.html<\/code>/);
  expect(await json("path", OLD, "write", "--plan")).toMatchObject({ plan: { points: [{ name: "kernel_write" }] } });
});

test("only entries are drawn", async () => {
  const { code, errors } = await ran("path", OLD, "vfs_write", "--html", join(folder, "none.html"));
  expect(code).toBe(2);
  expect(errors).toMatch(
    /vfs_write is no entry[^\n]*\nhint: spillway budget \S+ --entry vfs_write --html \S+ makes one/,
  );
});

test.each([
  [[NEW, "--max", "x"], "--max <bytes>' argument 'x' is invalid. It is no whole number."],
  [[NEW, "--max", "-1"], "--max <bytes>' argument '-1' is invalid. It is no whole number."],
  [[NEW, "--max", "1e3"], "--max <bytes>' argument '1e3' is invalid. It is no whole number."],
  [[NEW, "--rounds", "100000"], "--rounds <n>' argument '100000' is invalid. It is more than 64."],
  [[NEW, "--level", "Direct"], "Allowed choices are direct, slot-matched, prototype-matched."],
  [["path", NEW, "write", "--grow", "vfs_write"], '"vfs_write" is not a function and how many bytes'],
  [["callers", NEW, "write", "--deep", "--entries"], "'--entries' cannot be used with option '--deep'"],
  [["top", NEW, "--by", "name"], "Allowed choices are frame, depth."],
  [[NEW, "--entry"], "argument missing"],
  [[NEW, "--modules", "/lib/modules"], "--modules goes with a kernel, and"],
  [[NEW, "--debuginfo", "vmlinux"], "--debuginfo goes with a kernel, and"],
  [["path", NEW, "write", "--modules", "/lib/modules"], "--modules goes with a kernel, and"],
  [["diff", OLD, NEW, "--debuginfo", "vmlinux"], "--debuginfo goes with a kernel, and"],
])("%o is refused as a command line", async (args, message) => {
  const { code, output, errors } = await ran(...args);
  expect([code, output]).toEqual([2, ""]);
  expect(errors).toContain(message);
});

test.each([
  ["an entry that is not there", [NEW, "--entry", "nobody"], 4, "there is no function nobody"],
  ["a module that is not there", ["top", NEW, "--module", "xfs"], 4, "there is no function of a module xfs"],
  ["a function that is not there", ["path", NEW, "nobody"], 4, "there is no function nobody"],
  ["no kept budget at all", [join(folder, "nowhere.json")], 3, "there is no such file"],
  ["a folder", [FOLDER], 3, "not a regular file"],
  ["a page into a folder", [NEW, "--html", folder, "--force"], 5, "it is no file"],
  ["a page into nowhere", [NEW, "--html", join(folder, "none", "page.html")], 5, "no such file or directory"],
  ["a page onto what is read", [NEW, "--html", NEW, "--force"], 2, "that is the file that is read"],
])("%s: what is wrong, and its exit code", async (_, args, expected, message) => {
  const { code, errors } = await ran(...args);
  expect(code).toBe(expected);
  expect(errors).toContain(message);
});
