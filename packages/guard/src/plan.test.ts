import { expect, test } from "vitest";
import { parameterWords } from "./module-parameters.ts";
import { parsePlan, requirePlanFor, withLoadedPoints } from "./plan.ts";

const PLAN = {
  schema: "spillway/plan@1",
  kernel: { release: "6.1.0-57-amd64" },
  thresholdBytes: 9000,
  points: [
    { name: "vfs_write", returns: "long" },
    { name: "do_filp_open", returns: "pointer" },
    { name: "notify_change", returns: "int" },
    { name: "submit_bio_noacct", returns: "bio" },
  ],
};

test("a plan becomes the module's parameters", () => {
  const plan = parsePlan(JSON.stringify(PLAN));
  expect([plan.release, plan.unfixable]).toEqual(["6.1.0-57-amd64", 0]);
  expect(parsePlan(JSON.stringify({ ...PLAN, unfixableCounts: { coarse: 2, start: 1 } })).unfixable).toBe(3);
  expect(parameterWords(plan.parameters)).toEqual([
    "threshold=9000",
    "points=vfs_write:int,do_filp_open:ptr,notify_change:int,submit_bio_noacct:bio",
  ]);
});

test.each([
  [9000, 9000],
  [12288, 12288],
  [13360, 12288],
])("a threshold of %d on stacks of 16 KiB becomes %d: the module leaves a page", (thresholdBytes, expected) => {
  const plan = parsePlan(JSON.stringify({ ...PLAN, stackBytes: 16384, thresholdBytes }));
  expect(plan.parameters.thresholdBytes).toBe(expected);
});

test.each([
  ["{", "it is not JSON"],
  ["[]", "it is no JSON object"],
  ["{}", "its schema is not given, and spillway/plan@1 is wanted"],
  [JSON.stringify({ ...PLAN, schema: "spillway/budget@1" }), "its schema is spillway/budget@1, and"],
  [JSON.stringify({ ...PLAN, kernel: { release: null } }), "it does not say for which kernel it is"],
  [JSON.stringify({ ...PLAN, thresholdBytes: -1 }), "thresholdBytes is no number of bytes"],
  [JSON.stringify({ ...PLAN, thresholdBytes: "9000" }), "thresholdBytes is no number of bytes"],
  [JSON.stringify({ ...PLAN, points: [] }), "it has no points, since what it bounds needs none"],
  [JSON.stringify({ ...PLAN, points: "all" }), "it has no points"],
  [JSON.stringify({ ...PLAN, points: [{ name: "a,b", returns: "int" }] }), "a point has no name, or one that is no"],
  [JSON.stringify({ ...PLAN, points: [{ name: "x stacks=9", returns: "int" }] }), "a point has no name, or one that"],
  [JSON.stringify({ ...PLAN, points: [{ name: "schedule", returns: "void" }] }), "schedule returns neither int"],
  [JSON.stringify({ ...PLAN, points: [{ name: "schedule", returns: "toString" }] }), "schedule returns neither int"],
  [JSON.stringify({ ...PLAN, points: [{ name: "show", returns: "int", sameName: 2 }] }), "3 functions are called show"],
  [JSON.stringify({ ...PLAN, points: Array(64).fill(PLAN.points[0]) }), "it has 64 points; the module takes 63"],
])("refuses %.70s", (text, message) => {
  expect(() => parsePlan(text)).toThrow(`this is no plan for the guard: ${message}`);
});

test("a plan is for one kernel", () => {
  const plan = parsePlan(JSON.stringify(PLAN));
  requirePlanFor(plan, "6.1.0-57-amd64");
  expect(() => requirePlanFor(plan, "6.1.0-58-amd64")).toThrow(
    "the plan is for kernel 6.1.0-57-amd64, this is 6.1.0-58",
  );
});

test("points in modules that are not loaded are left out", () => {
  const mine = { name: "mine_write", module: "mine", returns: "long" };
  const yours = { name: "yours_open", module: "yours", returns: "int" };
  const points = [{ name: "vfs_write", module: null, returns: "long" }, mine, yours];
  const plan = parsePlan(JSON.stringify({ ...PLAN, points }));
  const { plan: loaded, left } = withLoadedPoints(plan, (module) => module === "mine");
  expect(loaded.parameters.points).toEqual(["vfs_write:int", "mine_write:int"]);
  expect(left).toEqual(["yours_open [yours]"]);
  const all = parsePlan(JSON.stringify({ ...PLAN, points: [mine, yours] }));
  expect(() => withLoadedPoints(all, () => false)).toThrow("all its points lie in modules that are not loaded");
});
