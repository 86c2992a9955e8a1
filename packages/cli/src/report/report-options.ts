/** `--html`, `--markdown`, `--output`: which form a report has and where it goes. */
import { existsSync } from "node:fs";
import { extname } from "node:path";
import { SpillwayError } from "@spillway/core";
import { type Command, Option } from "commander";

export interface ReportOptions {
  readonly json?: boolean;
  /** A file's name; true where none was given. */
  readonly html?: string | true;
  readonly markdown?: string | true;
  readonly output?: string;
  readonly force?: boolean;
}

export type ReportForm = "text" | "json" | "html" | "markdown";

export interface ReportTarget {
  readonly form: ReportForm;
  /** Null: standard output. */
  readonly output: string | null;
  readonly replace: boolean;
}

const FORMS: Readonly<Record<string, ReportForm>> = {
  ".html": "html",
  ".htm": "html",
  ".md": "markdown",
  ".markdown": "markdown",
  ".json": "json",
};

export function addReportOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--html [file]", "one page with the stack drawn, for a browser").conflicts(["markdown", "json"]),
    )
    .addOption(new Option("--markdown [file]", "for a bug tracker").conflicts(["json"]))
    .option("-o, --output <file>", "write to a file; its ending chooses the form: .html, .md, .json, else text")
    .option("-f, --force", "replace the file if it is there");
}

/**
 * Reads the options. The name behind `--html` is that of the file to write if it ends like one, or if there is no such file
 * yet; a file that is there and is called otherwise is what the user wants diagnosed (`diagnose --html vmcore`).
 * @param files the files that were named to be diagnosed
 * @returns them with those that stood behind `--html`, and where the report goes
 * @throws SpillwayError `SPW_USAGE`
 */
export function reportTarget(
  files: readonly string[],
  options: ReportOptions,
): { readonly files: readonly string[]; readonly target: ReportTarget } {
  const replace = options.force ?? false;
  const asked: ReportForm | null =
    options.html !== undefined ? "html" : options.markdown !== undefined ? "markdown" : options.json ? "json" : null;
  const named = typeof options.html === "string" ? options.html : options.markdown;
  const isInput =
    typeof named === "string" && FORMS[extname(named).toLowerCase()] !== asked && (named === "-" || existsSync(named));
  const all = isInput ? [named, ...files] : files;
  const behind = typeof named === "string" && !isInput ? named : null;
  if (behind !== null && options.output !== undefined) {
    throw new SpillwayError("SPW_USAGE", `two files to write are named: ${behind} and ${options.output}`, {
      class: "usage",
      hint: "name one",
    });
  }
  const output = options.output ?? behind;
  const form = asked ?? (output === null ? "text" : (FORMS[extname(output).toLowerCase()] ?? "text"));
  return { files: all, target: { form, output, replace } };
}
