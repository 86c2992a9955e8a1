import { expect, test } from "vitest";
import { parseArrivals, parseDuration, parseHold, parseRate } from "./parse-laws.ts";

test.each([
  ["poisson:8", { kind: "poisson", rate: 8 }],
  ["Poisson:0.2/ms", { kind: "poisson", rate: 200 }],
  ["periodic:120/min", { kind: "periodic", rate: 2 }],
  [
    "mmpp:1@4s,0@250ms",
    { kind: "mmpp", phases: [{ rate: 1, meanDuration: 4 }, { rate: 0, meanDuration: 0.25 }] }, // biome-ignore format: a row
  ],
  [
    "bursty:2,4,1s",
    { kind: "mmpp", phases: [{ rate: 8, meanDuration: 1 }, { rate: 0, meanDuration: 3 }] }, // biome-ignore format: a row
  ],
  ["trace:a:b,c.txt", { kind: "file", path: "a:b,c.txt" }],
])("arrivals %s", (text, law) => {
  expect(parseArrivals(text)).toEqual(law);
});

test.each([
  ["exponential:1", { kind: "exponential", mean: 1 }],
  ["deterministic:20ms", { kind: "deterministic", mean: 0.02 }],
  ["lognormal:2", { kind: "lognormal", mean: 2, cv: 1 }],
  ["lognormal:1.5s,0.5", { kind: "lognormal", mean: 1.5, cv: 0.5 }],
  ["hyperexponential:250us", { kind: "hyperexponential", mean: 250e-6, cv: 2 }],
  ["hyperexponential:1e-3,4", { kind: "hyperexponential", mean: 1e-3, cv: 4 }],
  ["empirical:status.json", { kind: "file", path: "status.json" }],
  ["trace", { kind: "trace" }],
])("hold times %s", (text, law) => {
  expect(parseHold(text)).toEqual(law);
});

test.each([
  "",
  "poisson",
  "poisson:",
  "poisson:1,2",
  "poisson:1e",
  "poisson:0",
  "poisson:-1",
  "poisson:Infinity",
  "mmpp:",
  "mmpp:1",
])("no arrivals: %j", (text) => {
  expect(() => parseArrivals(text)).toThrow(expect.objectContaining({ code: "SPW_SIMULATE_BAD_VALUE" }));
});

test.each([
  "exponential",
  "exponential:",
  "exponential:1,2",
  "exponential:nan",
  "exponential:-1s",
  "exponential:1d",
  "trace:x",
  "x:1",
])("no hold times: %j", (text) => {
  expect(() => parseHold(text)).toThrow(expect.objectContaining({ code: "SPW_SIMULATE_BAD_VALUE" }));
});

test("units", () => {
  expect([parseDuration("2 ms", ""), parseDuration("1h", ""), parseRate("3/us", "")]).toEqual([0.002, 3600, 3 / 1e-6]);
});
