/** Words, numbers, texts and signs of a model's text. */
import { LIMITS, type Place } from "./model.ts";
import { badModel, tooLarge } from "./model-error.ts";

export interface Token {
  readonly kind: "word" | "number" | "text" | "sign" | "end";
  /** The word, the digits, the sign, or what stands between the quotes. */
  readonly text: string;
  readonly at: Place;
}

const PIECES = [
  ["blank", /[ \t\r\n]+|#[^\n]*/y],
  ["word", /[A-Za-z_][A-Za-z0-9_]*/y],
  ["number", /[0-9]+/y],
  ["text", /"[^"\n]*"/y],
  ["sign", /\|\||&&|==|!=|<=|>=|[<>+\-*!(){}.,;=]/y],
] as const;

/**
 * Cuts a text into tokens; the last one is always `end`.
 * @param place how a position is named; by default "line:column", both from 1
 * @throws SpillwayError SPW_CHECK_BAD_MODEL, SPW_CHECK_TOO_LARGE
 */
export function tokenize(
  source: string,
  place = (line: number, column: number): Place => `${line}:${column}`,
): Token[] {
  if (source.length > LIMITS.source) {
    throw tooLarge(null, `a model of more than ${LIMITS.source >> 10} KiB of text`);
  }
  const tokens: Token[] = [];
  let line = 1;
  let lineStart = 0;
  for (let at = 0; at < source.length; ) {
    const here = place(line, at - lineStart + 1);
    const found = match(source, at);
    if (found === null) {
      const character = String.fromCodePoint(source.codePointAt(at)!);
      throw badModel(
        here,
        character === '"' ? "a text without its closing quote" : `"${character}" has no meaning here`,
      );
    }
    const [kind, text] = found;
    if (kind === "text") tokens.push({ kind, text: text.slice(1, -1), at: here });
    else if (kind !== "blank") tokens.push({ kind, text, at: here });
    for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) {
      line++;
      lineStart = at + i + 1;
    }
    at += text.length;
  }
  tokens.push({ kind: "end", text: "", at: place(line, source.length - lineStart + 1) });
  return tokens;
}

function match(source: string, at: number): readonly [(typeof PIECES)[number][0], string] | null {
  for (const [kind, pattern] of PIECES) {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found !== null) return [kind, found[0]];
  }
  return null;
}

/** A position in a list of tokens, and the questions that parsers ask there. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get token(): Token {
    return this.#tokens[this.#next]!;
  }

  take(): Token {
    const token = this.token;
    if (token.kind !== "end") this.#next++;
    return token;
  }

  /** Is it this word or sign? */
  is(text: string): boolean {
    const { token } = this;
    return (token.kind === "word" || token.kind === "sign") && token.text === text;
  }

  /** Takes this word or sign, if it is there. */
  accept(text: string): boolean {
    const here = this.is(text);
    if (here) this.take();
    return here;
  }

  expect(text: string): Token {
    if (!this.is(text)) throw this.wrong(`"${text}"`);
    return this.take();
  }

  word(what: string): Token {
    if (this.token.kind !== "word") throw this.wrong(what);
    return this.take();
  }

  /** A whole number from `least` to `most`. */
  number(what: string, least: number, most: number): number {
    if (this.token.kind !== "number") throw this.wrong(what);
    const { text, at } = this.take();
    const value = Number(text);
    if (value < least || value > most) throw badModel(at, `${what}: ${text} is not between ${least} and ${most}`);
    return value;
  }

  /** The complaint that something else stands here. */
  wrong(expected: string): Error {
    const { kind, text, at } = this.token;
    const found = kind === "end" ? "the end of the model" : kind === "text" ? `the text "${text}"` : `"${text}"`;
    return badModel(at, `expected ${expected}, found ${found}`);
  }
}
