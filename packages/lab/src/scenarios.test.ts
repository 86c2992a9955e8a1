import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scenarioNamed, scenarios } from "./scenarios.ts";

const folder = join(import.meta.dirname, "..", "module");
const sources = readdirSync(folder)
  .filter((name) => name.endsWith(".c"))
  .map((name) => readFileSync(join(folder, name), "utf8"));

/** The names in the tables of the module: `{ "name", start_function },`. */
const inModule = sources.flatMap((text) => [...text.matchAll(/\{ "([\w-]+)", (\w+) \}/g)]);

describe("the table of scenarios", () => {
  test("names each of the module's, and no other", () => {
    const triggered = scenarios.filter(({ trigger }) => trigger.endsWith("/proc/vandal"));
    expect(triggered.map(({ name }) => name).sort()).toEqual(inModule.map(([, name]) => name).sort());
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  });

  test("has the start function that the module has, where the chain goes through it", () => {
    // What crashes is another task than the one that started it.
    const elsewhere = ["hung-task", "reference-elsewhere", "null-in-timer"];
    for (const [, name, start] of inModule) {
      if (!elsewhere.includes(name!)) expect(scenarioNamed(name!).expected.chain, name).toContain(start);
    }
  });

  test.each(scenarios.map((scenario) => [scenario.name, scenario.expected] as const))(
    "%s makes sense",
    (_name, truth) => {
      const overflow = truth.verdict === "stack-overflow" || truth.verdict === "irq-stack-overflow";
      expect(truth.cause !== null).toBe(overflow);
      expect(truth.cycle.length > 0).toBe(truth.cause === "recursion");
      for (const name of truth.inferred) expect(truth.chain).toContain(name);
      for (const name of truth.absent) expect(truth.chain).not.toContain(name);
      if (truth.module === "vandal") {
        // A LAYER(…) in layers.c defines its function by a macro.
        const defined = (name: string): boolean =>
          sources.some((text) => new RegExp(`\\b${name}\\(|LAYER\\(${name},`).test(text));
        for (const name of [...truth.culprits, ...truth.cycle, ...truth.absent]) expect(defined(name), name).toBe(true);
      }
    },
  );

  test("an unknown name is a usage error", () => {
    expect(() => scenarioNamed("nope")).toThrowError(expect.objectContaining({ code: "SPW_LAB_NO_SCENARIO" }));
  });
});
