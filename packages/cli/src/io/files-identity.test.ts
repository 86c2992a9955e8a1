import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { filesIdentity } from "./files-identity.ts";

let base: string;
const at = (...names: string[]): string => join(base, ...names);
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "spillway-identity-"));
  mkdirSync(at("modules", "fs"), { recursive: true });
  writeFileSync(at("vmlinuz"), "kernel");
  writeFileSync(at("modules", "fs", "ext4.ko"), "module");
  writeFileSync(at("elsewhere.debug"), "module");
  symlinkSync(at("elsewhere.debug"), at("modules", "fs", "ext4.debug"));
  dateBack();
});
afterEach(() => rmSync(base, { recursive: true }));

/** Something else in its place, of the same length, its date and that of its folder as they were. */
function replace(path: string): void {
  const fresh = `${path}.new`;
  writeFileSync(fresh, "KERNEL");
  renameSync(fresh, path);
  dateBack();
}

function dateBack(): void {
  for (const names of [["vmlinuz"], ["elsewhere.debug"], ["modules", "fs", "ext4.ko"], ["modules", "fs"]])
    utimesSync(at(...names), 1e9, 1e9);
}

test.each<[string, () => void, boolean]>([
  ["nothing happens", () => {}, true],
  ["a file is read only", () => filesIdentity([at("vmlinuz")]), true],
  ["a file becomes longer", () => writeFileSync(at("vmlinuz"), "kernel 2"), false],
  ["another file takes its place", () => replace(at("vmlinuz")), false],
  ["its date is set back", () => utimesSync(at("vmlinuz"), 1, 1), false],
  ["a module is added", () => writeFileSync(at("modules", "fs", "xfs.ko"), ""), false],
  ["a module is rebuilt", () => replace(at("modules", "fs", "ext4.ko")), false],
  ["a module is gone", () => rmSync(at("modules", "fs", "ext4.ko")), false],
  ["the file behind a link is rebuilt", () => writeFileSync(at("elsewhere.debug"), "rebuilt"), false],
  ["a link is turned elsewhere", () => symlinkSync("nowhere", at("modules", "build")), false],
])("%s", (_, happens, same) => {
  const paths = [at("vmlinuz"), at("modules")];
  const before = filesIdentity(paths);
  happens();
  expect(before).toMatch(/^[0-9a-f]{64}$/);
  expect(filesIdentity(paths) === before).toBe(same);
});

test("which file is which matters", () => {
  expect(filesIdentity([at("vmlinuz"), at("modules")])).not.toBe(filesIdentity([at("modules"), at("vmlinuz")]));
});

test.each([
  ["a file that is not there", () => at("nothing")],
  ["a device", () => "/dev/null"],
  ["the memory of the running kernel", () => "/proc/kcore"],
  ["what the running kernel says of itself", () => "/sys/kernel"],
])("%s has none", (_, path) => {
  expect(filesIdentity([path()])).toBeNull();
});
