import { describe, expect, it } from "vitest";
import { canMeasureMemory, parsePeak, runMeasured } from "./run-measured.ts";

describe("parsePeak", () => {
  it.each([
    ["249012\n", 249012],
    ["Command exited with non-zero status 1\n383232\n", 383232],
    ["Command terminated by signal 9\n1024\n", 1024],
    ["", null],
    ["no figure here\n", null],
  ])("reads %j as %j", (text, peak) => expect(parsePeak(text)).toBe(peak));
});

describe("runMeasured", () => {
  it("hands over input, output and exit status", () => {
    const script = "process.stdin.on('data', (d) => process.stdout.write(d)).on('end', () => (process.exitCode = 7))";
    const run = runMeasured({ file: process.execPath, args: ["-e", script], input: "words" });
    expect(run).toMatchObject({ status: 7, stdout: "words" });
  });

  it.runIf(canMeasureMemory())("sees the memory that a command touches", () => {
    const fill = (mib: number) => ({ file: process.execPath, args: ["-e", `Buffer.alloc(${mib} << 20, 1)`] });
    const small = runMeasured(fill(1)).peakKiB!;
    const large = runMeasured(fill(101)).peakKiB!;
    expect((large - small) / 1024).toBeGreaterThan(80);
    expect((large - small) / 1024).toBeLessThan(120);
  });

  it("ends a command that does not end", () => {
    const run = runMeasured({ file: process.execPath, args: ["-e", "setInterval(() => {}, 1000)"] }, 0.5);
    expect(run.status).toBe(124);
  });

  it("reports a program that cannot be started as one that failed", () => {
    const run = runMeasured({ file: "/nonexistent/program", args: [] });
    expect(run.status).not.toBe(0);
    expect(run.stderr).not.toBe("");
  });
});
