/** The page's style sheet, after uPlot's. Nothing in it refers to anything outside the page. */
export const STYLES = `
:root {
  color-scheme: light dark;
  --bg: #fcfcfb; --ink: #1c1f24; --dim: #676c75; --line: #dddcd7; --curve: #1c5fae; --band: #1c5fae33; --formula: #8a5a00;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root { --bg: #16181c; --ink: #e3e5e8; --dim: #969ca6; --line: #33373e; --curve: #7fb4f5; --band: #7fb4f540; --formula: #e2b44f; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.4rem 1.25rem 3rem; background: var(--bg); color: var(--ink); font: .94rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: .2rem 0 .4rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .3rem; }
p { margin: .3rem 0 .8rem; }
.dim { color: var(--dim); }
code { font-family: var(--mono); font-size: .85rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table.u-legend { color: var(--ink); }
.scroll table { border-collapse: collapse; }
.scroll th, .scroll td { text-align: right; padding: .15rem 1.2rem .15rem 0; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; white-space: nowrap; }
.scroll th { color: var(--dim); font-weight: normal; }
`;
