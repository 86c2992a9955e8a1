/**
 * `check` against SPIN (Debian's package `spin`) on the same models: the same verdict, as many distinct states and as many
 * transitions. Reductions are off on both sides: identical tasks are kept apart here, partial orders there (NOREDUCE).
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CheckDocument, checkModel, type Model, PRESETS, parseModel, toPromela } from "@spillway/core";
import { runProgram } from "@spillway/guard";
import { ensureSpin, silent } from "@spillway/lab";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyModel } from "../../core/src/pool/check/random-models.fixture.ts";

/** A larger model takes the compiled verifier longer than its compilation. Distinct states. */
const LARGEST = 20_000;
const RANDOM = { seed: 2007, models: 12 };

let folder: string;

beforeAll(async () => {
  await ensureSpin(silent);
  folder = await mkdtemp(join(tmpdir(), "spillway-spin-"));
});
afterAll(() => rm(folder, { recursive: true }));

interface Counts {
  readonly fails: boolean;
  readonly distinct: number;
  readonly states: number;
}

/** Runs SPIN through all states of a model, on past every error. */
async function spin(model: Model): Promise<Counts> {
  await writeFile(join(folder, "model.pml"), toPromela(model));
  const run = async (program: string, ...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await runProgram(program, args, { cwd: folder });
    if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr || stdout}`);
    return stdout;
  };
  // -o2: variables that are written and never read are part of a state all the same.
  await run("spin", "-o2", "-a", "model.pml");
  await run("gcc", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c");
  const stdout = await run(join(folder, "pan"), "-c0", "-m100000", "-w18");
  const figure = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? Number.NaN);
  return {
    fails: figure(/errors: (\d+)/) > 0,
    distinct: figure(/(\d+) states, stored/),
    states: figure(/(\d+) transitions/),
  };
}

/** What SPIN can find of what we ask: that there is a way back to nothing held from every state is no safety property. */
function ours(model: Model): Counts & { readonly document: CheckDocument } {
  const document = checkModel(model, { symmetry: false, keepGoing: true, bounds: { states: LARGEST } });
  const { reason, distinct, states, verdict } = document;
  const isSafety = !/^(from here on|some tasks can never|no state is like that)/.test(reason ?? "");
  return { document, distinct, states, fails: verdict !== "holds" && isSafety };
}

test.each(PRESETS)("$name", async ({ text }) => {
  const model = parseModel(text);
  const { document, ...counts } = ours(model);
  expect(document.verdict).not.toBe("incomplete");
  expect(await spin(model)).toEqual(counts);
});

test(`${RANDOM.models} arbitrary models, some of which fail`, async () => {
  const models = fc
    .sample(anyModel, { seed: RANDOM.seed, numRuns: 60 })
    .filter((model) => ours(model).distinct > 50 && ours(model).distinct < LARGEST)
    .slice(0, RANDOM.models);
  const outcomes = new Set<boolean>();
  for (const model of models) {
    const { document, ...counts } = ours(model);
    outcomes.add(document.verdict === "holds");
    expect(await spin(model), JSON.stringify(model.tasks)).toEqual(counts);
  }
  expect(models).toHaveLength(RANDOM.models);
  expect(outcomes.size).toBe(2);
});
