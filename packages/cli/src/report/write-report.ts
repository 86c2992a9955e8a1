/** Writes a diagnosis in the form that was asked for: to the terminal, or as a file. */
import { type Diagnosis, framesMap, type Kernel, SpillwayError, type StackMap, stackMap } from "@spillway/core";
import pc from "picocolors";
import { systemFacts } from "../format/sys.ts";
import { writeWhole } from "../io/output-file.ts";
import { refuseInput } from "../io/refuse-input.ts";
import { toJson } from "../json.ts";
import type { Terminal } from "../terminal.ts";
import { thousands } from "../text/hex.ts";
import { shellWord } from "../text/shell-word.ts";
import { renderHtml } from "./html/page.ts";
import { renderMarkdown } from "./markdown/markdown.ts";
import { renderReport } from "./report.ts";
import type { ReportTarget } from "./report-options.ts";
import { CONFIDENCES, culpritName, verdictTitle } from "./words.ts";

export interface ReportSubject {
  readonly diagnosis: Diagnosis;
  /** The dump's kernel; null for a diagnosis that rests on text. */
  readonly kernel: Kernel | null;
  readonly files: readonly string[];
}

/** Columns of a text report in a file. */
const FILE_WIDTH = 100;

function mapOf({ diagnosis, kernel }: ReportSubject): StackMap | null {
  return kernel === null ? framesMap(diagnosis) : stackMap(kernel, diagnosis);
}

function commandOf(files: readonly string[]): string {
  return ["spillway", "diagnose", ...files.map(shellWord)].join(" ");
}

function render(subject: ReportSubject, target: ReportTarget, terminal: Terminal): string {
  const { diagnosis, kernel, files } = subject;
  switch (target.form) {
    case "json":
      return toJson(diagnosis);
    case "markdown":
      return renderMarkdown({ diagnosis, map: mapOf(subject), command: commandOf(files) });
    case "html": {
      const facts = kernel === null ? null : systemFacts(kernel, files);
      const command = `${commandOf(files)} --html ${shellWord(target.output ?? "report.html")}`;
      return renderHtml({ diagnosis, map: mapOf(subject), facts, command });
    }
    case "text": {
      if (target.output === null) return renderReport(diagnosis, terminal);
      const colors = pc.createColors(false);
      return renderReport(diagnosis, { ...terminal, width: FILE_WIDTH, unicode: true, colors });
    }
  }
}

/**
 * @throws SpillwayError `SPW_OUTPUT_TERMINAL` for a page of HTML without a file at a terminal, `SPW_OUTPUT_EXISTS`,
 *   `SPW_OUTPUT_IS_INPUT`, `SPW_OUTPUT_FAILED`
 */
export function writeReport(subject: ReportSubject, target: ReportTarget, terminal: Terminal): void {
  const { output } = target;
  if (output === null) {
    if (target.form === "html" && terminal.interactive) {
      throw new SpillwayError("SPW_OUTPUT_TERMINAL", "a page of HTML is nothing for a terminal", {
        class: "usage",
        hint: "name a file for it: --html report.html",
      });
    }
    terminal.write(render(subject, target, terminal));
    return;
  }
  refuseInput(output, subject.files);
  const bytes = new TextEncoder().encode(render(subject, target, terminal));
  writeWhole(output, target.replace, (sink) => sink(0, bytes));
  const { kind, cause, confidence, culprit } = subject.diagnosis.verdict;
  const where = culprit === null ? "" : ` in ${culpritName({ ...culprit, file: null })}`;
  const sure = kind === "undetermined" ? "" : ` (${CONFIDENCES[confidence]})`;
  terminal.write(`${output}: ${verdictTitle(kind, cause)}${where}${sure}; ${thousands(bytes.length)} bytes\n`);
}
