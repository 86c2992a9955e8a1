import { readFileSync } from "node:fs";
import { join } from "node:path";
import { spillwaySources } from "./module-sources.ts";

/**
 * The critical points that the module hooks when it is told none: read from its source, so that there is one list. Empty
 * where the source is not there.
 */
export function defaultPoints(): string[] {
  try {
    return parseDefaultPoints(readFileSync(join(spillwaySources(), "main.c"), "utf8"));
  } catch {
    return [];
  }
}

/** The names in `static char *points = "…";`. */
export function parseDefaultPoints(source: string): string[] {
  const match = /^static char \*points\s*=((?:\s*"[^"]*")+);/m.exec(source);
  if (match === null) return [];
  const parts = [...match[1]!.matchAll(/"([^"]*)"/g)].map((part) => part[1]!);
  return parts
    .join("")
    .split(",")
    .map((name) => name.split(":")[0]!);
}
