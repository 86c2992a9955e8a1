import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseDefaultPoints } from "./default-points.ts";
import { parseDkmsConf, parseDkmsStatus } from "./dkms.ts";

const module = join(import.meta.dirname, "..", "..", "..", "kernel-module");

test("dkms.conf, the module and the packages have one version", () => {
  const conf = parseDkmsConf(readFileSync(join(module, "dkms.conf"), "utf8"));
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8"));
  expect(conf).toEqual({ name: "spillway", version });
  expect(readFileSync(join(module, "main.c"), "utf8")).toContain(`MODULE_VERSION("${version}")`);
});

test("the default points are read from the module's source", () => {
  const points = parseDefaultPoints(readFileSync(join(module, "main.c"), "utf8"));
  expect(points).toContain("vfs_write");
  expect(points.every((point) => /^\w+$/.test(point))).toBe(true);
  expect(parseDefaultPoints('static char *points = "a,b:ptr,"\n\t"c";')).toEqual(["a", "b", "c"]);
  expect(parseDefaultPoints("int main;")).toEqual([]);
});

test.each([
  ["", []],
  ["spillway/0.1.0: added\n", [{ version: "0.1.0", release: null, state: "added" }]],
  [
    "spillway/0.1.0, 6.1.0-57-amd64, x86_64: installed\nspillway/0.0.9, 6.1.0-57-amd64, x86_64: built\n",
    [
      { version: "0.1.0", release: "6.1.0-57-amd64", state: "installed" },
      { version: "0.0.9", release: "6.1.0-57-amd64", state: "built" },
    ],
  ],
  [
    "spillway, 0.1.0, 6.1.0-57-amd64, x86_64: installed (original_module exists)\n",
    [{ version: "0.1.0", release: "6.1.0-57-amd64", state: "installed" }],
  ],
  ["zfs/2.1, 6.1.0-57-amd64, x86_64: installed\n", []],
])("dkms status %j", (text, entries) => {
  expect(parseDkmsStatus(text)).toEqual(entries);
});
