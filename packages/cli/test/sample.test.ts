import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Diagnosis } from "@spillway/core";
import { describe, expect, test } from "vitest";
import { openFiles } from "../src/io/open-files.ts";
import { verdictTitle } from "../src/report/words.ts";
import { run } from "../src/run.ts";
import { recorder } from "../src/testing/recorder.ts";

const folder = join(import.meta.dirname, "..", "..", "..", "samples");
const samples = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".kdump")) : [];

async function spillway(...args: string[]): Promise<string> {
  const terminal = recorder();
  const code = await run(args, { terminal, open: openFiles });
  expect({ code, errors: terminal.errors() }).toEqual({ code: 0, errors: "" });
  return terminal.output();
}

describe.each(samples)("%s", (name) => {
  const file = join(folder, name);
  let diagnosis: Diagnosis;

  test("diagnose gives a verdict, the same in words and as a document", async () => {
    diagnosis = JSON.parse(await spillway("diagnose", file, "--json"));
    expect(diagnosis.schema).toBe("spillway/diagnosis@1");
    expect(diagnosis.verdict.kind).not.toBe("undetermined");
    expect(diagnosis.frames.length).toBeGreaterThan(3);
    const report = await spillway("diagnose", file);
    expect(report).toContain(verdictTitle(diagnosis.verdict.kind, diagnosis.verdict.cause));
    expect(report).toContain(diagnosis.verdict.culprit?.function ?? "");
  });

  test.each<[string, string[], RegExp]>([
    ["sys", [], /^ +RELEASE: \d+\.\d+.*\n/m],
    ["log", [], /^\[ +0\.000000\] Linux version /],
    ["ps", [], /^ +PID +PPID .*\n(.*\n)*>/],
    ["bt", [], /^PID: \d+ .*\n #0 \[[0-9a-f]{16}\] \S+ at [0-9a-f]{16}/],
    ["bt", ["-a"], /^PID: .*\n(.*\n)*\nPID: /],
    ["bt", ["-r"], /^[0-9a-f]{16}: {2}\S+ +\S+ *\n/m],
    ["sym", ["panic"], /^[0-9a-f]{16} \(T\) panic\n$/],
    ["dis", ["panic", "3"], /^0x[0-9a-f]{16} <panic>:\t\S+.*\n(0x.*\n){2}$/],
    ["rd", ["-a", "linux_banner"], /Linux version /],
    ["mod", [], /^ +MODULE +NAME +BASE +SIZE/],
  ])("%s %j", async (command, args, expected) => {
    expect(await spillway(command, file, ...args)).toMatch(expected);
  });

  test("bt and diagnose tell the same frames", async () => {
    const [trace] = JSON.parse(await spillway("bt", file, "--json")) as { frames: { address: string }[] }[];
    const addresses = trace!.frames.map((frame) => frame.address);
    expect(diagnosis.frames.map((frame) => frame.address)).toEqual(addresses);
  });
});

// Vitest fails a file without tests; the samples may be left out of a checkout.
test("there are samples to test with", () => {
  expect(samples.length).toBeGreaterThan(0);
});
