/** The report as one HTML page that needs nothing else: no network, no fonts, no files beside it. */
import type { Diagnosis, StackMap } from "@spillway/core";
import type { SystemFacts } from "../../format/sys.ts";
import { culpritName, verdictTitle } from "../words.ts";
import { damageSection } from "./damage-section.ts";
import { htmlDocument } from "./document.ts";
import { factsSection } from "./facts-section.ts";
import { framesSection } from "./frames-section.ts";
import { html, jsonText } from "./html.ts";
import { Anchors } from "./ids.ts";
import {
  adviceSection,
  alternativesSection,
  changelogSection,
  evidenceSection,
  missingSection,
  staleSection,
} from "./list-sections.ts";
import { SCRIPT } from "./script.ts";
import { stackSection } from "./stack-section.ts";
import { STYLES } from "./styles.ts";
import { verdictSection } from "./verdict-section.ts";

export interface HtmlReport {
  readonly diagnosis: Diagnosis;
  /** Null where there is no stack to draw: a log. */
  readonly map: StackMap | null;
  /** Facts of the machine; null where no dump tells them. */
  readonly facts: SystemFacts | null;
  /** The command that made the report. */
  readonly command: string;
}

export function renderHtml({ diagnosis, map, facts, command }: HtmlReport): string {
  const { kind, cause, culprit } = diagnosis.verdict;
  const anchors = new Anchors(diagnosis, map);
  const title = `${verdictTitle(kind, cause)}${culprit === null ? "" : ` in ${culpritName(culprit)}`}`;
  const picture = stackSection(diagnosis, map, anchors);
  const body = html`<a class="skip" href="#${picture.text === "" ? "chain" : "stack"}">Skip to the stack</a>
${verdictSection(diagnosis)}
<main>
${picture.text === "" ? framesSection(diagnosis, anchors) : picture}
${damageSection(diagnosis, map)}
${adviceSection(diagnosis)}
${evidenceSection(diagnosis, anchors)}
${alternativesSection(diagnosis)}
${missingSection(diagnosis)}
${changelogSection(diagnosis.changelog)}
${picture.text !== "" && framesSection(diagnosis, anchors)}
${staleSection(diagnosis)}
${factsSection(diagnosis, facts, command)}
</main>
<footer></footer>
<script type="application/json" id="spillway-diagnosis">${jsonText(diagnosis)}</script>
<script type="application/json" id="spillway-stack-map">${jsonText(map)}</script>`;
  return htmlDocument({ title, styles: STYLES, script: SCRIPT, body });
}
