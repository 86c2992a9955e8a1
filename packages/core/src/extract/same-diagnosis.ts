import type { Diagnosis } from "../diagnose/diagnosis.ts";

/**
 * Whether two diagnoses are the same, byte for byte of their JSON, but for `input`.
 * @param aboutFile lines of `missing` that are about the file itself (`DumpImage.problems`), which an extract has not got
 */
export function sameDiagnosis(a: Diagnosis, b: Diagnosis, aboutFile: readonly string[] = []): boolean {
  const compared = (diagnosis: Diagnosis): string => {
    const missing = diagnosis.missing.filter((line) => !aboutFile.includes(line));
    return JSON.stringify({ ...diagnosis, input: null, missing });
  };
  return compared(a) === compared(b);
}
