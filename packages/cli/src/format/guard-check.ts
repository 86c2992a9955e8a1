import type { Finding, FindingState, GuardCheck } from "@spillway/guard";
import type { Terminal } from "../terminal.ts";
import { printable } from "../text/printable.ts";
import { wrap } from "../text/wrap.ts";

const LABELS: Readonly<Record<FindingState, string>> = { ok: "ok", forbids: "NO", note: "note", unknown: "?" };
/** Columns before a finding's text. */
const INDENT = 8;

type Look = Pick<Terminal, "width" | "colors">;

function formatFinding(finding: Finding, { width, colors }: Look): string {
  const paint = { ok: colors.green, forbids: colors.red, note: colors.yellow, unknown: colors.yellow }[finding.state];
  const label = LABELS[finding.state];
  const source = finding.state !== "ok" && finding.source !== null ? ` (${finding.source})` : "";
  const text = wrap(printable(finding.text + source), width - INDENT);
  const advice = finding.advice === null ? [] : wrap(printable(`-> ${finding.advice}`), width - INDENT);
  const first = `  ${paint(label)}${" ".repeat(INDENT - 2 - label.length)}`;
  return [...text, ...advice].map((line, index) => `${index === 0 ? first : " ".repeat(INDENT)}${line}\n`).join("");
}

/** The answer first, then what forbids, what is worth knowing, and what is fine. */
export function formatCheck(check: GuardCheck, look: Look): string {
  const { bold } = look.colors;
  const answer = check.ok ? "This machine can run spillway.ko." : "This machine cannot run spillway.ko.";
  const order: readonly FindingState[] = ["forbids", "note", "unknown", "ok"];
  const findings = order.flatMap((state) => check.findings.filter((finding) => finding.state === state));
  return `  ${bold(answer)} Kernel ${printable(check.kernel)}\n\n${findings.map((one) => formatFinding(one, look)).join("")}`;
}
