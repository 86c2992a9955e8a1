import type { SourceLocation } from "@spillway/core";
import { printable } from "../text/printable.ts";

/** `fs/read_write.c:582`. */
export function formatLocation(location: Pick<SourceLocation, "file" | "line">): string {
  return `${printable(location.file)}:${location.line}`;
}
