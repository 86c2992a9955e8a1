import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..", "..");

/** Codes that stand as string literals in the sources of every package, tests left out. */
function codesInSources(): Set<string> {
  const codes = new Set<string>();
  for (const entry of readdirSync(join(root, "packages"), { recursive: true, encoding: "utf8" })) {
    if (!/^[^/]+\/src\/.*\.ts$/.test(entry) || /\.test\.ts$|\/testing\//.test(entry)) continue;
    const text = readFileSync(join(root, "packages", entry), "utf8");
    for (const [, code] of text.matchAll(/"(SPW_[A-Z0-9_]+)"/g)) codes.add(code!);
  }
  return codes;
}

/** Codes that stand at the start of a table row in docs/errors.md. */
function codesInDocs(): Set<string> {
  const text = readFileSync(join(root, "docs", "errors.md"), "utf8");
  return new Set([...text.matchAll(/^\| `(SPW_[A-Z0-9_]+)`/gm)].map(([, code]) => code!));
}

test("docs/errors.md has exactly the error codes of the sources", () => {
  const documented = codesInDocs();
  const used = codesInSources();
  expect([...used].filter((code) => !documented.has(code))).toEqual([]);
  expect([...documented].filter((code) => !used.has(code))).toEqual([]);
});
