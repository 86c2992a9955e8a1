import { describe, expect, it } from "vitest";
import { html, jsonText, NOTHING } from "./html.ts";

describe("templates", () => {
  const cases: [string, unknown, string][] = [
    ["text", "a<b>&'\"", "a&lt;b&gt;&amp;&#39;&quot;"],
    ["control characters and what turns text around", "\u001b[2J\u202ex", ".[2J.x"],
    ["numbers", 0, "0"],
    ["addresses", 0xffffn, "65535"],
    ["nothing", null, ""],
    ["what a condition left out", false, ""],
    ["HTML", html`<b>${"<"}</b>`, "<b>&lt;</b>"],
    ["lists", [html`<i>`, "<i>", [1, NOTHING]], "<i>&lt;i&gt;1"],
  ];
  it.each(cases)("take %s", (_name, value, expected) => {
    expect(html`<p>${value as string}</p>`.text).toBe(`<p>${expected}</p>`);
  });
});

describe("JSON in a script element", () => {
  it("cannot end the element", () => {
    const value = { text: "</script><script>alert(1)</script><!--", line: "\u2028" };
    const { text } = jsonText(value);
    expect(text).not.toMatch(/[<>&\u2028]/);
    expect(JSON.parse(text)).toEqual(value);
  });
});
