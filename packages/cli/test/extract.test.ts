import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Diagnosis, diagnose, type PhysicalMemory, sameDiagnosis } from "@spillway/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFiles } from "../src/io/open-files.ts";
import { run } from "../src/run.ts";
import { recorder } from "../src/testing/recorder.ts";

const samples = join(import.meta.dirname, "..", "..", "..", "samples");
const folder = mkdtempSync(join(tmpdir(), "spillway-extract-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function extract(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  const terminal = recorder();
  const code = await run(["extract", ...args], { terminal, open: openFiles });
  return { code, output: terminal.output(), errors: terminal.errors() };
}

const diagnosisOf = (file: string): Diagnosis => diagnose(openFiles([file]).kernel, { path: file });

function presentPages(memory: PhysicalMemory): number[] {
  return [...memory.presentRanges()].flatMap(({ startPfn, endPfn }) =>
    Array.from({ length: endPfn - startPfn }, (_, i) => startPfn + i),
  );
}

/** `toEqual` on millions of bytes takes a minute. */
const isSame = (a: Uint8Array | null, b: Uint8Array | null): boolean =>
  a !== null && b !== null && Buffer.compare(a, b) === 0;

/** One from makedumpfile and one from QEMU, whose notes differ. */
describe.each(["stack-buffer-overflow-6.1.kdump", "stack-overflow-6.12-la57.kdump"])("an extract of %s", (name) => {
  const source = join(samples, name);
  const target = join(folder, name);
  let document: Record<string, unknown>;

  beforeAll(async () => {
    const { code, output, errors } = await extract(source, "-o", target, "--json");
    expect({ code, errors: errors.replace(/^note: .*\n/gm, "") }).toEqual({ code: 0, errors: "" });
    document = JSON.parse(output);
  });

  test("has the same diagnosis", () => {
    expect(sameDiagnosis(diagnosisOf(target), diagnosisOf(source))).toBe(true);
    expect(document.sameDiagnosis).toBe(true);
  });

  test("answers the other questions alike", async () => {
    for (const args of [["sys", "--json"], ["log"], ["ps"], ["mod"], ["bt", "-a"], ["bt", "-r"]]) {
      const [command, ...rest] = args as [string, ...string[]];
      const outputs = [];
      for (const file of [source, target]) {
        const terminal = recorder();
        await run([command, file, ...rest], { terminal, open: openFiles });
        outputs.push(terminal.output().replaceAll(file, "FILE"));
      }
      expect(outputs[1]).toBe(outputs[0]);
    }
  });

  test("holds pages of the source only, unchanged, and knows the others as left out", () => {
    const whole = openFiles([source]).kernel.image.memory;
    const small = openFiles([target]).kernel.image.memory;
    const kept = new Set(presentPages(small));
    expect(kept.size).toBe(document.pages);
    expect([...kept].filter((pfn) => !isSame(small.page(pfn), whole.page(pfn)))).toEqual([]);
    const left = presentPages(whole).filter((pfn) => !kept.has(pfn));
    expect(left.filter((pfn) => small.pageState(pfn) !== "excluded")).toEqual([]);
    expect(small.maxPfn).toBe(whole.maxPfn);
    expect([...small.ramRanges!()]).toEqual([...whole.ramRanges!()]);
  });

  test("carries notes, VMCOREINFO and what other readers want of the header", () => {
    const whole = openFiles([source]).kernel.image;
    const small = openFiles([target]).kernel.image;
    expect(small.rawNotes).toEqual(whole.rawNotes);
    expect(small.cpuNotes).toEqual(whole.cpuNotes);
    expect(small.vmcoreinfo).toBe(whole.vmcoreinfo);
    expect(small.header).toEqual({ ...whole.header, dumpLevel: 31 });
    expect(small.header).toMatchObject({ version: 6, machine: "x86_64", nodename: "(none)" });
  });
});

describe("what extract refuses", () => {
  const source = join(folder, "source.kdump");
  beforeAll(() => writeFileSync(source, readFileSync(join(samples, "stack-buffer-overflow-6.1.kdump"))));

  test("to replace a file unasked", async () => {
    const target = join(folder, "mine");
    writeFileSync(target, "mine");
    expect(await extract(source, "-o", target)).toMatchObject({
      code: 2,
      errors: expect.stringContaining("SPW_OUTPUT_EXISTS"),
    });
    expect(readFileSync(target, "utf8")).toBe("mine");
  });

  test.each(["its name", "another name"])("to replace the dump itself by %s", async (by) => {
    const target = by === "its name" ? source : join(folder, "link.kdump");
    if (target !== source) symlinkSync(source, target);
    const before = readFileSync(source);
    expect(await extract(source, "-o", target, "--force")).toMatchObject({
      code: 2,
      errors: expect.stringContaining("SPW_OUTPUT_IS_INPUT"),
    });
    expect(readFileSync(source).equals(before)).toBe(true);
  });

  test("a folder that is not there, and leaves nothing behind", async () => {
    const target = join(folder, "nowhere", "small.kdump");
    expect(await extract(source, "-o", target)).toMatchObject({
      code: 5,
      errors: expect.stringContaining("SPW_OUTPUT_FAILED"),
    });
    expect(existsSync(target)).toBe(false);
  });

  test("a dump without a kernel, and leaves nothing behind", async () => {
    const cut = join(folder, "cut.kdump");
    writeFileSync(cut, readFileSync(source).subarray(0, 300_000));
    const before = readdirSync(folder);
    const { code, errors } = await extract(cut, "-o", join(folder, "small.kdump"));
    expect({ code, errors }).toEqual({ code: expect.any(Number), errors: expect.stringMatching(/SPW_/) });
    expect(code).toBeGreaterThan(0);
    expect(errors).not.toContain("SPW_INTERNAL");
    expect(readdirSync(folder)).toEqual(before);
  });
});
