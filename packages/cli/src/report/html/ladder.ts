/** The stack from its low end to its top, one line a region; each opens to its words. */
import type { Diagnosis, MappedStack, StackMap, StackRegion } from "@spillway/core";
import { hex16, thousands } from "../../text/hex.ts";
import { culpritFrame } from "./blame.ts";
import { type Html, html, NOTHING } from "./html.ts";
import { Anchors } from "./ids.ts";
import { type GroupItem, ladderItems, type RegionItem } from "./ladder-items.ts";
import { wordsTable } from "./words-table.ts";

/** Width of the bar that shows a frame's share of the stack. Pixels. */
const BAR = 64;

interface Page {
  readonly diagnosis: Diagnosis;
  readonly map: StackMap;
  readonly anchors: Anchors;
  readonly stack: MappedStack;
  readonly stackIndex: number;
  readonly size: number;
  readonly culprit: number | null;
}

function bar(bytes: number, size: number): Html {
  const width = Math.max(1, Math.min(BAR, Math.round((bytes / size) * BAR)));
  if (bytes === 0) return html`<span class="bar"></span>`;
  return html`<svg class="bar" width="${BAR}" height="8" aria-hidden="true"><rect class="bar-all" width="${BAR}" height="8"/><rect class="bar-part" width="${width}" height="8"/></svg>`;
}

function certainty(page: Page, region: StackRegion): Html {
  if (region.frame === null) return html`<span class="mark" aria-hidden="true"></span>`;
  const frame = page.diagnosis.frames[region.frame];
  return frame?.certainty === "inferred"
    ? html`<span class="mark inferred" title="inferred">○<span class="sr"> inferred: </span></span>`
    : html`<span class="mark" title="proven">●<span class="sr"> proven: </span></span>`;
}

function isHarmless(page: Page): boolean {
  return page.diagnosis.verdict.kind === "not-stack-related";
}

function tags(page: Page, region: StackRegion): Html[] {
  const list: Html[] = [];
  if (region.frame !== null && region.frame === page.culprit) {
    list.push(isHarmless(page) ? html` <b class="tag">raised here</b>` : html` <b class="tag bad">culprit</b>`);
  }
  if (region.damaged) list.push(html` <b class="tag bad">damaged</b>`);
  else if (region.kind === "end-marker") {
    const state = region.words[0]?.state;
    list.push(
      state === "bad"
        ? html` <b class="tag bad">overwritten</b>`
        : state === "good"
          ? html` <b class="tag good">intact</b>`
          : NOTHING,
    );
  }
  const below = BigInt(page.stack.low) - BigInt(region.start);
  if (region.kind === "frame" && below > 0n) {
    list.push(html` <b class="tag bad">${thousands(below)} bytes past the end</b>`);
  }
  return list;
}

function regionView(page: Page, item: RegionItem, plain: boolean): Html {
  const { region } = item;
  const classes = [
    "r",
    `r-${region.kind}`,
    region.damaged && "hit",
    region.frame !== null && region.frame === page.culprit && (isHarmless(page) ? "raised" : "culprit"),
  ];
  const variables = region.variables.map(
    (one) =>
      html`<li><code>${one.name}</code> <span class="dim">${one.type}, ${hex16(BigInt(one.start))} to ${hex16(BigInt(one.end))}</span></li>`,
  );
  // Nothing is to be seen in a run of zeros.
  const words = region.kind === "untouched" ? NOTHING : wordsTable(region, page.map, page.anchors, plain);
  const why = region.why === null ? NOTHING : html`<p class="note">${region.why}</p>`;
  const inside = html`${why}${variables.length > 0 && html`<ul class="vars">${variables}</ul>`}${words}`;
  const line = html`<span class="a">${hex16(BigInt(region.start))}</span>${certainty(page, region)}<span class="n">${region.label}${tags(page, region)}</span><span class="b">${region.bytes > 0 && thousands(region.bytes)}</span>${bar(region.kind === "guard" ? 0 : region.bytes, page.size)}`;
  const id = Anchors.region(page.stackIndex, item.index);
  const name = classes.filter(Boolean).join(" ");
  if (inside.text === "") return html`<div class="${name}" id="${id}"><div class="line">${line}</div></div>`;
  return html`<details class="${name}" id="${id}"${item.open && html` open`}><summary class="line">${line}</summary><div class="in">${inside}</div></details>`;
}

function groupView(page: Page, item: GroupItem): Html {
  const line = html`<span class="a"></span><span class="mark" aria-hidden="true">⋮</span><span class="n">${item.label}</span><span class="b">${thousands(item.bytes)}</span>${bar(item.bytes, page.size)}`;
  return html`<details class="r group"><summary class="line">${line}</summary><div>${item.items.map(
    (one) => html`${regionView(page, one, true)}
`,
  )}</div></details>`;
}

function edge(words: string, address: string): Html {
  return html`<div class="edge"><span class="a">${hex16(BigInt(address))}</span><span>${words}</span></div>
`;
}

export function ladder(diagnosis: Diagnosis, map: StackMap, stackIndex: number, anchors: Anchors): Html {
  const stack = map.stacks[stackIndex]!;
  const size = Number(BigInt(stack.high) - BigInt(stack.low));
  const page: Page = { diagnosis, map, anchors, stack, stackIndex, size, culprit: culpritFrame(diagnosis) };
  const low = BigInt(stack.low);
  let crossed = false;
  const parts = ladderItems(diagnosis, stack).map((item) => {
    const first = item.kind === "region" ? item.region : item.items[0]!.region;
    const last = item.kind === "region" ? item.region : item.items[item.items.length - 1]!.region;
    const view = item.kind === "region" ? regionView(page, item, false) : groupView(page, item);
    // A frame that crosses the low end stands above the line: that is where it began to be wrong.
    const before = !crossed && BigInt(first.start) >= low;
    const after = !crossed && !before && BigInt(last.end) > low;
    crossed ||= before || after;
    const line = edge("low end of the stack", stack.low);
    return html`${before && line}${view}
${after && line}`;
  });
  return html`<div class="ladder">${parts}${edge("top of the stack", stack.high)}</div>`;
}
