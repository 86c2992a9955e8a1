/**
 * An esbuild plugin that takes Node's own modules with `process.getBuiltinModule` when the code that wants them is first
 * reached. A static `import … from "node:fs"` would read every export of it, and so load parts of Node that nobody asked
 * for (fs.promises; the standard streams, for node:process): 10 ms in all.
 */
import { builtinModules } from "node:module";
import type { Plugin } from "esbuild";

const names = new Set(builtinModules);

/** commander loads node:child_process, which loads Node's network code, for a feature that we do not use. */
const WHEN_USED = new Set(["child_process"]);

export const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  setup(build) {
    build.onResolve({ filter: /^[a-z_:/]+$/ }, ({ path, importer }) => {
      const name = path.replace(/^node:/, "");
      if (!names.has(name)) return null;
      const suffix = WHEN_USED.has(name) && importer.includes("commander") ? "?when-used" : "";
      return { path: name, suffix, namespace: "builtin" };
    });
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path, suffix }) => {
      const get = `process.getBuiltinModule("node:${path}")`;
      const contents =
        suffix === ""
          ? `module.exports = ${get};`
          : `module.exports = new Proxy({}, { get: (_, name) => ${get}[name] });`;
      return { contents, loader: "js" };
    });
  },
};
