/** The top of the page: what happened, how sure, who. */
import type { Diagnosis } from "@spillway/core";
import { formatDate } from "../../format/time.ts";
import { CONFIDENCES, culpritName, verdictTitle } from "../words.ts";
import { type Html, html } from "./html.ts";

function tone(diagnosis: Diagnosis): string {
  const { kind } = diagnosis.verdict;
  return kind === "not-stack-related" ? "fine" : kind === "undetermined" ? "open" : "bad";
}

function rows(diagnosis: Diagnosis): [string, string][] {
  const { panic, kernel, verdict } = diagnosis;
  const list: [string, string][] = [];
  if (verdict.culprit !== null) {
    list.push([verdict.kind === "not-stack-related" ? "raised in" : "culprit", culpritName(verdict.culprit)]);
  }
  if (panic.message !== null) list.push(["the kernel said", panic.message]);
  const task = panic.comm === null ? "" : `${panic.comm}${panic.pid === null ? "" : ` (PID ${panic.pid})`}`;
  const where = [task, panic.cpu === null ? "" : `on CPU ${panic.cpu}`].filter(Boolean).join(" ");
  if (where !== "") list.push(["task", where]);
  const when = kernel.crashTime === null ? "" : `, ${formatDate(new Date(kernel.crashTime))}`;
  const release = [kernel.release, kernel.arch].filter((one) => one !== null).join(" ");
  if (release !== "") list.push(["kernel", `${release}${when}`]);
  return list;
}

export function verdictSection(diagnosis: Diagnosis): Html {
  const { kind, cause, confidence, summary } = diagnosis.verdict;
  const sure = kind === "undetermined" ? "" : CONFIDENCES[confidence];
  const facts = rows(diagnosis).map(
    ([name, value]) => html`<div><dt>${name}</dt><dd${name === "culprit" && html` class="strong"`}>${value}</dd></div>
`,
  );
  return html`<header class="verdict ${tone(diagnosis)}"><p class="kind"><span class="product">Spillway</span> diagnosis of <span class="file">${diagnosis.input.path}</span></p>
<h1>${verdictTitle(kind, cause)}${sure !== "" && html` <span class="chip">${sure}</span>`}</h1>
<p class="summary">${summary}</p>
<dl class="facts">${facts}</dl></header>`;
}
