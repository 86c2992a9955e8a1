/**
 * An esbuild plugin for packages of plain functions that do much work when loaded (decompressors that build their tables):
 * in the bundle each is loaded when one of its functions is first called.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { Plugin } from "esbuild";

/** @param from a file of the package that depends on them */
export function lazyPackages(packages: readonly string[], from: string): Plugin {
  const require = createRequire(from);
  return {
    name: "lazy-packages",
    setup(build) {
      build.onResolve({ filter: /^[\w-]+$/ }, ({ path, pluginData }) =>
        packages.includes(path) && pluginData !== "real" ? { path, namespace: "lazy-package" } : null,
      );
      build.onResolve({ filter: /^real:/, namespace: "lazy-package" }, ({ path, resolveDir }) =>
        build.resolve(path.slice("real:".length), { kind: "import-statement", pluginData: "real", resolveDir }),
      );
      build.onLoad({ filter: /.*/, namespace: "lazy-package" }, ({ path }) => {
        const functions = Object.entries(require(path)).filter(([, value]) => typeof value === "function");
        const forward = functions.map(
          ([name]) => `export const ${name} = (...all) => require("real:${path}").${name}(...all);`,
        );
        return { contents: forward.join("\n"), resolveDir: dirname(from), loader: "js" };
      });
    },
  };
}
