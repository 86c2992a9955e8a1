import { SpillwayError } from "@spillway/core";

/** One command of a line. */
export interface ShellCommand {
  /** The command and its arguments, quotes taken off; empty where the line has none. */
  readonly words: readonly string[];
  /** What `sh` does with the output: the text after the first `|`, or a redirection from its `>` on. Null: print it. */
  readonly sink: string | null;
  /** A line for `sh` alone (`! ls`). */
  readonly system: string | null;
}

type Quote = '"' | "'" | null;

/**
 * Reads a line of the shell: commands with `;` between them, each with an optional `| program …` or `> file`, as in crash.
 * Quotes group; a backslash takes the next character as it is; `#` starts a comment where a command could begin. What
 * follows a `|` or `>` is `sh`'s own text and is not looked into, but for the `;` that ends it.
 * @throws SpillwayError `SPW_USAGE` where a quote is not closed or a pipe has nothing on one of its sides
 */
export function parseLine(line: string): readonly ShellCommand[] {
  const commands: ShellCommand[] = [];
  let at = 0;
  while (at < line.length) {
    const [command, end] = parseCommand(line, at);
    if (command !== null) commands.push(command);
    at = end + 1;
  }
  return commands;
}

function usage(message: string): SpillwayError {
  return new SpillwayError("SPW_USAGE", message, { class: "usage" });
}

/** Reads one command from `start`; hands back where the `;` after it is, or the end of the line. */
function parseCommand(line: string, start: number): [ShellCommand | null, number] {
  const rest = line.slice(start);
  const indent = rest.length - rest.trimStart().length;
  if (rest[indent] === "#") return [null, line.length];
  if (rest[indent] === "!") {
    return [{ words: [], sink: null, system: rest.slice(indent + 1).trim() }, line.length];
  }
  const words: string[] = [];
  let word: string | null = null;
  let at = start;
  let quote: Quote = null;
  for (; at < line.length; at++) {
    const character = line[at]!;
    if (character === "\\" && quote !== "'" && at + 1 < line.length) {
      word = (word ?? "") + line[++at]!;
    } else if (quote !== null) {
      if (character === quote) quote = null;
      else word = (word ?? "") + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (/[\s;|>]/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
      if (!/\s/.test(character)) break;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== null) throw usage(`the ${quote} is not closed`);
  if (word !== null) words.push(word);
  if (line[at] !== "|" && line[at] !== ">")
    return [words.length === 0 ? null : { words, sink: null, system: null }, at];

  const end = endOfSink(line, at);
  const text = line.slice(at, end).trim();
  const sink = text.startsWith("|") ? text.slice(1).trim() : text;
  if (words.length === 0) throw usage(`no command before "${text}"`);
  if (sink === "" || /^>+$/.test(sink)) throw usage(`nothing after "${text}"`);
  return [{ words, sink, system: null }, end];
}

/** Where the `;` is that ends what `sh` is given. */
function endOfSink(line: string, start: number): number {
  let quote: Quote = null;
  let at = start;
  for (; at < line.length; at++) {
    const character = line[at]!;
    if (character === "\\" && quote !== "'") at++;
    else if (quote !== null) quote = character === quote ? null : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === ";") break;
  }
  return Math.min(at, line.length);
}
