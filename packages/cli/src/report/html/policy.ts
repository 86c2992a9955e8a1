import { createHash } from "node:crypto";

function hash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/**
 * Content Security Policy of a page that may run its own script and use its own styles, by their hashes, and nothing else: even
 * if some text of a hostile dump got past the escaping, a browser would neither run it nor fetch anything.
 */
export function pagePolicy(styles: string, script: string): string {
  return `default-src 'none'; style-src ${hash(styles)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`;
}
