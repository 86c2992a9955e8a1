/**
 * The line in which a failed program most likely said why: the last one that begins like a message ("crash: …", "Exception: …"),
 * else the last one. Null if it said nothing.
 */
export function lastWords(text: string): string | null {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const messages = lines.filter((line) => /^\w+: \S/.test(line) && !/^(?:warning|file):/i.test(line));
  return messages.at(-1) ?? lines.at(-1) ?? null;
}
