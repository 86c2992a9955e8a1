import { expect, test } from "vitest";
import { formatLogRecord, type LogStyle } from "./log.ts";

const plain: LogStyle = { time: "kernel", level: false, caller: false, bootTime: null };
const record = { timestamp: 1_002_003_000n, level: 6, text: "hello", caller: "T1" };

test.each<[string, Partial<LogStyle>, string]>([
  ["as dmesg", {}, "[    1.002003] hello\n"],
  ["-t", { time: "none" }, "hello\n"],
  ["-m", { level: true }, "[    1.002003] <6>hello\n"],
  ["-tm", { time: "none", level: true }, "<6>hello\n"],
  ["-c", { caller: true }, "[    1.002003] [    T1] hello\n"],
  ["-T", { time: "human", bootTime: Date.parse("2026-11-20T21:14:01Z") }, "[Fri Nov 20 21:14:02 UTC 2026] hello\n"],
])("%s", (_name, style, expected) => {
  expect(formatLogRecord(record, { ...plain, ...style })).toBe(expected);
});

test("further lines of a record stand under its first", () => {
  expect(formatLogRecord({ ...record, text: "one\ntwo" }, plain)).toBe("[    1.002003] one\n               two\n");
});

test("a log cannot drive the terminal", () => {
  expect(formatLogRecord({ ...record, text: "\u001b[2Jgone\u009b1m" }, { ...plain, time: "none" })).toBe(
    ".[2Jgone.1m\n",
  );
});
