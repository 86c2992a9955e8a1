import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type ReportOptions, reportTarget } from "./report-options.ts";

const directory = mkdtempSync(join(tmpdir(), "spillway-report-"));
const dump = join(directory, "vmcore");
const page = join(directory, "old.html");
writeFileSync(dump, "KDUMP   ");
writeFileSync(page, "<!doctype html>");
afterAll(() => rmSync(directory, { recursive: true }));

describe("where a report goes", () => {
  const cases: [string, string[], ReportOptions, string[], string, string | null][] = [
    ["nothing asked", ["a"], {}, ["a"], "text", null],
    ["--json", ["a"], { json: true }, ["a"], "json", null],
    ["--html", ["a"], { html: true }, ["a"], "html", null],
    ["--html FILE", ["a"], { html: "new.html" }, ["a"], "html", "new.html"],
    ["--html with a name without an ending", ["a"], { html: "report" }, ["a"], "html", "report"],
    ["--html before the dump", [], { html: dump }, [dump], "html", null],
    ["--html before a set of dumps", ["b"], { html: dump }, [dump, "b"], "html", null],
    ["--html with a page that is there", ["a"], { html: page }, ["a"], "html", page],
    ["--html before standard input", [], { html: "-" }, ["-"], "html", null],
    ["--markdown FILE", ["a"], { markdown: "new.md" }, ["a"], "markdown", "new.md"],
    ["--markdown with a page that is there", [], { markdown: page }, [page], "markdown", null],
    ["-o, told by its ending", ["a"], { output: "r.HTML" }, ["a"], "html", "r.HTML"],
    ["-o, Markdown", ["a"], { output: "r.md" }, ["a"], "markdown", "r.md"],
    ["-o, JSON", ["a"], { output: "r.json" }, ["a"], "json", "r.json"],
    ["-o, anything else", ["a"], { output: "r.txt" }, ["a"], "text", "r.txt"],
    ["-o against its ending", ["a"], { output: "r.txt", html: true }, ["a"], "html", "r.txt"],
  ];
  it.each(cases)("%s", (_name, named, options, files, form, output) => {
    const { files: all, target } = reportTarget(named, options);
    expect([all, target.form, target.output]).toEqual([files, form, output]);
  });

  it("is named once", () => {
    expect(() => reportTarget(["a"], { html: "new.html", output: "other.html" })).toThrow("two files to write");
  });
});
