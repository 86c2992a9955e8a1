import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  [`${TWO_ERLANG} --points vfs_read`, "SPW_USAGE: --points is for --arrivals trace:FILE"],
  [`${TWO_ERLANG} --stack-bytes 5000`, "SPW_USAGE: option '--stack-bytes <n>' argument '5000' is invalid"],
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

test("size finds the smallest pool, sweep draws the curve", async () => {
  const two = "--arrivals poisson:2 --hold exponential:1 --events 300k";
  const size = await ran(`size --target 1e-2 ${two}`);
  expect(size.output).toMatch(/^ {2}stacks {3}7, 116 KiB of memory: by the Erlang B formula/m);
  expect(JSON.parse((await ran(`size --target 1e-2 ${two} --json`)).output)).toMatchObject({ stacks: 7 });
  const sweep = await ran(`sweep --stacks 1..6 ${two}`);
  expect(sweep.output).toMatch(/^ {7}5 +3\.\d+ % {2}3\.\d+ % to \d\.\d+ % +3\.67 %/m);
  expect(sweep.output).toMatch(/^ {2}0\.01┤.*┗/m);
  expect(JSON.parse((await ran(`sweep --stacks 1..6 ${two} --json`)).output).points).toHaveLength(6);
});

test("sweep --html writes a page that needs nothing else, and never over another file unasked", async () => {
  const folder = mkdtempSync(join(tmpdir(), "spillway-sweep-"));
  const file = join(folder, "pool.html");
  const line = `sweep --stacks 1..4 --arrivals poisson:2 --hold exponential:1 --events 20k --html ${file}`;
  expect((await ran(line)).output).toContain(`written: ${file}`);
  const page = readFileSync(file, "utf8");
  expect(page).not.toMatch(/(?:src|href)=|url\(/);
  expect(page).toContain(
    "spillway simulate sweep --stacks 1..4 --arrivals poisson:2 --hold exponential:1 --events 20000 --seed 1",
  );
  expect(page).toContain("<td>66.7 %</td>");
  expect((await ran(line)).errors).toContain("SPW_OUTPUT_EXISTS");
  rmSync(folder, { recursive: true });
});

test("arrivals and hold times out of files", async () => {
  const folder = mkdtempSync(join(tmpdir(), "spillway-trace-"));
  const [trace, hold] = [join(folder, "trace"), join(folder, "hold_ns")];
  const line = (time: string, what: string) => `  cat-1  [000] .....  ${time}: ${what}\n`;
  writeFileSync(
    trace,
    line("1.0", "p: (vfs_read+0x0/0x3f0)") +
      line("1.5", "p: (vfs_write+0x0/0x3f0)") +
      line("3.0", "r: (ksys_read+0x6b/0xf0 <- vfs_read)"),
  );
  writeFileSync(hold, "1073741824 3\n");
  const one = await ran(`--stacks 1 --arrivals trace:${trace} --hold trace --json`);
  expect(JSON.parse(one.output)).toMatchObject({ run: { attempts: 1 }, refusal: { count: 0 }, holds: { mean: 2 } });
  const two = await ran(`--stacks 1 --arrivals trace:${trace} --hold empirical:${hold} --json`);
  expect(JSON.parse(two.output)).toMatchObject({ run: { attempts: 2 }, refusal: { count: 1 } });
  const none = await ran(`--stacks 1 --arrivals trace:${trace} --points vfs_fsync --hold trace`);
  expect(none).toMatchObject({ code: 3 });
  expect(none.errors).toContain("SPW_SIMULATE_BAD_FILE");
  rmSync(folder, { recursive: true });
});

test("guard puts a module's counters beside the model", async () => {
  const folder = mkdtempSync(join(tmpdir(), "spillway-counts-"));
  const file = join(folder, "status.json");
  const status = {
    total: 2,
    switches: 800,
    refusals: 200,
    highWater: 2,
    hold: [{ atLeastNs: 1_000_000, count: 800 }],
    occupancy: [
      { stacks: 1, count: 400 },
      { stacks: 2, count: 400 },
    ],
  };
  writeFileSync(file, JSON.stringify(status));
  // One erlang and two stacks: Erlang B is 1/5, and half of the switches find a stack in use.
  const { output } = await ran(`guard ${file} --events 200k`);
  expect(output).toMatch(/^ {2}load {5}1 erlang: 693 calls a second, by the stacks that calls met$/m);
  expect(output).toMatch(/^ {2}refused +20 % +\S+ % to \S+ % +\S+ % +\S+ % to \S+ %$/m);
  expect(output).toContain("The counts fit Poisson arrivals at the load that calls met");
  expect(JSON.parse((await ran(`guard ${file} --over 10s --json`)).output)).toMatchObject({ verdict: "more" });
  writeFileSync(file, JSON.stringify({ ...status, switches: 0 }));
  expect((await ran(`guard ${file}`)).errors).toContain(
    "SPW_SIMULATE_BAD_FILE: the module has counted no switches yet",
  );
  rmSync(folder, { recursive: true });
});

test.each([
  ["size --arrivals poisson:2 --hold exponential:1", "SPW_USAGE: required option '--target <p>' not specified"],
  ["size --target 2 --arrivals poisson:2 --hold exponential:1", "SPW_SIMULATE_BAD_VALUE: the target is a probability"],
  [
    "sweep --stacks 5 --arrivals poisson:2 --hold exponential:1",
    'SPW_SIMULATE_BAD_VALUE: stacks: "5" should be FROM..TO',
  ],
])("spillway simulate %s is refused", async (line, message) => {
  const { code, errors } = await ran(line);
  expect(errors).toContain(`spillway: ${message}`);
  expect(code).toBe(2);
});

test.each(["size", "sweep"])("%s --help has examples that run as they are", async (command) => {
  const { output } = await ran(`${command} --help`);
  const examples = [...output.matchAll(/^ {2}spillway simulate (\w+ --.*)$/gm)].map(([, line]) => line!);
  expect(examples.length).toBeGreaterThan(1);
  for (const example of examples) {
    const line = example.replace(/ --html \S+/, "");
    expect((await ran(`${line} --events 2000`)).code).toBe(0);
  }
});

test("--help has examples that run as they are", async () => {
  const { output } = await ran("--help");
  const examples = [...output.matchAll(/^ {2}spillway simulate (--.*)$/gm)].map(([, line]) => line!);
  expect(examples.length).toBeGreaterThan(2);
  for (const example of examples) expect((await ran(`${example} --events 2000`)).code).toBe(0);
});
