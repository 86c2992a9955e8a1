import { statSync } from "node:fs";
import { SpillwayError } from "@spillway/core";

/**
 * `--force` must not replace what is being read, by whatever name it goes.
 * @throws SpillwayError `SPW_OUTPUT_IS_INPUT`
 */
export function refuseInput(output: string, files: readonly string[]): void {
  const target = statSync(output, { throwIfNoEntry: false });
  if (target === undefined) return;
  for (const file of files) {
    const source = statSync(file, { throwIfNoEntry: false });
    if (source?.dev === target.dev && source.ino === target.ino) {
      throw new SpillwayError("SPW_OUTPUT_IS_INPUT", `${output}: that is the file that is read`, {
        class: "usage",
        facts: { output, input: file },
        hint: "name another file",
      });
    }
  }
}
