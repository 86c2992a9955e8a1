import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBudget, knownGraph } from "@spillway/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { analyseProgram } from "../../../core/src/budget/analyse-program.ts";
import { tinyProgram } from "../../../core/src/budget/tiny-program.fixture.ts";
import { graphCache } from "./graph-cache.ts";

const { program } = tinyProgram({ functions: { f: "e8 .. .. .. ..  call g\nc3  ret", g: "c3  ret" } });
const GRAPH = knownGraph(createBudget(program, analyseProgram(program)));

let base: string;
let folder: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "spillway-graphs-"));
  folder = join(base, "cache", "graphs");
  for (const name of ["one", "two", "three"]) writeFileSync(join(base, name), name);
});
afterEach(() => rmSync(base, { recursive: true }));

const files = (input: string) => ({ input: join(base, input), modules: [], debuginfo: [] });
const keptFile = (): string => join(folder, readdirSync(folder)[0] as string);

function damage(change: (bytes: Buffer) => Buffer): void {
  writeFileSync(keptFile(), change(readFileSync(keptFile())));
}

describe("a graph that was kept", () => {
  test.each<[string, () => void, boolean]>([
    ["is found again", () => {}, true],
    ["is not, once its file has changed", () => writeFileSync(join(base, "one"), "other"), false],
    [
      "is not, where a bit of it has changed",
      () => damage((bytes) => bytes.fill(0xff, bytes.length - 9, bytes.length - 8)),
      false,
    ],
    ["is not, where it is cut short", () => damage((bytes) => bytes.subarray(0, -1)), false],
    ["is not, where nothing is left of it", () => damage(() => Buffer.alloc(0)), false],
    ["is not, where it was removed", () => rmSync(folder, { recursive: true }), false],
  ])("%s", (_, happens, found) => {
    graphCache(folder, "v1")(files("one")).keep(GRAPH);
    happens();
    expect(graphCache(folder, "v1")(files("one")).find()).toEqual(found ? GRAPH : null);
  });

  test.each([
    ["other files", "v1", files],
    ["the same with modules", "v1", (name: string) => ({ ...files(name), modules: [base] })],
    ["the same with debug information", "v1", (name: string) => ({ ...files(name), debuginfo: [files(name).input] })],
    ["the same, by another version", "v2", files],
  ])("is not taken for %s", (what, version, other) => {
    graphCache(folder, "v1")(files("one")).keep(GRAPH);
    expect(graphCache(folder, version)(other(what === "other files" ? "two" : "one")).find()).toBeNull();
  });
});

test("what changed while it was read is not kept", () => {
  const keeper = graphCache(folder, "v1")(files("one"));
  writeFileSync(join(base, "one"), "changed");
  keeper.keep(GRAPH);
  expect(existsSync(folder)).toBe(false);
});

test("the least recently used ones go when all take too much", () => {
  const of = (name: string, most?: number) => graphCache(folder, "v1", most)(files(name));
  /** As if it had been used so many seconds after 1970. */
  const keptAt = (name: string, seconds: number): number => {
    const before = new Set(existsSync(folder) ? readdirSync(folder) : []);
    of(name).keep(GRAPH);
    const fresh = join(folder, readdirSync(folder).find((file) => !before.has(file)) as string);
    utimesSync(fresh, seconds, seconds);
    return readFileSync(fresh).length;
  };
  const bytes = keptAt("one", 1);
  keptAt("two", 2);
  // Looking at it is using it.
  expect(of("one").find()).not.toBeNull();
  of("three", 2.5 * bytes).keep(GRAPH);
  expect(["one", "two", "three"].map((name) => of(name).find() !== null)).toEqual([true, false, true]);
});

test.runIf(process.geteuid?.() === 0)("a folder of another user is left alone", () => {
  const keeper = graphCache(folder, "v1")(files("one"));
  keeper.keep(GRAPH);
  chownSync(folder, 65534, 65534);
  expect(keeper.find()).toBeNull();
  graphCache(folder, "v1")(files("two")).keep(GRAPH);
  expect(readdirSync(folder)).toHaveLength(1);
});

test("nothing fails where it cannot be kept", () => {
  writeFileSync(join(base, "cache"), "a file where the folder would be");
  const keeper = graphCache(folder, "v1")(files("one"));
  keeper.keep(GRAPH);
  expect(keeper.find()).toBeNull();
});
