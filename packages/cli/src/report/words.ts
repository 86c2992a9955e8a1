import type { Confidence, Culprit, OverflowCause, VerdictKind } from "@spillway/core";
import { printable } from "../text/printable.ts";

const TITLES: Readonly<Record<VerdictKind, string>> = {
  "stack-buffer-overflow": "Stack buffer overflow",
  "stack-overflow": "Stack overflow",
  "irq-stack-overflow": "Interrupt stack overflow",
  "stack-end-corrupted": "End of the stack overwritten",
  "foreign-write": "Another context wrote into this stack",
  "frame-mismatch": "Canary check on the wrong frame",
  "reference-canary-changed": "The reference canary changed",
  "return-address-corrupted": "Return address corrupted",
  "not-stack-related": "No stack trouble",
  undetermined: "Undetermined",
};

const CAUSES: Readonly<Record<OverflowCause, string>> = {
  recursion: "by recursion",
  "deep-call-chain": "by a deep call chain",
  "large-frame": "by one large frame",
};

/** A verdict in words: "Stack overflow by recursion". */
export function verdictTitle(kind: VerdictKind, cause: OverflowCause | null): string {
  return cause === null ? TITLES[kind] : `${TITLES[kind]} ${CAUSES[cause]}`;
}

export const CONFIDENCES: Readonly<Record<Confidence, string>> = {
  certain: "certain",
  likely: "likely",
  possible: "only possible",
};

/** `parse_packet [vandal], net/parse.c:120`. */
export function culpritName(culprit: Culprit): string {
  const module = culprit.module === null ? "" : ` [${culprit.module}]`;
  const line = culprit.line === null ? "" : `:${culprit.line}`;
  return printable(`${culprit.function}${module}${culprit.file === null ? "" : `, ${culprit.file}${line}`}`);
}
