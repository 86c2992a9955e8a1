/** The page's style sheet. Nothing in it refers to anything outside the page. */
export const STYLES = `
:root {
  color-scheme: light dark;
  --bg: #fcfcfb; --ink: #1c1f24; --dim: #676c75; --line: #dddcd7; --panel: #f4f3f0; --link: #1c5fae; --bad: #b42318;
  --proven: #bcd0ea; --typed: #cfe3cf; --assumed: #f0e2b8; --point: #f2a65a; --edge: #fcfcfb; --limit: #8a5a00;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #16181c; --ink: #e3e5e8; --dim: #969ca6; --line: #33373e; --panel: #1e2126; --link: #7fb4f5; --bad: #ff7a6b;
    --proven: #3a4f70; --typed: #33543a; --assumed: #5a4d22; --point: #a35a12; --edge: #16181c; --limit: #e2b44f;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 78rem; padding: 1.4rem 1.25rem 3rem; background: var(--bg); color: var(--ink); font: .94rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: .2rem 0 .4rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
.dim { color: var(--dim); }
a { color: var(--link); text-underline-offset: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .6rem 0; }
th, td { text-align: left; padding: .15rem .9rem .15rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--dim); font-weight: normal; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.over { color: var(--bad); font-weight: 600; }
code { font-family: var(--mono); font-size: .85rem; }
ul.key { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; list-style: none; padding: 0; margin: .4rem 0; }
ul.key i { display: inline-block; width: 1em; height: 1em; margin-right: .4em; vertical-align: -.15em; border-radius: 2px; }
i.proven { background: var(--proven); } i.typed { background: var(--typed); } i.assumed { background: var(--assumed); } i.point { background: var(--point); }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .7rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; font-weight: 600; }
summary .dim { font-weight: normal; }
/* On a narrow screen it is scrolled: shrunk further, no name could be read. */
.icicle { display: block; max-width: 100%; min-width: 52rem; height: auto; margin: .5rem 0; }
.icicle text { font: 10px var(--mono); fill: var(--ink); pointer-events: none; }
.icicle .f path { stroke: var(--edge); stroke-width: 1; }
.icicle .proven path { fill: var(--proven); } .icicle .typed path { fill: var(--typed); } .icicle .assumed path { fill: var(--assumed); }
.icicle .point path { fill: var(--point); }
.icicle .f:not(.deepest) { opacity: .85; }
.icicle .repeated path { fill-opacity: .35; stroke-dasharray: 3 3; stroke: var(--dim); }
.icicle .base path { fill: var(--panel); }
.icicle .f { cursor: default; outline: none; }
.icicle .f:hover path, .icicle .f:focus path, .icicle .f.same path { stroke: var(--ink); }
.icicle line.tick { stroke: var(--line); stroke-width: .5; }
.icicle text.tick { fill: var(--dim); text-anchor: end; }
.icicle line.limit { stroke: var(--limit); stroke-dasharray: 6 4; } .icicle text.limit { fill: var(--limit); text-anchor: end; }
.icicle line.fatal { stroke: var(--bad); stroke-width: 2; } .icicle text.fatal { fill: var(--bad); text-anchor: end; font-weight: bold; }
#told { position: fixed; right: 1rem; bottom: 1rem; max-width: 34rem; margin: 0; padding: .5rem .8rem; background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; font: .8rem/1.45 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }
#told:empty { display: none; }
`;
