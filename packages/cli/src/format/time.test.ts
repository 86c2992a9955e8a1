import { expect, test } from "vitest";
import { formatDate, formatTimestamp, formatUptime } from "./time.ts";

test.each([
  ["2026-11-20T21:14:03Z", "Fri Nov 20 21:14:03 UTC 2026"],
  ["2019-11-05T15:40:53Z", "Tue Nov  5 15:40:53 UTC 2019"],
])("%s is %s", (iso, expected) => {
  expect(formatDate(new Date(iso))).toBe(expected);
});

test.each([
  [1.9, "00:00:01"],
  [86_399, "23:59:59"],
  [86_400, "1 day, 00:00:00"],
  [171 * 86_400 + 21 * 3600 + 25 * 60 + 1, "171 days, 21:25:01"],
])("an uptime of %d s is %s", (seconds, expected) => {
  expect(formatUptime(seconds)).toBe(expected);
});

test.each([
  [0n, "    0.000000"],
  [4_293_000n, "    0.004293"],
  [1_234_567_891_000n, " 1234.567891"],
  [123_456_000_000_000n, "123456.000000"],
])("%d ns since boot is %s", (nanoseconds, expected) => {
  expect(formatTimestamp(nanoseconds)).toBe(expected);
});
