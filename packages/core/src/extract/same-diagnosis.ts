import type { Diagnosis } from "../diagnose/diagnosis.ts";

/** Whether two diagnoses are the same, byte for byte of their JSON, but for `input`. */
export function sameDiagnosis(a: Diagnosis, b: Diagnosis): boolean {
  return withoutInput(a) === withoutInput(b);
}

function withoutInput(diagnosis: Diagnosis): string {
  return JSON.stringify({ ...diagnosis, input: null });
}
