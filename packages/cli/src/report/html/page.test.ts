import type { Diagnosis } from "@spillway/core";
import fc from "fast-check";
import { type DefaultTreeAdapterTypes, parse } from "parse5";
import { describe, expect, it, test } from "vitest";
import { BUFFER_OVERFLOW, DEEP_CHAIN, RECURSION, SYSRQ } from "../../testing/diagnoses.ts";
import { mapOf } from "../../testing/stack-maps.ts";
import { renderHtml } from "./page.ts";

type Element = DefaultTreeAdapterTypes.Element;

function elements(node: DefaultTreeAdapterTypes.ParentNode): Element[] {
  return node.childNodes.flatMap((child) =>
    "childNodes" in child ? ("tagName" in child ? [child] : []).concat(elements(child)) : [],
  );
}

function textOf(node: DefaultTreeAdapterTypes.ParentNode): string {
  return node.childNodes
    .map((child) => ("value" in child ? child.value : "childNodes" in child ? textOf(child) : ""))
    .join("");
}

/** The page as a browser reads it, and what a validator complains of. */
function read(text: string) {
  const errors: string[] = [];
  const document = parse(text, { onParseError: (error) => errors.push(`${error.code} at line ${error.startLine}`) });
  const all = elements(document);
  const attribute = (element: Element, name: string): string | null =>
    element.attrs.find((one) => one.name === name)?.value ?? null;
  const byId = (id: string): Element | undefined => all.find((one) => attribute(one, "id") === id);
  return { errors, all, attribute, byId };
}

function page(diagnosis: Diagnosis, map = diagnosis.stack === null ? null : mapOf(diagnosis)): string {
  return renderHtml({ diagnosis, map, facts: null, command: "spillway diagnose vmcore" });
}

const all = { BUFFER_OVERFLOW, DEEP_CHAIN, RECURSION, SYSRQ, TEXT: { ...RECURSION, stack: null } };

describe.each(Object.entries(all))("page of %s", (_name, diagnosis) => {
  const { errors, all: elementsOf, attribute, byId } = read(page(diagnosis));

  it("is valid", () => {
    expect(errors).toEqual([]);
    const ids = elementsOf.flatMap((one) => attribute(one, "id") ?? []);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it("needs nothing from outside", () => {
    for (const element of elementsOf) {
      for (const { name, value } of element.attrs) {
        if (name === "href") expect(value).toMatch(/^#/);
        expect(["src", "srcset", "action", "data", "xlink:href", "style", "background"]).not.toContain(name);
        expect(name).not.toMatch(/^on/);
      }
      expect(["link", "img", "iframe", "object", "embed", "base", "form"]).not.toContain(element.tagName);
    }
    const style = elementsOf.find((one) => one.tagName === "style")!;
    expect(textOf(style)).not.toMatch(/url\(|@import|expression/);
  });

  it("leads every link to a place in it", () => {
    const links = elementsOf.flatMap((one) => (one.tagName === "a" ? [attribute(one, "href")!.slice(1)] : []));
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((id) => byId(id) === undefined)).toEqual([]);
  });

  it("holds the document for programs", () => {
    expect(JSON.parse(textOf(byId("spillway-diagnosis")!))).toEqual(diagnosis);
  });
});

test("evidence and the words it is about lead to each other", () => {
  const slot = BUFFER_OVERFLOW.corruption!.canary!.slot;
  const map = mapOf(BUFFER_OVERFLOW, (_address, index) =>
    index === 3 ? { address: slot, evidence: ["canary-mismatch"], state: "bad", kind: "canary", label: "canary" } : {},
  );
  const { byId, attribute, all: found } = read(page(BUFFER_OVERFLOW, map));
  const word = byId(`w-${slot.slice(2)}`)!;
  const evidence = byId("e1")!;
  const links = (element: Element) => elements(element).flatMap((one) => attribute(one, "href") ?? []);
  expect(links(word)).toEqual(["#e1"]);
  expect(links(evidence)).toEqual([`#w-${slot.slice(2)}`]);
  // What tells the story is open from the start.
  const open = found.filter((one) => one.tagName === "details" && attribute(one, "open") !== null);
  expect(open.some((one) => elements(one).includes(word))).toBe(true);
});

test("the policy lets nothing run but the page's own script", () => {
  const { all: found, attribute } = read(page(SYSRQ));
  const policy = attribute(found.find((one) => attribute(one, "http-equiv") !== null)!, "content")!;
  expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+';/);
});

/** The same diagnosis with every string of the dump replaced. */
function withTexts(diagnosis: Diagnosis, text: string): Diagnosis {
  return {
    ...diagnosis,
    input: { ...diagnosis.input, path: text },
    kernel: { ...diagnosis.kernel, release: text },
    panic: { ...diagnosis.panic, message: text, comm: text },
    verdict: {
      ...diagnosis.verdict,
      summary: text,
      culprit: { function: text, module: text, file: text, line: 1 },
    },
    frames: diagnosis.frames.map((frame) => ({
      ...frame,
      function: text,
      module: text,
      why: text,
      file: text,
      line: 1,
    })),
    stale: [{ function: text, sp: "0x1000" }],
    corruption: diagnosis.corruption && { ...diagnosis.corruption, pattern: text },
    alternatives: [{ kind: "foreign-write", confidence: "possible", why: text }],
    evidence: diagnosis.evidence.map((item) => ({ ...item, text })),
    missing: [text],
    advice: [text],
  };
}

const HOSTILE = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onclick='alert(1)",
    "<!--",
    "]]>",
    "</title></style><style>*{display:none}",
    "javascript:alert(1)",
    "&lt;b&gt;",
    "\u0000\u001b]0;x\u0007",
  ),
);

test("no text of a dump becomes markup", () => {
  const shape = (text: string): string[] =>
    read(text).all.map((one) => `${one.tagName} ${one.attrs.map((a) => a.name).join(" ")}`);
  fc.assert(
    fc.property(HOSTILE, (text) => {
      // The same page but for the words in it: as many elements, of the same kinds, as with harmless text of that length.
      const hostile = withTexts(BUFFER_OVERFLOW, text);
      const harmless = withTexts(BUFFER_OVERFLOW, text.length === 0 ? "" : "x");
      const words = (label: string) =>
        mapOf(BUFFER_OVERFLOW, () => ({ label, why: label, variables: [label], code: ["0xffffffff81000000"] }));
      expect(read(page(hostile, words(text))).errors).toEqual([]);
      expect(shape(page(hostile, words(text)))).toEqual(shape(page(harmless, words(text.length === 0 ? "" : "x"))));
    }),
    { numRuns: 30 },
  );
});
