/** What every page of Spillway's is: one file that needs nothing else, whose policy allows its own style sheet and script only. */
import { VERSION } from "../../version.ts";
import { Html, html } from "./html.ts";
import { pagePolicy } from "./policy.ts";

export interface HtmlDocument {
  readonly title: string;
  readonly styles: string;
  readonly script: string;
  /** All of the body before the script. */
  readonly body: Html;
}

export function htmlDocument({ title, styles, script, body }: HtmlDocument): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${pagePolicy(styles, script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Spillway ${VERSION}">
<title>${title}</title>
<style>${new Html(styles)}</style>
</head>
<body>
${body}
<script>${new Html(script)}</script>
</body>
</html>
`.text;
}
