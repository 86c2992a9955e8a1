import { expect, test } from "vitest";
import { run } from "../../run.ts";
import { recorder } from "../../testing/recorder.ts";

async function ran(line: string) {
  const terminal = recorder();
  const open = () => {
    throw new Error("no dump is opened");
  };
  const code = await run(["simulate", ...line.split(" ")], { terminal, open });
  return { code, output: terminal.output(), errors: terminal.errors() };
}

const TWO_ERLANG = "--stacks 5 --arrivals poisson:2 --hold exponential:1 --events 200k";

test("--json prints the probability of a refusal with its interval, and the same again for the same seed", async () => {
  const { code, output } = await ran(`${TWO_ERLANG} --seed 42 --json`);
  expect(code).toBe(0);
  const { refusal } = JSON.parse(output);
  expect(refusal.ci99[0]).toBeLessThan(0.0367);
  expect(refusal.ci99[1]).toBeGreaterThan(0.0367);
  expect(refusal.probability).toBeCloseTo(0.0367, 2);
  expect((await ran(`${TWO_ERLANG} --seed 42 --json`)).output).toBe(output);
  expect((await ran(`${TWO_ERLANG} --seed 43 --json`)).output).not.toBe(output);
});

test("for people: what is refused, beside the formula, and how many stacks are in use for how long", async () => {
  const { output } = await ran(TWO_ERLANG);
  expect(output).toMatch(/^ {2}refused {4}3\.\d+ % \(99 %: 3\.\d+ % to 3\.\d+ %\): /m);
  expect(output).toMatch(/^ {2}Erlang B {3}3\.67 % by the formula$/m);
  expect(output).toMatch(/^ {7}5 +3\.\d+ % {2}█+$/m);
});

test.each([
  ["--stacks 5 --hold exponential:1", "SPW_USAGE: required option '--arrivals <law>' not specified"],
  ["--arrivals poisson:2 --hold exponential:1", "SPW_USAGE: required option '--stacks <n>' not specified"],
  ["--stacks 5 --arrivals poisson:-2 --hold exponential:1", 'SPW_SIMULATE_BAD_VALUE: arrivals: "-2" is not a rate'],
  ["--stacks 5 --arrivals poisson:NaN --hold exponential:1", 'SPW_SIMULATE_BAD_VALUE: arrivals: "NaN" is not a rate'],
  ["--stacks 5 --arrivals poisson:2 --hold exponential:0", 'SPW_SIMULATE_BAD_VALUE: hold time: "0" is not a time'],
  ["--stacks 5 --arrivals poisson:2 --hold gamma:1", 'SPW_SIMULATE_BAD_VALUE: hold time: "gamma" is no law'],
  ["--stacks 1e9 --arrivals poisson:2 --hold exponential:1", "SPW_SIMULATE_BAD_VALUE: stacks: a whole number from 0"],
  [`${TWO_ERLANG} --events 1e15`, "SPW_SIMULATE_BAD_VALUE: events: a whole number from 1000 to 1000000000"],
  [`${TWO_ERLANG} --seed -1`, "SPW_USAGE: option '--seed <n>' argument '-1' is invalid"],
  [`${TWO_ERLANG} --nest 0.99`, "SPW_SIMULATE_BAD_VALUE: the probability of nesting: a number from 0 to 0.9"],
  [`${TWO_ERLANG} --sleep 0.5`, 'SPW_SIMULATE_BAD_VALUE: sleep: "0.5" should be PROBABILITY:LAW'],
  [
    "--stacks 5 --arrivals poisson:2 --hold hyperexponential:1,0.5",
    "SPW_SIMULATE_BAD_VALUE: a hyperexponential hold time",
  ],
  ["--stacks 5 --arrivals mmpp:1@1ns,0@1ns --hold exponential:1", "SPW_SIMULATE_BAD_VALUE: the phases are so short"],
  ["--stacks 5 --arrivals bursty:2,1,1 --hold exponential:1", "SPW_SIMULATE_BAD_VALUE: peak: bursts bring more than"],
  ["--stacks 5 --arrivals poisson:2 --hold trace", "SPW_SIMULATE_BAD_VALUE: hold times out of a trace need arrivals"],
  ["--stacks 5 --tasks 4 --arrivals periodic:2 --hold exponential:1", "SPW_SIMULATE_BAD_VALUE: with a number of tasks"],
])("spillway simulate %s is refused", async (line, message) => {
  const { code, output, errors } = await ran(line);
  expect(errors).toContain(`spillway: ${message}`);
  expect(code).toBe(2);
  expect(output).toBe("");
});

test("--help has examples that run as they are", async () => {
  const { output } = await ran("--help");
  const examples = [...output.matchAll(/^ {2}spillway simulate (--.*)$/gm)].map(([, line]) => line!);
  expect(examples.length).toBeGreaterThan(2);
  for (const example of examples) expect((await ran(`${example} --events 2000`)).code).toBe(0);
});
