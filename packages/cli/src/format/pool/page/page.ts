/** A sweep as one HTML page that needs nothing else: the curve with its interval, to look into, and the figures. */
import type { SweepDocument } from "@spillway/core";
import { htmlDocument } from "../../../report/html/document.ts";
import { type Html, html, jsonText } from "../../../report/html/html.ts";
import { thousands } from "../../../text/hex.ts";
import { formatBytes, formatMean, formatProbability, formatSeconds } from "../numbers.ts";
import { SCRIPT } from "./script.ts";
import { STYLES } from "./styles.ts";
import { uplotScript, uplotStyles } from "./uplot-files.ts";

/** @param command the command that made it */
export function renderSweepPage(document: SweepDocument, command: string): string {
  const styles = `${uplotStyles()}\n${STYLES}`;
  const script = `${uplotScript()}\n${SCRIPT}`;
  const waits = document.policy === "sleep";
  const what = waits ? "waits for a stack" : "is refused";
  const load = document.offeredErlang === null ? "" : `${formatMean(document.offeredErlang)} erlang offered, `;
  const body = html`<h1>How many extra stacks are enough?</h1>
<p class="dim">${load}${thousands(document.events)} events for each size, seed ${document.seed}. Made by <code>${command}</code></p>
<h2>Share of crossings that ${what}</h2>
<p>Simulated, with the 99 % interval as a band${document.formula !== null && html`; dashed, what the ${document.formula} formula says`}. Where nobody ${waits ? "waited" : "was refused"}, only the upper end of the interval is known.</p>
<div class="chart" id="share"></div>
<h2>Stacks in use</h2>
<p>On average, and the most at once.</p>
<div class="chart" id="use"></div>
<h2>Figures</h2>
${table(document)}
<script type="application/json" id="data">${jsonText(document)}</script>`;
  return htmlDocument({ title: "How many extra stacks are enough?", styles, script, body });
}

function table({ points, policy, formula }: SweepDocument): Html {
  const waits = policy === "sleep";
  const heads = [
    "stacks",
    waits ? "wait" : "refused",
    "99 % interval",
    ...(formula === null ? [] : [formula]),
    ...(waits ? ["mean wait"] : []),
    "in use",
    "at most",
    "memory",
  ];
  const rows = points.map((point) => {
    const cells = [
      thousands(point.stacks),
      point.probability === null ? "-" : formatProbability(point.probability),
      point.probability === null ? "no steady state" : point.ci99.map(formatProbability).join(" to "),
      ...(formula === null ? [] : [point.formula === null ? "-" : formatProbability(point.formula)]),
      ...(waits ? [point.meanWait === null ? "-" : formatSeconds(point.meanWait, true)] : []),
      formatMean(point.meanInUse),
      thousands(point.highWater),
      formatBytes(point.memoryBytes),
    ];
    return html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>\n`;
  });
  return html`<div class="scroll"><table><thead><tr>${heads.map((head) => html`<th>${head}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;
}
