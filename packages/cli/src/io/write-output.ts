import { writeWhole } from "./output-file.ts";
import { refuseInput } from "./refuse-input.ts";

/**
 * Writes text into a file, as a whole or not at all.
 * @param inputs files that are read, which no output may replace
 * @throws SpillwayError `SPW_OUTPUT_EXISTS` unless `replace`, `SPW_OUTPUT_IS_INPUT`, `SPW_OUTPUT_FAILED`
 */
export function writeOutput(path: string, text: string, replace = false, inputs: readonly string[] = []): void {
  refuseInput(path, inputs);
  const bytes = new TextEncoder().encode(text);
  writeWhole(path, replace, (sink) => sink(0, bytes));
}
