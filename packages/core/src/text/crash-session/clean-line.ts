/** Lines as people paste them: out of web pages, mails and tickets. */

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', "#39": "'", nbsp: " " };

/** Terminal colours (ECMA-48 SGR and the like). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they begin with
const ESCAPES = /\x1b\[[0-9;?]*[A-Za-z]/g;

/** Takes off what pasting adds: HTML entities, quotation marks of mails, non-breaking spaces, colours, line numbers never. */
export function cleanLine(line: string): string {
  let text = line.replaceAll(ESCAPES, "").replaceAll("\u00a0", " ").replace(/\r$/, "");
  if (text.includes("&")) text = text.replaceAll(/&(lt|gt|amp|quot|#39|nbsp);/g, (_, name: string) => ENTITIES[name]!);
  return text.replace(/^(?:> ?)+(?=\s|#\d|[0-9a-f]{8})/, "");
}

/** The command of a prompt line (`crash> bt -r`, `crash64>`), or null. */
export function promptOf(line: string): string | null {
  return /^\s*crash(?:\d*|_\w+)?>\s*(.*?)\s*$/.exec(line)?.[1] ?? null;
}
