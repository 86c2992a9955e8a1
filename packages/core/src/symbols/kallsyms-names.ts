import { u32At } from "../memory/split-address.ts";

/**
 * The names of kallsyms: each a length and that many token numbers; 256 tokens of text; the first letter of a decoded name
 * is its type (kernel scripts/kallsyms.c and kernel/kallsyms.c). They stay compressed: a name becomes a string when it
 * is asked for.
 */

/** Letters that nm gives; all that a decoded name can begin with. */
const TYPE_LETTERS = "aAbBcCdDgGiInNpPrRsStTuUvVwW?-";
const HASH_FACTOR = 31;
/** Names that are made at once where all are asked for. */
const BLOCK = 64;
/** KSYM_NAME_LEN (include/linux/kallsyms.h, 6.1); damaged tables have longer ones. */
const LONGEST_NAME = 512;

/** The 256 pieces that names are made of. */
export class TokenTable {
  /** Token texts, one character for each byte. */
  readonly texts: readonly string[];
  // A name's hash is a polynomial in its characters, so a token adds to it as a whole: hash * power + value.
  readonly #values = new Int32Array(256);
  readonly #powers = new Int32Array(256);
  readonly #firstValues = new Int32Array(256);
  /** The texts without their first character: how a name begins behind its type letter. */
  readonly rests: readonly string[];

  private constructor(texts: readonly string[]) {
    this.texts = texts;
    this.rests = texts.map((text) => text.slice(1));
    for (let token = 0; token < 256; token++) {
      const text = texts[token] as string;
      this.#values[token] = hashOf(text);
      this.#firstValues[token] = hashOf(text.slice(1));
      let power = 1;
      for (let i = 0; i < text.length; i++) power = Math.imul(power, HASH_FACTOR);
      this.#powers[token] = power;
    }
  }

  /**
   * @param table `kallsyms_token_table`: NUL-terminated strings; may run on past its end
   * @param index `kallsyms_token_index`: 256 little-endian 16-bit offsets into it
   * @returns null where the two do not fit each other
   */
  static parse(table: Uint8Array, index: Uint8Array): TokenTable | null {
    if (index.length < 512) return null;
    const texts: string[] = [];
    for (let token = 0; token < 256; token++) {
      const start = (index[token * 2] as number) | ((index[token * 2 + 1] as number) << 8);
      // scripts/kallsyms.c writes the tokens in order, so each begins where the one before ended.
      if (token === 0 ? start !== 0 : start > 0 && table[start - 1] !== 0) return null;
      const end = table.indexOf(0, start);
      if (end < 0 || end - start > 1024) return null;
      let text = "";
      for (let i = start; i < end; i++) text += String.fromCharCode(table[i] as number);
      texts.push(text);
    }
    return new TokenTable(texts);
  }

  /** Hash of the name (type letter left out) that these tokens spell. */
  hash(names: Uint8Array, start: number, end: number): number {
    if (start >= end) return 0;
    let hash = this.#firstValues[names[start] as number] as number;
    for (let i = start + 1; i < end; i++) {
      const token = names[i] as number;
      hash = (Math.imul(hash, this.#powers[token] as number) + (this.#values[token] as number)) | 0;
    }
    return hash;
  }
}

/** Same hash as `TokenTable.hash`, of a name in hand. */
function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, HASH_FACTOR) + text.charCodeAt(i)) | 0;
  return hash;
}

/** Compressed names with random access; a hash index over them is built by the first lookup. */
export class KallsymsNames {
  readonly count: number;
  readonly tokens: TokenTable;
  readonly #bytes: Uint8Array;
  /** Where each name's entry (its length) begins, and after the last one the end. */
  readonly #entries: Uint32Array;
  readonly #long: boolean;
  /** Hash index: heads of chains, and for each symbol the next of its chain; symbol numbers plus one, 0 ends. */
  #heads: Uint32Array | null = null;
  #next: Uint32Array | null = null;
  /** Those that have been asked for. */
  #made: (string | undefined)[] | null = null;
  #areAllMade = false;

  private constructor(tokens: TokenTable, bytes: Uint8Array, entries: Uint32Array, count: number, long: boolean) {
    this.tokens = tokens;
    this.#bytes = bytes;
    this.#entries = entries;
    this.count = count;
    this.#long = long;
  }

  /**
   * Walks the lengths of `count` names.
   * @param bytes from `kallsyms_names` on; fewer names where it ends early
   * @param long lengths of 128 and more take two bytes, 7 bits each, low ones first (6.1 on, 73bbb94466fd3); before
   *   that the byte is the length
   */
  static walk(tokens: TokenTable, bytes: Uint8Array, count: number, long: boolean): KallsymsNames {
    const most = Math.min(count, bytes.length);
    const entries = new Uint32Array(most + 1);
    let position = 0;
    let done = 0;
    for (; done < most; done++) {
      let length = bytes[position] as number;
      let start = position + 1;
      if (long && length >= 0x80) {
        length = (length & 0x7f) | ((bytes[start] as number) << 7);
        start++;
      }
      if (start + length > bytes.length) break;
      entries[done] = position;
      position = start + length;
    }
    entries[done] = position;
    return new KallsymsNames(tokens, bytes, entries, done, long);
  }

  /** Bytes of the names table that the names take. */
  get byteLength(): number {
    return this.#entries[this.count] as number;
  }

  /** Offset of name `i`'s entry in the names table: what `kallsyms_markers` holds for every 256th. */
  entryOffset(i: number): number {
    return this.#entries[i] as number;
  }

  /** Name of symbol `i`, without the type letter. Each is made once: who goes through all of them does so several times. */
  name(i: number): string {
    this.#made ??= new Array(this.count);
    const known = this.#made[i];
    if (known !== undefined) return known;
    const { texts, rests } = this.tokens;
    const end = this.#entries[i + 1] as number;
    let at = this.#start(i);
    let name = at < end ? (rests[this.#bytes[at++] as number] as string) : "";
    while (at < end) name += texts[this.#bytes[at++] as number] as string;
    this.#made[i] = name;
    return name;
  }

  /**
   * Makes all names: many at once as one text, which they are cut out of. Put together one by one from their tokens, they take
   * several times the memory, and again as long when they are read for the first time.
   */
  nameAll(): void {
    if (this.#areAllMade) return;
    this.#areAllMade = true;
    this.#made ??= new Array(this.count);
    const tokens = this.tokens.texts.map((text) => Uint8Array.from(text, (character) => character.charCodeAt(0)));
    const codes = new Uint8Array(BLOCK * LONGEST_NAME);
    const ends = new Int32Array(BLOCK);
    for (let first = 0; first < this.count; first += BLOCK) {
      let length = 0;
      for (let n = 0; n < BLOCK && first + n < this.count; n++) {
        length = this.#spell(first + n, tokens, codes, length);
        ends[n] = length;
      }
      this.#cut(String.fromCharCode.apply(null, codes.subarray(0, length) as unknown as number[]), first, ends);
    }
  }

  /** Puts a name into `codes` from `start` on, and returns its end; that is `start` where it is too long. */
  #spell(i: number, tokens: readonly Uint8Array[], codes: Uint8Array, start: number): number {
    const end = this.#entries[i + 1] as number;
    let length = start;
    // The type letter is no part of the name.
    let skipped = 1;
    for (let at = this.#start(i); at < end; at++) {
      const token = tokens[this.#bytes[at] as number] as Uint8Array;
      if (length + token.length > start + LONGEST_NAME) return start;
      for (let n = skipped; n < token.length; n++) codes[length++] = token[n] as number;
      skipped = 0;
    }
    return length;
  }

  /** Names from `first` on, of which each ends in the text where `ends` says; those that are empty there are made when asked for. */
  #cut(text: string, first: number, ends: Int32Array): void {
    const made = this.#made as (string | undefined)[];
    let start = 0;
    for (let n = 0; n < BLOCK && first + n < this.count; n++) {
      const end = ends[n] as number;
      if (end > start) made[first + n] ??= text.slice(start, end);
      start = end;
    }
  }

  /** nm's type letter of symbol `i`. */
  type(i: number): string {
    // An empty name at the very end of damaged tables has no first byte.
    const first = this.tokens.texts[this.#bytes[this.#start(i)] ?? -1] ?? "";
    return first === "" ? "?" : (first[0] as string);
  }

  /** Share of `sample` names, spread over the table, that begin with a type letter: 1 for real names, far less for noise. */
  plausibility(sample: number): number {
    let good = 0;
    let seen = 0;
    const step = Math.max(1, Math.floor(this.count / sample));
    for (let i = 0; i < this.count; i += step) {
      const spelled = this.#expand(i);
      if (spelled.length > 1 && TYPE_LETTERS.includes(spelled[0] as string)) good++;
      seen++;
    }
    return seen === 0 ? 0 : good / seen;
  }

  /** First symbol of this name in table order, found by a pass that builds nothing; -1 where there is none. */
  scan(name: string): number {
    const hash = hashOf(name);
    for (let i = 0; i < this.count; i++) {
      if (this.#hash(i) === hash && this.name(i) === name) return i;
    }
    return -1;
  }

  /** All symbols of this name in table order. */
  find(name: string): number[] {
    if (this.#heads === null || this.#next === null) this.#buildIndex();
    const heads = this.#heads as unknown as Uint32Array;
    const next = this.#next as unknown as Uint32Array;
    const found: number[] = [];
    let entry = heads[mix(hashOf(name)) & (heads.length - 1)] as number;
    while (entry !== 0) {
      if (this.name(entry - 1) === name) found.push(entry - 1);
      entry = next[entry - 1] as number;
    }
    return found;
  }

  /** Chains rather than open addressing: a hostile table of equal names must not make insertion quadratic. */
  #buildIndex(): void {
    let size = 1024;
    while (size < this.count) size *= 2;
    const heads = new Uint32Array(size);
    const next = new Uint32Array(this.count);
    // Backwards, so that a chain runs in table order.
    for (let i = this.count - 1; i >= 0; i--) {
      const slot = mix(this.#hash(i)) & (size - 1);
      next[i] = heads[slot] as number;
      heads[slot] = i + 1;
    }
    this.#heads = heads;
    this.#next = next;
  }

  #hash(i: number): number {
    return this.tokens.hash(this.#bytes, this.#start(i), this.#entries[i + 1] as number);
  }

  #expand(i: number): string {
    let text = "";
    const end = this.#entries[i + 1] as number;
    for (let at = this.#start(i); at < end; at++) text += this.tokens.texts[this.#bytes[at] as number];
    return text;
  }

  /** Where the tokens of name `i` begin. */
  #start(i: number): number {
    const entry = this.#entries[i] as number;
    return this.#long && (this.#bytes[entry] as number) >= 0x80 ? entry + 2 : entry + 1;
  }
}

/** Spreads a polynomial hash over its low bits. */
function mix(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x45d9f3b);
  return h ^ (h >>> 15);
}

/** A marker table as the kernel writes it after the names, if these bytes are one for `names`. */
export function markersMatch(names: KallsymsNames, bytes: Uint8Array, width: 4 | 8): boolean {
  const count = Math.ceil(names.count / 256);
  if (bytes.length < count * width) return false;
  for (let i = 0; i < count; i++) {
    if (u32At(bytes, i * width) !== names.entryOffset(i * 256)) return false;
    if (width === 8 && u32At(bytes, i * 8 + 4) !== 0) return false;
  }
  return true;
}
