/**
 * uPlot (https://github.com/leeoniya/uPlot), as text to put into a page. In the bundle this module is replaced by one that holds the text:
 * see scripts/inline-uplot.ts.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const read = (name: string): string =>
  readFileSync(createRequire(import.meta.url).resolve(`uplot/dist/${name}`), "utf8");

export const uplotScript = (): string => read("uPlot.iife.min.js");
export const uplotStyles = (): string => read("uPlot.min.css");
