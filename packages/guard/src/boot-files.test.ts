import { expect, test } from "vitest";
import { bootFiles, removeBootFiles, writeBootFiles } from "./boot-files.ts";
import { fakeHost } from "./testing/fake-host.ts";

const LOAD = "/etc/modules-load.d/spillway.conf";
const OPTIONS = "/etc/modprobe.d/spillway.conf";

test("what is written for a boot", () => {
  const [load, options] = bootFiles({ stacks: 16, points: ["vfs_read", "vfs_write"] });
  expect(load).toEqual({ path: LOAD, text: expect.stringMatching(/^# Written by.*\nspillway\n$/) });
  expect(options?.text).toMatch(/^# .*\noptions spillway stacks=16 points=vfs_read,vfs_write\n$/);
  expect(bootFiles({})[1]?.text).toMatch(/^# .*\n$/);
});

test("is taken away again, and what a person wrote is not", () => {
  const host = fakeHost({});
  expect(writeBootFiles(host, { stacks: 16 })).toEqual([LOAD, OPTIONS]);
  expect(removeBootFiles(host)).toEqual([LOAD, OPTIONS]);
  expect(removeBootFiles(host)).toEqual([]);
  expect(removeBootFiles(fakeHost({ [OPTIONS]: "options spillway stacks=3\n" }))).toEqual([]);
});
