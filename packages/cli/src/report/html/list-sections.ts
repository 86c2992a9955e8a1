/** The lists of the report: evidence, other explanations, what is not known, what to do, what earlier calls left. */
import type { ChangelogMatches, Diagnosis } from "@spillway/core";
import { changelogLines } from "../changelog-section.ts";
import { CONFIDENCES, verdictTitle } from "../words.ts";
import { type Html, html, NOTHING } from "./html.ts";
import type { Anchors } from "./ids.ts";

function section(id: string, title: string, content: Html): Html {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${content}</section>`;
}

function list(id: string, title: string, items: readonly string[]): Html {
  if (items.length === 0) return NOTHING;
  return section(
    id,
    title,
    html`<ul>${items.map(
      (item) => html`<li>${item}</li>
`,
    )}</ul>`,
  );
}

export function evidenceSection(diagnosis: Diagnosis, anchors: Anchors): Html {
  if (diagnosis.evidence.length === 0) return NOTHING;
  const items = diagnosis.evidence.map((item, index) => {
    const mark = anchors.markOf(item.id);
    const shown = item.address === null ? NOTHING : html`<code>${item.address}</code>`;
    const address = mark === null ? shown : html`<a href="#${mark}" title="show it in the stack">${shown}</a>`;
    return html`<li id="e${index + 1}">${address} ${item.text}</li>
`;
  });
  return section("evidence", "Evidence", html`<ol class="evidence">${items}</ol>`);
}

export function alternativesSection(diagnosis: Diagnosis): Html {
  if (diagnosis.alternatives.length === 0) return NOTHING;
  const items = diagnosis.alternatives.map(
    (
      one,
    ) => html`<li><b>${verdictTitle(one.kind, null)}</b> <span class="chip small">${CONFIDENCES[one.confidence]}</span> ${one.why}</li>
`,
  );
  return section("alternatives", "Also possible", html`<ul>${items}</ul>`);
}

export function missingSection(diagnosis: Diagnosis): Html {
  return list("missing", "Not known", diagnosis.missing);
}

export function adviceSection(diagnosis: Diagnosis): Html {
  return list("advice", "What to do", diagnosis.advice);
}

export function staleSection(diagnosis: Diagnosis): Html {
  if (diagnosis.stale.length === 0) return NOTHING;
  const count = diagnosis.stale.length;
  const rows = diagnosis.stale.map(
    (one) => html`<tr><td class="v">${one.sp?.slice(2).padStart(16, "0")}</td><th scope="row">${one.function}</th></tr>
`,
  );
  return html`<section aria-labelledby="stale"><h2 id="stale">Left by earlier calls</h2><details class="plain"><summary>${count} return address${count === 1 ? "" : "es"} that belong${count === 1 ? "s" : ""} to no frame</summary><div class="scroll"><table class="frames"><thead><tr><th scope="col">address</th><th scope="col">returned to</th></tr></thead><tbody>
${rows}</tbody></table></div></details></section>`;
}

export function changelogSection(matches: ChangelogMatches | undefined): Html {
  return matches === undefined ? NOTHING : list("changelog", "Changes since", changelogLines(matches));
}
