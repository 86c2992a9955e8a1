import { hex16 } from "../text/hex.ts";

/**
 * The words of a stack in crash's `bt -r` layout: two to a row, those that are addresses of symbols by name.
 * @param words null where the dump does not have the word
 */
export function formatRawStack(
  words: readonly (bigint | null)[],
  low: bigint,
  symbolize: (word: bigint) => string | null,
): string {
  let text = "";
  for (let index = 0; index < words.length; index += 2) {
    const cells = words.slice(index, index + 2).map((word) => {
      if (word === null) return "(not in dump)   ";
      return (symbolize(word) ?? hex16(word)).padEnd(16);
    });
    text += `${hex16(low + BigInt(index * 8))}:  ${cells.join(" ")} \n`;
  }
  return text;
}
