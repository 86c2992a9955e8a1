/** The page's style sheet. Nothing in it refers to anything outside the page. */
export const STYLES = `
:root {
  color-scheme: light dark;
  --bg: #fcfcfb; --ink: #1c1f24; --dim: #676c75; --line: #dddcd7; --panel: #f4f3f0; --link: #1c5fae;
  --bad: #b42318; --bad-bg: #fde4e0; --bad-ink: #7f1710; --good: #23733f; --warn: #8a5a00; --warn-bg: #fdf0d0;
  --frame: #cdd9ea; --frame-odd: #b9c9e0; --old: #e4dfd3; --stale: #a39877; --registers: #c4ddd3; --free: #ffffff;
  --hit: #d92d20; --blamed: #f3a69c; --blamed-odd: #ee9387; --mono: ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #16181c; --ink: #e3e5e8; --dim: #969ca6; --line: #33373e; --panel: #1e2126; --link: #7fb4f5;
    --bad: #ff7a6b; --bad-bg: #46201c; --bad-ink: #ffb4a9; --good: #6cc58b; --warn: #e2b44f; --warn-bg: #3c3117;
    --frame: #3a4a63; --frame-odd: #46597a; --old: #39352b; --stale: #8b8065; --registers: #2d4f44; --free: #1b1d22;
    --hit: #f0493b; --blamed: #8a3a32; --blamed-odd: #9c453c;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--bg); color: var(--ink); font: .94rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
main, .verdict { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem; }
h1, h2, h3 { line-height: 1.25; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1rem 0 .5rem; }
h3 .dim { font-weight: normal; }
a { color: var(--link); text-underline-offset: 2px; }
code, pre, .a, .v, .t, .n, table.words { font-family: var(--mono); font-size: .82rem; }
.dim { color: var(--dim); }
.note { color: var(--dim); font-size: .87rem; margin: .35rem 0; max-width: 60rem; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
thead.sr, caption.sr { display: block; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--bg); padding: .3rem .6rem; z-index: 2; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
mark { background: var(--bad-bg); color: var(--bad-ink); border-radius: 2px; }

.verdict { padding-top: 1.6rem; padding-bottom: .4rem; }
.verdict .kind { margin: 0; color: var(--dim); font-size: .85rem; }
.product { font-weight: 600; color: var(--ink); }
.verdict h1 { font-size: 1.9rem; margin: .35rem 0 .3rem; border-left: .45rem solid var(--tone); padding-left: .8rem; }
.verdict.bad { --tone: var(--bad); } .verdict.fine { --tone: var(--good); } .verdict.open { --tone: var(--warn); }
.verdict.bad h1, .verdict.fine h1, .verdict.open h1 { color: var(--tone); }
.chip { display: inline-block; font-size: .85rem; font-weight: 600; color: var(--ink); border: 1px solid var(--line); background: var(--panel); border-radius: 1rem; padding: .05rem .65rem; vertical-align: middle; }
.chip.small { font-size: .75rem; padding: 0 .5rem; font-weight: normal; }
.summary { font-size: 1.15rem; max-width: 60rem; margin: .5rem 0 1rem; }
dl.facts { display: grid; gap: .15rem 1.5rem; margin: 0; }
dl.facts div { display: grid; grid-template-columns: 8.5rem 1fr; gap: .5rem; }
dt { color: var(--dim); }
dd { margin: 0; min-width: 0; }
dd.strong { font-weight: 700; }

.head { display: flex; align-items: baseline; gap: 1rem; }
.head h2 { flex: 1; }
.tools button { font: inherit; font-size: .8rem; background: var(--panel); color: var(--ink); border: 1px solid var(--line); border-radius: .3rem; padding: .1rem .6rem; cursor: pointer; }
.stack { display: grid; grid-template-columns: 234px minmax(0, 1fr); gap: .8rem; align-items: start; }
.overview { position: sticky; top: .5rem; }
.other { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: .35rem .7rem; }
.other > summary { cursor: pointer; }
.o-name { font-weight: 600; }
.other > .stack { margin: .7rem 0; }

.ladder { border: 1px solid var(--line); border-radius: .4rem; overflow: hidden; background: var(--free); }
.r { border-left: 5px solid transparent; }
.r + .r, .edge + .r, .r + .edge { border-top: 1px solid var(--line); }
.line { display: grid; grid-template-columns: 9.6rem 1.1rem minmax(0, 1fr) auto 64px; gap: .5rem; align-items: center; padding: .14rem .6rem .14rem .4rem; }
summary.line { cursor: pointer; list-style: none; }
summary.line::-webkit-details-marker { display: none; }
summary.line .n::after { content: " \\25b8"; color: var(--dim); }
details[open] > summary.line .n::after { content: " \\25be"; }
summary.line:hover, .other > summary:hover { background: var(--panel); }
.a { color: var(--dim); }
.n { overflow-wrap: anywhere; }
.b { text-align: right; font-variant-numeric: tabular-nums; font-size: .85rem; }
.bar { width: 64px; height: 8px; display: block; }
.bar-all { fill: var(--panel); } .bar-part { fill: var(--frame-odd); }
.mark { color: var(--dim); text-align: center; } .mark.inferred, tr.inferred .mark { color: var(--warn); }
.r-frame { border-left-color: var(--frame); }
.r-registers { border-left-color: var(--registers); }
.r-left-over { border-left-color: var(--old); }
.r-guard { color: var(--dim); background: repeating-linear-gradient(45deg, transparent 0 5px, var(--panel) 5px 10px); }
.r-untouched { color: var(--dim); }
.r.hit { border-left-color: var(--hit); }
.r.hit .bar-part, .r.culprit .bar-part { fill: var(--hit); }
.r.culprit > .line .n, .r.raised > .line .n { font-weight: 700; }
.r.culprit { background: color-mix(in srgb, var(--bad-bg) 35%, transparent); }
.edge { display: flex; gap: .8rem; align-items: center; padding: .05rem .6rem .05rem calc(.4rem + 5px); background: var(--panel); color: var(--dim); font-size: .8rem; }
.tag { font: 600 .7rem/1.5 system-ui, sans-serif; border: 1px solid var(--line); border-radius: .25rem; padding: 0 .35rem; white-space: nowrap; color: var(--dim); }
.tag.bad { color: var(--bad); border-color: var(--bad); } .tag.good { color: var(--good); border-color: var(--good); }
.tag.src, .var { font-weight: normal; color: var(--warn); border-color: var(--warn); }
.in { padding: .1rem .4rem .4rem; }
.in > .note { margin-left: .3rem; }
.vars { margin: .2rem 0; padding-left: 1.4rem; font-size: .85rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
table.words { width: 100%; }
.words th { font-weight: normal; text-align: left; color: var(--dim); }
.words th, .words td { padding: .04rem .55rem; vertical-align: top; white-space: nowrap; border-left: 3px solid transparent; }
.words td { border: 0; }
.words td.l { white-space: normal; width: 100%; min-width: 15rem; font-family: system-ui, sans-serif; font-size: .85rem; }
.words td.t { white-space: pre; color: var(--dim); }
.w-zero td, .w-content td.l, .w-missing td { color: var(--dim); }
.w-stale-return td.l, .w-stale-canary td.l { color: var(--dim); font-style: italic; }
.w-return-address th { border-left-color: var(--frame-odd); }
.w-canary th, .w-end-marker th { border-left-color: var(--good); }
.w-canary.good td.l, .w-end-marker.good td.l { color: var(--good); }
tr.bad td.l { color: var(--bad); font-weight: 600; }
tr.bad details p, tr.bad details ul, tr.bad details.quiet > summary { cursor: pointer; color: var(--dim); font-size: .82rem; padding: .05rem .55rem; }
.ev { font-weight: normal; }
tr.hit { background: var(--bad-bg); } tr.hit th { border-left-color: var(--hit); }
tr.hit .t { color: var(--bad-ink); }
tr.hit mark { background: none; font-weight: 700; }
tr.source { background: var(--warn-bg); } tr.source th { border-left-color: var(--warn); }
details.why > summary { cursor: pointer; display: inline; list-style: none; text-decoration: underline dotted; text-underline-offset: 3px; }
details.why > summary::-webkit-details-marker { display: none; }
details.why[open] > summary { text-decoration: none; }
.why p, .why ul { margin: .15rem 0; color: var(--ink); font-weight: normal; }
ul.code { list-style: none; padding: 0; font-family: var(--mono); font-size: .8rem; }
details.quiet > summary { cursor: pointer; color: var(--dim); font-size: .82rem; padding: .05rem .55rem; }
.ev { font-size: .78rem; white-space: nowrap; }
:target { outline: 2px solid var(--link); outline-offset: -1px; }
.legend { list-style: none; padding: 0; margin: .7rem 0 0; display: flex; flex-wrap: wrap; gap: .2rem 1.3rem; font-size: .82rem; color: var(--dim); }
.swatch { display: inline-block; width: .9rem; height: .7rem; border-radius: 2px; }
.sw-damage { background: var(--hit); } .sw-source { background: var(--warn); } .sw-old { background: var(--old); border: 1px solid var(--stale); } .sw-registers { background: var(--registers); }

.strip { display: block; max-width: 100%; height: auto; }
.s-free { fill: var(--free); } .s-old { fill: var(--old); } .s-frame { fill: var(--frame); } .s-frame.odd { fill: var(--frame-odd); } .s-frame.blamed { fill: var(--blamed); } .s-frame.blamed.odd { fill: var(--blamed-odd); }
.s-registers { fill: var(--registers); } .s-unclaimed { fill: var(--panel); } .s-marker { fill: var(--good); } .s-guard { fill: none; }
.hatch { fill: var(--stale); opacity: .45; }
.s-stale { fill: var(--stale); } .s-outline { fill: none; stroke: var(--dim); }
.s-damage { fill: var(--hit); } .s-over { fill: var(--hit); opacity: .75; }
.s-canary { fill: var(--good); } .s-canary.bad { fill: var(--hit); }
.s-leader { stroke: var(--dim); fill: none; stroke-width: .75; }
.s-label { font: 600 12px system-ui, sans-serif; fill: var(--ink); } .s-label.bad { fill: var(--bad); }
.s-more { font: 11px system-ui, sans-serif; fill: var(--dim); }
.strip a:hover text { text-decoration: underline; }

table.frames th, table.frames td { text-align: left; padding: .14rem .7rem .14rem 0; vertical-align: baseline; }
table.frames thead th { color: var(--dim); font-weight: normal; font-size: .82rem; border-bottom: 1px solid var(--line); }
table.frames tbody th { font: .85rem var(--mono); }
table.frames .source { font: .8rem var(--mono); overflow-wrap: anywhere; min-width: 12rem; }
table.frames .num { text-align: right; font-variant-numeric: tabular-nums; }
table.frames tr.culprit th { color: var(--bad); font-weight: 700; }
table.frames tr.reason td { color: var(--dim); font-size: .85rem; padding-top: 0; max-width: 50rem; }
table.frames tr.between td { color: var(--dim); font-style: italic; }
ol.evidence li { margin: .2rem 0; padding: 0 .2rem; }
.plain > summary, section > ul > li { margin: .15rem 0; }
pre { overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; line-height: 1.45; }
.hexdump { width: max-content; max-width: 100%; }
section > ul, ol.evidence { padding-left: 1.5rem; max-width: 64rem; }
footer { height: 3rem; }

@media screen and (max-width: 52rem) {
  .stack { grid-template-columns: minmax(0, 1fr); }
  .overview { position: static; }
  .line { grid-template-columns: 1.1rem minmax(0, 1fr) auto; }
  .line .a, .line .bar { display: none; }
  .words td.t, .words .p { display: none; }
  .words td.l { min-width: 8rem; overflow-wrap: anywhere; }
  .tag { white-space: normal; }
  .words th, .words td { padding: .04rem .3rem; }
  .in { padding: .1rem 0 .3rem; }
  .verdict h1 { font-size: 1.45rem; }
  dl.facts div { grid-template-columns: 1fr; gap: 0; }
  .edge .a { overflow: hidden; text-overflow: ellipsis; }
}
@media print {
  :root { color-scheme: light; }
  html { font-size: 10.5px; }
  body { background: none; }
  .stack { grid-template-columns: 180px minmax(0, 1fr); }
  main, .verdict { max-width: none; padding: 0; }
  .overview { position: static; }
  .tools, .skip { display: none; }
  .r, tr, li { break-inside: avoid; }
  h2 { break-after: avoid; }
  .strip, .s-damage, .hit, .swatch, .r-guard { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  a { color: inherit; text-decoration: none; }
}
`;
