import { expect, test } from "vitest";
import { parameterWords, parsePoints } from "./module-parameters.ts";

test.each([
  [{}, []],
  [{ stacks: 16 }, ["stacks=16"]],
  [{ thresholdBytes: 0, mode: "direct" }, ["threshold=0", "mode=direct"]],
  [{ points: ["vfs_read", "my_ioctl:int"] }, ["points=vfs_read,my_ioctl:int"]],
] as const)("%j", (parameters, words) => {
  expect(parameterWords(parameters)).toEqual(words);
});

test.each([
  ["vfs_read", ["vfs_read"]],
  ["vfs_read, submit_bio_noacct:bio", ["vfs_read", "submit_bio_noacct:bio"]],
  ["f.isra.0:ptr", ["f.isra.0:ptr"]],
])("points %s", (list, points) => {
  expect(parsePoints(list)).toEqual(points);
});

test.each(["", "vfs_read,", "vfs_*", "vfs_read:void", "a b", "x;y", "1st"])("no points: %j", (list) => {
  expect(() => parsePoints(list)).toThrow(expect.objectContaining({ code: "SPW_GUARD_BAD_VALUE", class: "usage" }));
});
