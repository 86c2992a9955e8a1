/** The machine and the dump, and how to get this report again. */
import type { Diagnosis } from "@spillway/core";
import { formatMemory, type SystemFacts } from "../../format/sys.ts";
import { formatDate, formatUptime } from "../../format/time.ts";
import { VERSION } from "../../version.ts";
import { type Html, html } from "./html.ts";

function systemRows(facts: SystemFacts): [string, string][] {
  const rows: [string, string | null][] = [
    ["version", facts.version],
    ["node name", facts.nodename || null],
    ["CPUs", `${facts.cpus}${facts.cpusOffline > 0 ? `, ${facts.cpusOffline} of them offline` : ""}`],
    ["memory", facts.memoryBytes === null ? null : formatMemory(facts.memoryBytes)],
    ["up for", facts.uptimeSeconds === null ? null : formatUptime(facts.uptimeSeconds)],
    ["load average", facts.loadAverage?.map((load) => load.toFixed(2)).join(", ") ?? null],
    ["tasks", facts.tasks.toString()],
    ["KASLR offset", `0x${facts.kaslrOffset.toString(16)}`],
    ["page tables", `${facts.pagingLevels} levels`],
    ["dump", `${facts.format}${facts.flattened ? ", flattened" : ""}${facts.partial ? ", partial" : ""}`],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== null);
}

function diagnosisRows(diagnosis: Diagnosis): [string, string][] {
  const { kernel, panic, input } = diagnosis;
  const rows: [string, string | null][] = [
    ["file", input.path],
    ["release", kernel.release],
    ["machine", kernel.arch],
    ["crashed", kernel.crashTime === null ? null : formatDate(new Date(kernel.crashTime))],
    ["task", panic.task],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== null);
}

export function factsSection(diagnosis: Diagnosis, facts: SystemFacts | null, command: string): Html {
  const rows = [...diagnosisRows(diagnosis), ...(facts === null ? [] : systemRows(facts))];
  return html`<section aria-labelledby="facts"><h2 id="facts">The machine</h2>
<dl class="facts">${rows.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>
`,
  )}</dl></section>
<section aria-labelledby="again"><h2 id="again">To repeat it</h2><pre class="command" tabindex="0">${command}</pre>
<p class="note">Made by Spillway ${VERSION}. This page holds the diagnosis as JSON for programs, in the element <code>#spillway-diagnosis</code>, and the map of the stack in <code>#spillway-stack-map</code>.</p></section>`;
}
