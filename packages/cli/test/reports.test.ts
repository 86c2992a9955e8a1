import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Diagnosis, StackMap } from "@spillway/core";
import { parse } from "parse5";
import { describe, expect, test } from "vitest";
import { openFiles } from "../src/io/open-files.ts";
import { run } from "../src/run.ts";
import { recorder } from "../src/testing/recorder.ts";

const folder = join(import.meta.dirname, "..", "..", "..", "samples");

async function spillway(...args: string[]): Promise<string> {
  const terminal = recorder();
  const code = await run(args, { terminal, open: openFiles });
  expect({ code, errors: terminal.errors() }).toEqual({ code: 0, errors: "" });
  return terminal.output();
}

function embedded<T>(page: string, id: string): T {
  const [, json] = new RegExp(`<script type="application/json" id="${id}">(.*?)</script>`).exec(page)!;
  return JSON.parse(json!) as T;
}

describe.each(["stack-buffer-overflow-6.1.kdump", "stack-overflow-6.12-la57.kdump"])("the page of %s", (name) => {
  const file = join(folder, name);
  let page = "";
  let diagnosis: Diagnosis;
  let map: StackMap;

  test("is valid, and holds the document that --json prints", async () => {
    page = await spillway("diagnose", "--html", file);
    const errors: string[] = [];
    parse(page, { onParseError: ({ code }) => errors.push(code) });
    expect(errors).toEqual([]);
    diagnosis = embedded<Diagnosis>(page, "spillway-diagnosis");
    expect(diagnosis).toEqual(JSON.parse(await spillway("diagnose", file, "--json")));
  });

  test("maps every byte of every stack, and every frame", () => {
    map = embedded<StackMap>(page, "spillway-stack-map");
    for (const stack of map.stacks) {
      for (const [index, region] of stack.regions.entries()) {
        const next = stack.regions[index + 1];
        expect(region.end).toBe(next === undefined ? stack.high : next.start);
      }
      const words = stack.regions.flatMap((region) => region.words).reduce((sum, word) => sum + word.count, 0);
      expect(BigInt(words) * 8n).toBe(BigInt(stack.high) - BigInt(stack.low));
    }
    const mapped = new Set(map.stacks.flatMap((stack) => stack.regions.map((region) => region.frame)));
    expect(diagnosis.frames.filter((frame, index) => !frame.inlined && !mapped.has(index))).toEqual([]);
    expect(map.stacks.filter((stack) => stack.verdict)).toHaveLength(1);
  });

  test("says of each word that is wrong what it should be, and of no other", () => {
    const bad = map.stacks.flatMap((stack) =>
      stack.regions.flatMap((one) => one.words.filter((word) => word.state === "bad")),
    );
    const { corruption } = diagnosis;
    // An overflow may take the end marker with it; nothing else is wrong on that stack.
    const outside = bad.filter((word) => word.damage === null && word.kind !== "end-marker");
    expect(outside).toEqual([]);
    const canary = bad.find((word) => word.kind === "canary");
    expect(canary?.address ?? null).toBe(corruption?.canary?.slot ?? null);
    expect(canary?.expected ?? null).toBe(corruption?.canary?.expected ?? null);
  });
});

test("the shell runs a script on a sample, and does not open it again for each command", async () => {
  const terminal = recorder();
  let opened = 0;
  const open = (files: readonly string[]) => {
    opened++;
    return openFiles(files);
  };
  const file = join(folder, "stack-buffer-overflow-6.1.kdump");
  const code = await run(["shell", file, "-c", "sys; set 1; bt; nonsense; diagnose --markdown; sym nowhere"], {
    terminal,
    open,
  });
  expect(code).toBe(4);
  expect(opened).toBe(1);
  expect(terminal.output()).toMatch(
    /RELEASE: 6\.1\.[\s\S]*PID: 1\n COMMAND: "init"[\s\S]*PID: 1 .*COMMAND: "init"[\s\S]*# Stack buffer overflow/,
  );
  expect(terminal.errors()).toMatch(/unknown command 'nonsense'[\s\S]*SPW_SYMBOL_UNKNOWN/);
});

test("the picture in the README is small enough for a page", () => {
  const picture = readFileSync(join(folder, "..", "docs", "images", "report.png"));
  expect(picture.length).toBeLessThan(200 * 1024);
});
