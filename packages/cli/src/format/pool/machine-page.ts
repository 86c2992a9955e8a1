/** A comparison of designs as one HTML page that needs nothing else. */
import type { DesignResult, Frequency, MachineDocument } from "@spillway/core";
import { htmlDocument } from "../../report/html/document.ts";
import { type Html, html, jsonText } from "../../report/html/html.ts";
import { thousands } from "../../text/hex.ts";
import { type Axis, type Chart, decades, type Series } from "./machine-chart.ts";
import { figure, million, perCent, sizeOf } from "./machine-numbers.ts";
import { SCRIPT } from "./machine-script.ts";
import { STYLES } from "./machine-styles.ts";
import { uplotScript, uplotStyles } from "./page/uplot-files.ts";

export interface MachinePage {
  readonly document: MachineDocument;
  /** The command that made the page. */
  readonly command: string;
}

export function renderMachinePage({ document, command }: MachinePage): string {
  const { profile, zone, replications, seconds, seed, results } = document;
  const styles = `${uplotStyles()}\n${STYLES}`;
  const script = `${uplotScript()}\n${SCRIPT}`;
  const charts = chartsOf(document);
  const body = html`<h1>Designs of kernel stacks</h1>
<p>Every design went through the same ${replications} realisations of ${seconds} s: tasks that fork from memory under pressure, go through nested I/O, sleep there, and are interrupted. Workload <b>${profile.name}</b>; memory for stacks ${sizeOf(zone.bytes)}, of which ${sizeOf(zone.unmovableBytes)} cannot be moved; seed ${seed}. Intervals are at 99 %.</p>
${charts.map(({ title }, at) => html`<h2>${title}</h2>\n<div class="chart" id="chart-${at}"></div>\n`)}
<h2>Figures</h2>
${results.map(({ tasks, designs }) => table(tasks, designs))}
<p class="dim">Crashes and EIO: of a million operations. A crash is an operation that overflows a stack; the machine then goes on. A fork fails where ${zone.rounds} rounds of reclaim found no block; Linux 2.6 would hang there or kill. Profile: ${profile.source}. Made by <code>${command}</code></p>
<script type="application/json" id="charts">${jsonText(charts)}</script>`;
  return htmlDocument({ title: `Designs of kernel stacks: ${profile.name}`, styles, script, body });
}

function chartsOf(document: MachineDocument): Chart[] {
  return [
    depthChart(document),
    measureChart(document, "Operations that crash the machine", "of a million", 1e6, (one) => one.crashes),
    measureChart(document, "Operations that fail with EIO", "of a million", 1e6, (one) => one.refusals),
    measureChart(document, "Forks that fail", "per cent", 100, (one) => one.failedForks),
  ].filter((chart) => chart !== null);
}

function table(tasks: number, designs: readonly DesignResult[]): Html {
  const rows = designs.map(
    (one) =>
      html`<tr><td>${one.name}</td><td class="n">${sizeOf(one.memoryBytes)}</td><td class="n${one.crashes.count > 0 && " bad"}">${million(one.crashes)}</td><td class="n">${million(one.refusals)}</td><td class="n${one.failedForks.count > 0 && " bad"}">${perCent(one.failedForks)}</td></tr>\n`,
  );
  return html`<div class="scroll"><table><thead><tr><th>${thousands(tasks)} tasks</th><th class="n">memory of stacks</th><th class="n">crashes</th><th class="n">EIO</th><th class="n">failed forks</th></tr></thead><tbody>
${rows}</tbody></table></div>
`;
}

/** How deep operations go, with the sizes of the compared stacks. */
function depthChart({ depths, designs }: MachineDocument): Chart {
  const { taskOnly, withInterrupts, operations } = depths;
  const sizes = [...new Set(designs.map((design) => design.stackBytes))].sort((a, b) => a - b);
  const deepest = Math.max(withInterrupts.at(-1)?.bytes ?? 0, 4096);
  const shown = sizes.filter((bytes) => bytes <= 1.3 * deepest);
  const max = Math.ceil(Math.max(deepest, ...shown) / 1024 + 0.25) * 1024;
  const least = 10 ** Math.floor(Math.log10(1 / Math.max(10, operations)));
  const step = Math.max(1024, 2 ** Math.ceil(Math.log2(max / 10)));
  const ticks = Array.from({ length: Math.floor(max / step) + 1 }, (_, at) => ({
    at: at * step,
    text: `${(at * step) / 1024}`,
  }));
  const series = [
    { name: "task alone", colour: 0, curve: taskOnly },
    { name: "with interrupts", colour: 1, curve: withInterrupts },
  ].map(
    ({ name, colour, curve }): Series => ({
      name,
      colour,
      dots: false,
      stepped: true,
      points: curve.filter((point) => point.share > 0).map(({ bytes, share }) => ({ x: bytes, y: share })),
    }),
  );
  return {
    title: "How deep operations go: the share that needs more than so much of a stack",
    x: { label: "KiB of stack", log: false, min: 0, max, ticks },
    y: {
      label: "of all operations",
      log: true,
      min: least,
      max: 1,
      ticks: decades(least, 1, (value) =>
        value >= 0.001 ? `${Number((100 * value).toPrecision(1))} %` : `1 in ${shortCount(1 / value)}`,
      ),
    },
    series,
    marks: shown.map((bytes) => ({ x: bytes, text: `${bytes / 1024} KiB` })),
  };
}

function shortCount(value: number): string {
  const whole = Math.round(value);
  if (whole >= 1e6) return `${whole / 1e6}M`;
  return whole >= 1000 ? `${whole / 1000}k` : `${whole}`;
}

/** One measure against the number of tasks, a line for each design; nothing where no design has any. */
function measureChart(
  { results, designs }: MachineDocument,
  title: string,
  unit: string,
  factor: number,
  measure: (result: DesignResult) => Frequency,
): Chart | null {
  const all = results.flatMap((result) => result.designs.map(measure));
  if (all.every((one) => one.count === 0)) return null;
  const log = factor !== 100;
  const most = Math.max(...all.map((one) => one.ci99[1] * factor));
  const least = Math.min(...all.filter((one) => one.count > 0).map((one) => one.probability * factor));
  const y: Axis = log
    ? logAxis(unit, least, most)
    : { label: unit, log: false, min: 0, max: 100, ticks: [0, 25, 50, 75, 100].map((at) => ({ at, text: `${at}` })) };
  const tasks = results.map((result) => result.tasks);
  const [fewest, largest] = [Math.min(...tasks), Math.max(...tasks)];
  const x: Axis = {
    label: "tasks",
    log: true,
    min: fewest / (fewest === largest ? 2 : 1),
    max: largest * (fewest === largest ? 2 : 1),
    ticks: [...new Set(tasks)].map((at) => ({ at, text: thousands(at) })),
  };
  const series = designs.map(
    ({ name }, at): Series => ({
      name,
      colour: at % 8,
      dots: true,
      stepped: false,
      points: results
        .map(({ tasks, designs }) => ({ tasks, result: measure(designs[at]!) }))
        .sort((a, b) => a.tasks - b.tasks)
        .map(({ tasks, result }) => ({
          x: tasks,
          y: result.probability * factor,
          low: result.count === 0 ? 0 : result.ci99[0] * factor,
          high: result.count === 0 ? 0 : result.ci99[1] * factor,
          told: `${figure(result.probability * factor)} (${thousands(result.count)} of ${thousands(result.of)})`,
        })),
    }),
  );
  return { title, x, y, series, marks: [] };
}

/** Powers of ten with "none" at the bottom. */
function logAxis(label: string, least: number, most: number): Axis {
  const min = 10 ** (Math.floor(Math.log10(least)) - 1);
  const max = 10 ** Math.ceil(Math.log10(most));
  const [none, ...rest] = decades(min, max, (value) =>
    value >= 1 ? thousands(value) : `${Number(value.toPrecision(1))}`,
  );
  return { label, log: true, min, max, ticks: [{ at: none!.at, text: "none" }, ...rest] };
}
