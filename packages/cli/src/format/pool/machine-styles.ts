/** The page's style sheet, after uPlot's. Nothing in it refers to anything outside the page. */
export const STYLES = `
:root {
  color-scheme: light dark;
  --bg: #fcfcfb; --ink: #1c1f24; --dim: #676c75; --line: #dddcd7; --bad: #b42318; --mark: #8a5a00;
  --c0: #1c5fae; --c1: #c2410c; --c2: #15803d; --c3: #9333a8; --c4: #6b7280; --c5: #a16207; --c6: #0e7490; --c7: #be185d;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #16181c; --ink: #e3e5e8; --dim: #969ca6; --line: #33373e; --bad: #ff7a6b; --mark: #e2b44f;
    --c0: #7fb4f5; --c1: #fb923c; --c2: #6cc58b; --c3: #d8a0e8; --c4: #a3a9b3; --c5: #e2b44f; --c6: #5fc7dd; --c7: #f58bb8;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 56rem; padding: 1.4rem 1.25rem 3rem; background: var(--bg); color: var(--ink); font: .94rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: .2rem 0 .4rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
.dim { color: var(--dim); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .6rem 0 1.2rem; width: 100%; }
th, td { text-align: left; padding: .15rem .9rem .15rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--dim); font-weight: normal; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.bad { color: var(--bad); }
code { font-family: var(--mono); font-size: .85rem; }
table.u-legend { width: auto; color: var(--ink); margin: 0; }
.u-legend th, .u-legend td { border-bottom: 0; }
`;
