/**
 * An esbuild plugin that makes iced-x86 fit for a bundle. As published (1.21) it is a CommonJS module that, when loaded,
 * reads its WebAssembly from a file beside it, compiles it, and builds tables of some 15,000 names: 20 ms that a command
 * which decodes no instruction should not pay. In the bundle
 * - the WebAssembly is embedded, and compiled when the first instruction is decoded;
 * - tables that core does not import are left out.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "esbuild";

/** Replaces `pattern`, which must be there: a new release of iced-x86 may not look like this one. */
function replaceOnce(source: string, pattern: RegExp, replacement: string): string {
  if (!pattern.test(source))
    throw new Error(`iced-x86 no longer contains ${pattern}: look at scripts/lazy-iced.ts again`);
  return source.replace(pattern, () => replacement);
}

/**
 * @param source of iced_x86.js
 * @param wasm its WebAssembly
 * @param used names that the importing code takes from it
 */
export function transformIced(source: string, wasm: Uint8Array, used: ReadonlySet<string>): string {
  let text = source.replaceAll(/^module\.exports\.(\w+) = Object\.freeze\(\{.*?\}\);$/gms, (table, name: string) =>
    used.has(name) ? table : "",
  );
  // The generated glue reaches the instance through the variable `wasm` only.
  text = text.replaceAll(/(?<![\w.])wasm\./g, "wasm().");
  const loader = [
    "let instance;",
    "function wasm() {",
    `  return (instance ??= new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(WASM, "base64")), imports).exports);`,
    "}",
    `const WASM = "${Buffer.from(wasm).toString("base64")}";`,
  ];
  text = replaceOnce(text, /^let wasm;$/m, loader.join("\n"));
  text = replaceOnce(text, /^const path = require\('path'\)[\s\S]*$/m, "");
  return text;
}

/** @param importer the file that takes names from iced-x86 */
export function lazyIced(importer: string): Plugin {
  return {
    name: "lazy-iced",
    setup(build) {
      build.onLoad({ filter: /[\\/]iced_x86\.js$/ }, ({ path }) => {
        const used = new Set(readFileSync(importer, "utf8").match(/\w+/g));
        const wasm = readFileSync(join(dirname(path), "iced_x86_bg.wasm"));
        return { contents: transformIced(readFileSync(path, "utf8"), wasm, used), loader: "js" };
      });
    },
  };
}
