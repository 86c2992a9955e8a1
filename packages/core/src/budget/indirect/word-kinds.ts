/** What there can be in the words of many structs (see struct-words.ts), side by side in one column. */
import { GrowingColumn, longerBytes } from "../growing.ts";
import type { Words } from "./struct-words.ts";

/** Structs of more words are asked themselves; a kernel has a few. */
const MOST_WORDS = 1 << 12;

export class WordKinds {
  #kinds = new Uint8Array(1 << 16);
  #count = 0;
  /** By the number of the struct: where its words begin, -1 for one that is asked itself; how many they are; what is behind them. */
  readonly #start = new GrowingColumn();
  readonly #length = new GrowingColumn();
  readonly #behind = new GrowingColumn();
  readonly #words: Words[] = [];

  /** Takes in the words of the struct of the next number. */
  add(words: Words): void {
    this.#words.push(words);
    this.#length.push(words.length);
    this.#behind.push(words.behind);
    if (words.length > MOST_WORDS) {
      this.#start.push(-1);
      return;
    }
    while (this.#count + words.length > this.#kinds.length) this.#kinds = longerBytes(this.#kinds);
    words.copyTo(this.#kinds, this.#count);
    this.#start.push(this.#count);
    this.#count += words.length;
  }

  /** See `Words.canHold`. */
  canHold(struct: number, offset: number, kind: number): boolean {
    if (offset < 0) return false;
    const word = offset >>> 3;
    const start = this.#start.at(struct);
    if (start < 0) return this.#words[struct]!.canHold(offset, kind);
    const kinds = word < this.#length.at(struct) ? this.#kinds[start + word]! : this.#behind.at(struct);
    return (kinds & kind) !== 0;
  }
}
