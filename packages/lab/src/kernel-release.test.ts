import { describe, expect, test } from "vitest";
import { compareReleases, isCloudRelease, newestRelease, releasesOfPackages } from "./kernel-release.ts";

describe("releases", () => {
  test.each([
    ["6.1.0-9-cloud-amd64", "6.1.0-56-cloud-amd64"],
    ["6.12.9+deb12-cloud-amd64", "6.12.117+deb12-cloud-amd64"],
    ["6.1.0-56-cloud-amd64", "6.12.1+deb12-cloud-amd64"],
    ["6.12.100+deb12-cloud-amd64", "6.12.100+deb12.1-cloud-amd64"],
  ])("%s is older than %s", (older, newer) => {
    expect(compareReleases(older, newer)).toBeLessThan(0);
    expect(compareReleases(newer, older)).toBeGreaterThan(0);
    expect(newestRelease([newer, older])).toBe(newer);
  });

  test("there is no newest of none", () => expect(newestRelease([])).toBeNull());

  test.each([
    ["6.1", "6.1.0-56-cloud-amd64", true],
    ["6.1", "6.12.117+deb12-cloud-amd64", false],
    ["6.12", "6.12.117+deb12-cloud-amd64", true],
    ["6.1", "6.1.0-56-cloud-amd64-dbg", false],
    ["6.1", "6.1.0-56-cloud-amd64-unsigned", false],
    ["6.1", "6.1.0-56-amd64", false],
    ["6.12", "6.12-cloud-amd64", false],
  ] as const)("series %s, %s: %s", (series, release, expected) => {
    expect(isCloudRelease(series, release)).toBe(expected);
  });

  test("come out of apt's package names", () => {
    const names = [
      "linux-image-6.1.0-55-cloud-amd64",
      "linux-image-6.1.0-55-cloud-amd64-dbg",
      "linux-image-6.1.0-55-amd64",
      "",
    ];
    expect(releasesOfPackages("6.1", names)).toEqual(["6.1.0-55-cloud-amd64"]);
  });
});
