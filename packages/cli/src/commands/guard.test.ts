import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../run.ts";
import { recorder } from "../testing/recorder.ts";

async function ran(...args: string[]) {
  const terminal = recorder();
  const open = () => {
    throw new Error("no dump is opened");
  };
  return {
    code: await run(["guard", ...args], { terminal, open }),
    output: terminal.output(),
    errors: terminal.errors(),
  };
}

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spillway-guard-"));
  const points = [{ name: "vfs_write", returns: "long" }];
  const plan = { schema: "spillway/plan@1", kernel: { release: "1.2.3" }, thresholdBytes: 9000, points };
  writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
  writeFileSync(join(folder, "no-plan.json"), "{}");
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["set", 2, "SPW_USAGE: missing required argument 'what'"],
  ["set colour red", 2, 'SPW_USAGE: "colour" cannot be set'],
  ["set total many", 2, 'SPW_USAGE: "many" is not a number of stacks'],
  ["set threshold -1", 2, 'SPW_USAGE: "-1" is not a number of bytes'],
  ["set drain maybe", 2, 'SPW_USAGE: drain is on or off, not "maybe"'],
  ["set reset everything", 2, 'SPW_USAGE: only high-water can be reset, not "everything"'],
  ["load --stacks 0", 2, 'SPW_USAGE: "0" is not a number of stacks'],
  ["load --mode fast", 2, "SPW_USAGE: option '--mode <mode>' argument 'fast' is invalid"],
  ["load --points vfs_*", 2, 'SPW_GUARD_BAD_VALUE: "vfs_*" is no critical point'],
  ["load --plan FOLDER/none.json", 3, "SPW_INPUT_NOT_FOUND: FOLDER/none.json: there is no such file"],
  ["load --plan FOLDER/no-plan.json", 3, "SPW_GUARD_PLAN_INVALID: this is no plan for the guard"],
  ["load --plan FOLDER/plan.json", 3, "SPW_GUARD_PLAN_OTHER_KERNEL: the plan is for kernel 1.2.3"],
  ["load --force --plan FOLDER/plan.json --module FOLDER/none.ko", 3, "SPW_INPUT_NOT_FOUND: FOLDER/none.ko: there is"],
  ["install --stacks 3", 2, "SPW_USAGE: the module's parameters are only written with --boot"],
  ["drain --wait long", 2, 'SPW_USAGE: "long" is no number of seconds'],
  ["build --kernel ../../etc", 5, "SPW_GUARD_NO_HEADERS: the headers of kernel ../../etc are not installed"],
])("spillway guard %s ends with %d", async (line, code, message) => {
  const result = await ran(...line.replaceAll("FOLDER", folder).split(" "));
  expect(result.errors).toContain(`spillway: ${message.replaceAll("FOLDER", folder)}`);
  expect(result.code).toBe(code);
  expect(result.output).toBe("");
});

test("check answers, for people and for programs alike", async () => {
  const json = await ran("check", "--json");
  const { ok, reasons } = JSON.parse(json.output);
  expect(json.code).toBe(ok ? 0 : 3);
  expect(reasons.length === 0).toBe(ok);
  const text = await ran("check");
  expect(text.code).toBe(json.code);
  expect(text.output).toMatch(ok ? /^ {2}This machine can run/ : /^ {2}This machine cannot run/);
});

test.each(["check", "build", "install", "uninstall", "load", "status", "set", "metrics", "drain", "unload"])(
  "guard %s --help has examples",
  async (command) => {
    const { code, output } = await ran(command, "--help");
    expect(code).toBe(0);
    expect(output).toMatch(new RegExp(`Examples:\n  spillway guard ${command}`));
  },
);
