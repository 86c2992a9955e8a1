/**
 * An esbuild plugin that makes iced-x86 fit for a bundle. As published (1.21) it is a CommonJS module that, when loaded,
 * reads its WebAssembly from a file beside it, compiles it, and builds tables of some 15,000 names. In the bundle
 * - the module and its WebAssembly are one deflated string, so that V8 has next to nothing to parse when no code is decoded;
 * - they are inflated and evaluated when core first takes something from the module (core/src/code/iced.ts);
 * - tables that core does not take are left out.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { type Plugin, transform } from "esbuild";

/** Replaces `pattern`, which must be there: a new release of iced-x86 may not look like this one. */
function replaceOnce(source: string, pattern: RegExp, replacement: string): string {
  if (!pattern.test(source))
    throw new Error(`iced-x86 no longer contains ${pattern}: look at scripts/lazy-iced.ts again`);
  return source.replace(pattern, () => replacement);
}

/** iced_x86.js as the body of a function of `module`, `require` and `bytes`, its WebAssembly; without tables not in `used`. */
export function trimIced(source: string, used: ReadonlySet<string>): string {
  const text = source.replaceAll(/^module\.exports\.(\w+) = Object\.freeze\(\{.*?\}\);$/gms, (table, name: string) =>
    used.has(name) ? table : "",
  );
  return replaceOnce(text, /^const path = require\('path'\).*\nconst bytes = .*$/m, "");
}

function deflated(bytes: Uint8Array | string): string {
  return deflateRawSync(bytes, { level: 9 }).toString("base64");
}

/** The module that stands in for iced-x86: an object whose properties load the real one when first read. */
async function standIn(path: string, used: ReadonlySet<string>): Promise<string> {
  const body = trimIced(readFileSync(path, "utf8"), used);
  const { code } = await transform(body, { minifyWhitespace: true, minifySyntax: true, legalComments: "none" });
  const wasm = readFileSync(join(dirname(path), "iced_x86_bg.wasm"));
  const names = [...body.matchAll(/^module\.exports\.([A-Z]\w*) = /gm)].map(([, name]) => name!);
  const getters = names.filter((name) => used.has(name)).map((name) => `  get ${name}() { return load().${name}; },`);
  return `
import { inflateRawSync } from "node:zlib";
const inflate = (text) => inflateRawSync(Buffer.from(text, "base64"));
let exports;
function load() {
  if (exports === undefined) {
    const module = { exports: {} };
    const code = inflate("${deflated(code)}").toString("latin1");
    const wasm = inflate("${deflated(wasm)}");
    new Function("module", "require", "bytes", code)(module, () => globalThis, wasm);
    exports = module.exports;
  }
  return exports;
}
export default {
${getters.join("\n")}
};
`;
}

/** @param importer the file that takes names from iced-x86 */
export function lazyIced(importer: string): Plugin {
  return {
    name: "lazy-iced",
    setup(build) {
      build.onLoad({ filter: /[\\/]iced_x86\.js$/ }, async ({ path }) => {
        const used = new Set(readFileSync(importer, "utf8").match(/\w+/g));
        return { contents: await standIn(path, used), loader: "js" };
      });
    },
  };
}
