/** A budget as one HTML page that needs nothing else: the deepest entries, each with its stack drawn as an icicle graph. */
import {
  atLevel,
  BUDGET_LEVELS,
  type BudgetEntry,
  type BudgetLevel,
  type BudgetSummary,
  type DepthNode,
  type PlanDocument,
} from "@spillway/core";
import { boundLines, type PlannedPath } from "../../format/budget/plan.ts";
import { count, ENTRY_TITLES, LEVEL_TITLES, named, share } from "../../format/budget/words.ts";
import { htmlDocument } from "../../report/html/document.ts";
import { type Html, html } from "../../report/html/html.ts";
import { thousands } from "../../text/hex.ts";
import { type IcicleLine, icicle } from "./icicle.ts";
import { SCRIPT } from "./script.ts";
import { STYLES } from "./styles.ts";

export interface BudgetPage {
  readonly document: BudgetSummary;
  readonly level: BudgetLevel;
  /** Entries that are drawn, deepest first. */
  readonly drawn: readonly { readonly entry: BudgetEntry; readonly tree: DepthNode }[];
  /** A limit that was asked for, bytes; null: none but the stack's end. */
  readonly maxBytes: number | null;
  /** What would bound the paths drawn, and the deepest of them; null where that was not asked for. */
  readonly plan: { readonly document: PlanDocument; readonly path: PlannedPath } | null;
  /** The command that made the page. */
  readonly command: string;
}

export function renderBudgetPage({ document, level, drawn, maxBytes, plan, command }: BudgetPage): string {
  const { kernel, totals, stackBytes } = document;
  const release = kernel.release ?? "(release unknown)";
  const lines: IcicleLine[] = [{ bytes: stackBytes, text: `end of the stack, ${thousands(stackBytes)}`, fatal: true }];
  if (maxBytes !== null && maxBytes !== stackBytes) {
    lines.push({ bytes: maxBytes, text: `limit, ${thousands(maxBytes)}`, fatal: false });
  }
  const cut = document.cycles.filter((cycle) => cycle.level === level);
  const cutEdges = cut.reduce((sum, cycle) => sum + cycle.cutEdgeCount, 0);
  const { calls } = document.unresolved;
  const points = new Set(plan?.document.points.map((point) => named(point.name, point.module)) ?? []);
  const body = html`<h1>Stack budget of Linux ${release}</h1>
<p class="dim">${kernel.name}, ${count(totals.functions, "function")}, ${count(totals.calls, "call")} (${thousands(totals.indirectCalls)} of them indirect; ${share(totals.indirectCalls - atLevel(calls, level), totals.indirectCalls)} of these resolved at the ${LEVEL_TITLES[level]} level). Made by <code>${command}</code></p>
<p>Down the page go the bytes of a kernel stack. Each column is one path of calls from an entry, the deepest at the left; paths that begin alike share what they have in common, and one that goes on as another does is drawn pale from there on (←). A path takes at most ${count(document.rounds, "upcall")}, calls back into the layers above it, of ${count(cutEdges, "call")} in ${count(cut.length, "cycle")}.</p>
<ul class="key"><li><i class="proven"></i>called directly: proven</li><li><i class="typed"></i>through a member of known type: typed</li><li><i class="assumed"></i>fits by prototype: assumed</li>${drawn.some(({ tree }) => hasPoint(tree, points)) && html`<li><i class="point"></i>◆ critical point</li>`}</ul>
${plan !== null && html`<p>${boundLines(plan.document, plan.path).join(" ")}</p>`}
${entriesTable(drawn, stackBytes, maxBytes)}
${drawn.map(({ entry, tree }, index) => drawing(entry, icicle(tree, lines, points), level, index))}
<output id="told"></output>`;
  return htmlDocument({ title: `Stack budget of Linux ${release}`, styles: STYLES, script: SCRIPT, body });
}

function hasPoint(node: DepthNode, points: ReadonlySet<string>): boolean {
  return points.has(named(node.name, node.module)) || node.callees.some((callee) => hasPoint(callee, points));
}

function entriesTable(drawn: BudgetPage["drawn"], stackBytes: number, maxBytes: number | null): Html {
  const limit = maxBytes ?? stackBytes;
  const heads = BUDGET_LEVELS.map((one) => html`<th class="n">${LEVEL_TITLES[one]}</th>`);
  const rows = drawn.map(({ entry }, index) => {
    const cells = BUDGET_LEVELS.map((one) => {
      const bytes = atLevel(entry.bounds, one);
      return html`<td class="n${bytes > limit && " over"}">${thousands(bytes)}</td>`;
    });
    return html`<tr><td><a href="#e${index}">${named(entry.name, entry.module)}</a></td><td>${ENTRY_TITLES[entry.kind]}</td>${cells}</tr>\n`;
  });
  return html`<p class="dim">Bytes of stack, by direct calls alone; with indirect calls to what their slot is known to hold; and to whatever fits by prototype. <span class="over">Red</span>: more than ${thousands(limit)}.</p>
<div class="scroll"><table><thead><tr><th>entry</th><th>kind</th>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

function drawing(entry: BudgetEntry, drawn: Html, level: BudgetLevel, index: number): Html {
  return html`<details id="e${index}"${index < 2 && html` open`}><summary>${named(entry.name, entry.module)} <span class="dim">${ENTRY_TITLES[entry.kind]}, ${thousands(atLevel(entry.bounds, level))} bytes</span></summary>
<div class="scroll">${drawn}</div></details>
`;
}
