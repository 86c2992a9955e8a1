/**
 * What to do next. Each rule follows from the verdict, the evidence, the kernel's options and what is missing; none says
 * what would be true of any crash. docs/advice.md has the table.
 */
import type { AdviceContext, Findings } from "./advice-input.ts";
import { CAPTURE_RULES, RULE_OUT } from "./capture-rules.ts";
import { CORRUPTION_RULES } from "./corruption-rules.ts";
import { crashCase } from "./crash-case.ts";
import { MISMATCH_RULES } from "./mismatch-rules.ts";
import { OTHER_RULES } from "./other-rules.ts";
import { OVERFLOW_RULES } from "./overflow-rules.ts";
import type { Rule } from "./rule.ts";

/** In the order in which their sentences stand: the code, what to rule out, options, what to capture. */
export const RULES: readonly Rule[] = [
  ...OTHER_RULES,
  ...OVERFLOW_RULES,
  ...CORRUPTION_RULES,
  ...MISMATCH_RULES,
  ...RULE_OUT,
  ...CAPTURE_RULES,
];

/** The advice that follows from a diagnosis; `advice` of the document. */
export function advise(findings: Findings, context: AdviceContext): string[] {
  const crash = crashCase(findings, context);
  return RULES.map((rule) => rule.say(crash)).filter((sentence) => sentence !== null);
}
