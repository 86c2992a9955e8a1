import { isAboutFile } from "../advice/capture-rules.ts";
import type { Diagnosis } from "../diagnose/diagnosis.ts";

/**
 * Whether two diagnoses are the same, byte for byte of their JSON, but for `input` and advice on the file.
 * @param aboutFile lines of `missing` that are about the file itself (`DumpImage.problems`), which an extract has not got
 */
export function sameDiagnosis(a: Diagnosis, b: Diagnosis, aboutFile: readonly string[] = []): boolean {
  const compared = (diagnosis: Diagnosis): string => {
    const missing = diagnosis.missing.filter((line) => !aboutFile.includes(line));
    const advice = diagnosis.advice.filter((sentence) => !isAboutFile(sentence));
    return JSON.stringify({ ...diagnosis, input: null, missing, advice });
  };
  return compared(a) === compared(b);
}
