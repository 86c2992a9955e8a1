import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseModel } from "@spillway/core";
import { expect, test } from "vitest";
import { run } from "../src/run.ts";
import { recorder } from "../src/testing/recorder.ts";

const docs = join(import.meta.dirname, "..", "..", "..", "docs");
const read = (name: string): string => readFileSync(join(docs, name), "utf8");

async function printed(command: string): Promise<string> {
  const terminal = recorder();
  await run(command.split(" ").slice(1), {
    terminal,
    open: () => {
      throw new Error("check opens no dump");
    },
  });
  return terminal.output();
}

const sessions = [...read("check.md").matchAll(/^```console\n\$ (spillway check .*)\n([\s\S]*?)^```/gm)];

test("docs/check.md shows sessions", () => expect(sessions).toHaveLength(2));

test.each(sessions.map(([, command, output]) => [command!, output!]))("docs/check.md: %s", async (command, output) => {
  const [shown, cut] = output.split("…\n");
  const whole = await printed(command);
  if (cut === undefined) expect(whole).toBe(shown);
  else expect(whole.startsWith(shown!)).toBe(true);
});

test.each([
  ["spillway check rfc-sleep", "3 steps"],
  ["spillway check xfs-2012", "6 steps"],
  ["spillway check xfs-2012", "for 3 tasks allocator, 1 lock, 2 workers of xfs_alloc_wq"],
  ["spillway check xfs-2023", "2 steps"],
  ["spillway check rfc-sleep-fixed --stacks 1", "Holds"],
  ["spillway check rfc-eio --tasks writer=8,flusher=2 --stacks 4", "1,305 distinct"],
  ["spillway check rfc-sleep --no-symmetry --continue", "210 states generated, 119 distinct"],
])("%s: %s, as the pages say", async (command, expected) => {
  expect((await printed(command)).replaceAll(/\s+/g, " ")).toContain(expected);
});

test("the models in docs/check-models.md can be read", () => {
  const blocks = [...read("check-models.md").matchAll(/^```(json)?\n([\s\S]*?)^```/gm)].map(([, , text]) => text!);
  const models = blocks.filter((text) => text.includes("stacks"));
  expect(models).toHaveLength(2);
  for (const model of models) expect(parseModel(model).tasks.length).toBeGreaterThan(0);
});
