import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareDebianVersions, compareRpmVersions } from "./compare-versions.ts";

// Each line from the oldest to the newest; "=" joins versions that count as the same. Checked against dpkg
// --compare-versions and rpmvercmp().
const DEBIAN = [
  "6.1~rc7-1~exp1 < 6.1~rc7-1 < 6.1-1 < 6.1.0-1 < 6.1.4-1 < 6.1.27-1 < 6.1.192-1 < 6.1.192-1+b1 < 6.1.192-2 < 6.12.1-1",
  "1 < 1.0 < 1.0-1 < 1.0+dfsg",
  "1.0~~ < 1.0~~a < 1.0~ < 1.0 < 1.0a < 1.0+",
  "9.9 < 1:0.1 < 2:0",
  "1.0 = 0:1.0 = 1.00 = 01.0",
  "5.15.0-9.9 < 5.15.0-55.61 < 5.15.0-101.111",
];
const RPM = [
  "3.10.0-862.el7 < 3.10.0-862.14.2.el7 < 3.10.0-957.el7 < 3.10.0-1062.el7",
  "6.6.9-200 < 6.6.9-200.fc39 < 6.6.10-100.fc38",
  "1.0~rc1-1 < 1.0-1 < 1.0^git1-1 < 1.0^git2-1 < 1.0.1-1",
  "1.0-a < 1.0-1",
  "1.0 = 1_0 = 1..0 = 01.0",
  "9-1 < 1:1-1",
  "3.10.0 = 3.10.0-862.el7",
];

function pairs(lines: readonly string[]): [string, string, number][] {
  return lines.flatMap((line) => {
    const groups = line.split(" < ").map((group) => group.split(" = "));
    const all = groups.flatMap((group, order) => group.map((version) => ({ version, order })));
    return all.flatMap((a) =>
      all.map((b): [string, string, number] => [a.version, b.version, Math.sign(a.order - b.order)]),
    );
  });
}

describe("the order of versions", () => {
  test.each(pairs(DEBIAN))("dpkg: %s and %s: %i", (a, b, order) => {
    expect(compareDebianVersions(a, b)).toBe(order);
  });

  test.each(pairs(RPM))("RPM: %s and %s: %i", (a, b, order) => {
    expect(compareRpmVersions(a, b)).toBe(order);
  });

  const version = fc.string({ unit: fc.constantFrom(..."0019abc.+~^_".split("")), maxLength: 8 });
  test.each([
    ["dpkg", compareDebianVersions],
    ["RPM", compareRpmVersions],
  ])("%s: is an order", (_name, compare) => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(compare(a, a)).toBe(0);
        expect(compare(a, b) + compare(b, a)).toBe(0);
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
