import { expect, test } from "vitest";
import { escapeLabel, formatMetrics, metricsNotLoaded } from "./metrics.ts";
import { readState } from "./sysfs.ts";
import { fakeHost, GUARD_FILES } from "./testing/fake-host.ts";

const text = (files = GUARD_FILES) => formatMetrics(readState(fakeHost(files)));

test.each([
  ["spillway_loaded", "1"],
  ['spillway_info{version="0.1.0",kernel="6.1.0-57-amd64"}', "1"],
  ["spillway_stacks", "4"],
  ["spillway_stacks_in_use_max", "3"],
  ["spillway_threshold_bytes", "8192"],
  ["spillway_refusals_total", "2"],
  ['spillway_point_switches_total{point="kernel_write"}', "24"],
  ['spillway_point_deepest_bytes{point="vfs_write"}', "1280"],
  // Occupancy is exact.
  ['spillway_occupancy_stacks_bucket{le="1"}', "8"],
  ['spillway_occupancy_stacks_bucket{le="2"}', "16"],
  ['spillway_occupancy_stacks_bucket{le="1024"}', "24"],
  ["spillway_occupancy_stacks_sum", "48"],
  // 3 were held for less than 3908 ns, 13 for less than 7816 ns, 8 for less than 500266 ns.
  ['spillway_hold_seconds_bucket{le="0.000002048"}', "0"],
  ['spillway_hold_seconds_bucket{le="0.000004096"}', "3"],
  ['spillway_hold_seconds_bucket{le="0.000008192"}', "16"],
  ['spillway_hold_seconds_bucket{le="0.000262144"}', "16"],
  ['spillway_hold_seconds_bucket{le="0.000524288"}', "24"],
  ['spillway_hold_seconds_bucket{le="+Inf"}', "24"],
  ["spillway_hold_seconds_count", "24"],
])("%s is %s", (name, value) => {
  expect(text().split("\n")).toContain(`${name} ${value}`);
});

test("every sample has its family's HELP and TYPE before it, once", () => {
  const declared = new Map<string, string>();
  for (const line of text().trimEnd().split("\n")) {
    const type = /^# TYPE (\S+) (gauge|counter|histogram)$/.exec(line);
    if (type !== null) {
      expect(declared.has(type[1]!)).toBe(false);
      declared.set(type[1]!, type[2]!);
    }
    if (line.startsWith("#")) continue;
    const name = /^(\w+)(\{[^}]*\})? [0-9.e+-]+$/.exec(line)?.[1] ?? "";
    const family = declared.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");
    expect(declared.get(family), line).toBeDefined();
    expect(declared.get(family) === "counter", line).toBe(name.endsWith("_total"));
  }
});

test("what is not counted is left out; the bounds are the same when nothing was", () => {
  const { "/sys/kernel/spillway/reaped": _, ...without } = GUARD_FILES;
  expect(text(without)).not.toContain("reaped");
  const bounds = (metrics: string) => metrics.match(/le="[^"]*"/g);
  expect(bounds(text({ ...GUARD_FILES, "/sys/kernel/spillway/hold_ns": "" }))).toEqual(bounds(text()));
});

test("not loaded", () => {
  expect(metricsNotLoaded()).toMatch(/^# HELP spillway_loaded .*\n# TYPE spillway_loaded gauge\nspillway_loaded 0\n$/);
});

test("labels", () => {
  expect(escapeLabel('a"b\\c\nd')).toBe('a\\"b\\\\c\\nd');
});
