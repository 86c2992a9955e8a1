/** The damage in sentences, for the reports that have room for them. */
import type { Diagnosis } from "@spillway/core";
import { thousands } from "../text/hex.ts";

/** A sentence, with the parts of it that are code. */
export type Sentence = readonly (string | { readonly code: string })[];

/** What the document says of the damage; empty for none. */
export function damageWords({ corruption }: Diagnosis): readonly Sentence[] {
  if (corruption === null) return [];
  const { start, end, pattern, canary, variable } = corruption;
  const holds = pattern === null ? "." : `: ${pattern}`;
  const sentences: Sentence[] = [
    [`${thousands(corruption.bytes)} bytes from `, { code: start }, " to ", { code: end }, holds],
  ];
  if (canary !== null) {
    const expected = canary.expected === null ? ["."] : [" instead of ", { code: canary.expected }, "."];
    sentences.push(["The canary slot at ", { code: canary.slot }, " holds ", { code: canary.found }, ...expected]);
  }
  if (variable !== undefined) {
    const size = Number(BigInt(variable.high) - BigInt(variable.low));
    const of = variable.function === null ? [] : [" of ", { code: variable.function }];
    const where = [", ", `${thousands(size)} bytes from `, { code: variable.low }, "."];
    sentences.push(["It began in the variable ", { code: `${variable.name}` }, ` (${variable.type})`, ...of, ...where]);
  }
  return sentences;
}
