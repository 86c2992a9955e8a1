import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Diagnosis } from "@spillway/core";
import { afterAll, describe, expect, test } from "vitest";
import { openFiles } from "../src/io/open-files.ts";
import { run } from "../src/run.ts";
import { recorder } from "../src/testing/recorder.ts";

const SAMPLE = join(import.meta.dirname, "..", "..", "..", "samples", "stack-buffer-overflow-6.1.kdump");
const directory = mkdtempSync(join(tmpdir(), "spillway-next-"));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

async function spillway(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  const terminal = recorder();
  const code = await run(args, { terminal, open: openFiles });
  return { code, output: terminal.output(), errors: terminal.errors() };
}

const RELEASE = (version: string, ...changes: readonly string[]) =>
  `linux (${version}) bookworm; urgency=high\n\n${changes.map((change) => `  * ${change}\n`).join("")}\n` +
  ` -- A. Maintainer <a@example.org>  Sat, 14 Nov 2026 11:29:58 +0100\n\n`;
const CHANGELOG =
  RELEASE("6.1.193-1", "vandal: bound the copy in parse_value()", "vandal: speak softly", "ext4: fix") +
  RELEASE("6.1.192-2", "vandal: parse_value() of the kernel that crashed");

describe("diagnose --changelog", () => {
  test("lists what was changed about the culprit since", async () => {
    const { code, output } = await spillway(
      "diagnose",
      SAMPLE,
      "--json",
      "--changelog",
      file("c.gz", gzipSync(CHANGELOG)),
    );
    expect(code).toBe(0);
    const { changelog } = JSON.parse(output) as Diagnosis;
    expect(changelog).toMatchObject({ from: "6.1.192-2", to: "6.1.193-1", searched: 3, found: 2 });
    expect(changelog!.entries.map((entry) => entry.text)).toEqual([
      "vandal: bound the copy in parse_value()",
      "vandal: speak softly",
    ]);
  });

  test("says plainly in the report that there is nothing", async () => {
    const other = RELEASE("6.1.193-1", "ext4: fix") + RELEASE("6.1.192-2", "xfs: fix");
    const { output } = await spillway("diagnose", SAMPLE, "--changelog", file("other", other));
    expect(output.replaceAll(/\s+/g, " ")).toContain("None of 1 change after 6.1.192-2, up to 6.1.193-1");
  });

  test("a file that is none is refused", async () => {
    const { code, errors } = await spillway("diagnose", SAMPLE, "--changelog", file("prose", "nothing was changed\n"));
    expect(code).toBe(3);
    expect(errors).toContain("SPW_CHANGELOG_UNKNOWN_FORM");
  });
});

describe("the kernel's options", () => {
  test("sys --options tells them by signs", async () => {
    const { output } = await spillway("sys", SAMPLE, "--options");
    expect(output).toMatch(/^CONFIG_STACKPROTECTOR +yes +the kernel has __stack_chk_fail at 0x/m);
    expect(output).toMatch(/^CONFIG_KASAN +no +the kernel has no kasan_report$/m);
    expect(output).toMatch(/^CONFIG_FRAME_WARN +unknown$/m);
  });

  test("a configuration that is given goes before signs, and into the advice", async () => {
    const options = ["STACKPROTECTOR", "KASAN", "KASAN_STACK", "VMAP_STACK", "KPROBES", "MODULES", "NET", "PCI"];
    const config = file("config", options.map((option) => `CONFIG_${option}=y\n`).join(""));
    const { output } = await spillway("diagnose", SAMPLE, "--json", "--config", config);
    const { advice } = JSON.parse(output) as Diagnosis;
    expect(advice.join("\n")).toContain(`KASAN was on for stacks (CONFIG_KASAN_STACK=y in ${config})`);
  });
});
