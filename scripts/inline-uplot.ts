/**
 * An esbuild plugin that puts uPlot's own files into the bundle as text: a page that a command writes has them in it, and the bundle has no
 * node_modules beside it to read them from.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Plugin } from "esbuild";

/** @param packageJson of the package that depends on uPlot */
export function inlineUplot(packageJson: string): Plugin {
  const require = createRequire(packageJson);
  const text = (name: string) => JSON.stringify(readFileSync(require.resolve(`uplot/dist/${name}`), "utf8"));
  return {
    name: "inline-uplot",
    setup(build) {
      build.onLoad({ filter: /[\\/]page[\\/]uplot-files\.ts$/ }, () => ({
        contents: `export const uplotScript = () => ${text("uPlot.iife.min.js")};
export const uplotStyles = () => ${text("uPlot.min.css")};`,
        loader: "js",
      }));
    },
  };
}
