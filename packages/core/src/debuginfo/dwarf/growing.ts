import type { DebugSection } from "../elf/debug-section.ts";
import { corrupt, Reader } from "./reader.ts";

/**
 * Parses what begins at an offset and does not tell its length: reads a little, and more only where the parser comes to the
 * end of that.
 * @param most bytes that the thing may have at all
 * @throws SpillwayError `SPW_DEBUGINFO_CORRUPT`
 */
export function parseGrowing<T>(
  section: DebugSection | null,
  offset: number,
  first: number,
  most: number,
  parse: (reader: Reader) => T,
): T {
  const rest = Math.min(section === null ? 0 : section.size - offset, most);
  if (section === null || !(rest > 0))
    throw corrupt(`nothing at ${offset} of ${section?.name ?? "a section"}`, { offset });
  for (let length = Math.min(rest, first); ; length = Math.min(rest, length * 8)) {
    const bytes = section.bytes(offset, length);
    if (bytes === null) throw corrupt(`${section.name} cannot be read at ${offset}`, { offset });
    try {
      return parse(new Reader(bytes));
    } catch (error) {
      if (length === rest) throw error;
    }
  }
}
