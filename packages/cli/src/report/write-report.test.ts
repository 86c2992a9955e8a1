import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { BUFFER_OVERFLOW } from "../testing/diagnoses.ts";
import { recorder } from "../testing/recorder.ts";
import type { ReportForm } from "./report-options.ts";
import { writeReport } from "./write-report.ts";

const directory = mkdtempSync(join(tmpdir(), "spillway-report-"));
afterAll(() => rmSync(directory, { recursive: true }));

const subject = { diagnosis: BUFFER_OVERFLOW, kernel: null, files: ["console.log"] };
const failure = (act: () => void): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  return null;
};

describe("a report", () => {
  const FORMS: [ReportForm, RegExp][] = [
    ["text", /^\n {2}Stack buffer overflow/],
    ["json", /^\{\n {2}"schema"/],
    ["html", /^<!doctype html>/],
    ["markdown", /^# Stack buffer overflow/],
  ];
  it.each(FORMS)("is written to a pipe as it is: %s", (form, start) => {
    const terminal = recorder({ color: true });
    writeReport(subject, { form, output: null, replace: false }, terminal);
    expect(stripVTControlCharacters(terminal.output())).toMatch(start);
  });

  it.each(FORMS)("goes into a file without colours, and the terminal tells where: %s", (form, start) => {
    const output = join(directory, `report-${form}`);
    const terminal = recorder({ color: true });
    writeReport(subject, { form, output, replace: false }, terminal);
    expect(readFileSync(output, "utf8")).toMatch(start);
    expect(readFileSync(output, "utf8")).not.toContain("\u001b");
    expect(terminal.output()).toMatch(
      /report-\w+: Stack buffer overflow in parse_packet \[vandal\] \(certain\); [\d,]+ bytes\n$/,
    );
  });

  it("names the command that made it", () => {
    const terminal = recorder();
    writeReport({ ...subject, files: ["it's here"] }, { form: "markdown", output: null, replace: false }, terminal);
    expect(terminal.output()).toContain("`spillway diagnose 'it'\\''s here'`");
  });

  it("replaces a file only when told to, and never what it reads", () => {
    const output = join(directory, "there.html");
    writeFileSync(output, "old");
    const target = { form: "html" as const, output };
    const terminal = recorder();
    expect(failure(() => writeReport(subject, { ...target, replace: false }, terminal))).toMatchObject({
      code: "SPW_OUTPUT_EXISTS",
    });
    const own = { ...subject, files: [output] };
    expect(failure(() => writeReport(own, { ...target, replace: true }, terminal))).toMatchObject({
      code: "SPW_OUTPUT_IS_INPUT",
    });
    expect(readFileSync(output, "utf8")).toBe("old");
    writeReport(subject, { ...target, replace: true }, terminal);
    expect(readFileSync(output, "utf8")).toMatch(/^<!doctype/);
  });

  it("puts no page of HTML on a terminal", () => {
    const terminal = { ...recorder(), interactive: true };
    const target = { form: "html" as const, output: null, replace: false };
    expect(failure(() => writeReport(subject, target, terminal))).toMatchObject({ code: "SPW_OUTPUT_TERMINAL" });
  });
});
