/**
 * Which words of a struct can hold a pointer to a function, or to a struct, or begin a struct: a quick no to the many
 * questions for what lies at an offset of one of thousands of structs. A yes still has to be looked up (struct-places.ts).
 */
import { elementOf, sizeOfType, stripTypedefs } from "../../types/strip.ts";
import type { CAggregate, CType } from "../../types/type-provider.ts";
import type { StructPlaces } from "./struct-places.ts";

/** What there can be in a word; bits. */
export const WORD_OF = { CODE: 1, STRUCT: 2, BEGIN: 4 } as const;

const ALL = WORD_OF.CODE | WORD_OF.STRUCT | WORD_OF.BEGIN;
/** Larger structs, which only damaged types have, can hold anything anywhere. Bytes. */
const LARGEST = 1 << 20;
/** Structs in structs; a kernel has some ten. */
const MOST_NESTED = 100;
/** Words that are marked for one struct; a kernel's largest have some ten thousand. Damaged ones lie over themselves. */
const MOST_MARKS = 1 << 20;

/** Of one struct. */
export class Words {
  /** Bits of WORD_OF for every eight bytes. */
  readonly #kinds: Uint8Array;
  /** Of MOST_MARKS. */
  #marksLeft = MOST_MARKS;
  /** The same for all that lies behind the struct: elements of a flexible array. */
  #behind = 0;

  /** @param size in bytes; null where everything can be everywhere */
  constructor(size: number | null) {
    this.#kinds = new Uint8Array(((size ?? 0) + 7) >>> 3);
    if (size === null) this.#behind = ALL;
    else this.mark(0, WORD_OF.BEGIN);
  }

  /** False where there is nothing of a kind (of WORD_OF) at an offset. */
  canHold(offset: number, kind: number): boolean {
    if (offset < 0) return false;
    const word = offset >>> 3;
    return ((word < this.#kinds.length ? this.#kinds[word]! : this.#behind) & kind) !== 0;
  }

  /** So many words there are. */
  get length(): number {
    return this.#kinds.length;
  }

  /** What there can be behind them. */
  get behind(): number {
    return this.#behind;
  }

  /** Puts the bits of all words into a column. */
  copyTo(column: Uint8Array, at: number): void {
    column.set(this.#kinds, at);
  }

  /** More than any real struct takes was marked: there may be more in it. */
  get isOverfull(): boolean {
    return this.#marksLeft < 0;
  }

  mark(offset: number, kind: number): void {
    this.#marksLeft--;
    const word = offset >>> 3;
    if (kind === 0 || word >= this.#kinds.length) return;
    this.#kinds[word]! |= kind;
    // A packed struct's word can lie in two.
    if ((offset & 7) !== 0 && word + 1 < this.#kinds.length) this.#kinds[word + 1]! |= kind;
  }

  markBehind(kind: number): void {
    this.#behind |= kind;
  }

  /** Marks what there is in an inner struct. */
  include(inner: Words, offset: number): void {
    if (inner === ANYTHING) {
      this.#kinds.fill(ALL, offset >>> 3);
      this.#marksLeft -= this.#kinds.length;
    }
    for (let word = 0; word < inner.#kinds.length && !this.isOverfull; word++)
      this.mark(offset + word * 8, inner.#kinds[word]!);
  }

  /** All that there can be somewhere. */
  get anywhere(): number {
    return this.#kinds.reduce((all, one) => all | one, this.#behind);
  }
}

const ANYTHING = new Words(null);

export class StructWords {
  readonly #structs: StructPlaces;
  readonly #known = new Map<CAggregate, Words>();
  #nested = 0;

  constructor(structs: StructPlaces) {
    this.#structs = structs;
  }

  of(struct: CAggregate): Words {
    let words = this.#known.get(struct);
    if (words === undefined) {
      // A struct that holds itself, in damaged types, meets this.
      this.#known.set(struct, ANYTHING);
      if (struct.size > LARGEST || this.#nested >= MOST_NESTED) return ANYTHING;
      words = new Words(struct.size);
      this.#nested++;
      for (const { bitSize, bitOffset, type } of struct.members) {
        if (bitSize === null) this.#add(words, type, bitOffset >>> 3, struct.size);
        if (words.isOverfull) break;
      }
      this.#nested--;
      if (words.isOverfull) return ANYTHING;
      this.#known.set(struct, words);
    }
    return words;
  }

  /** A member that begins at an offset of a struct that ends at `end`. */
  #add(words: Words, declared: CType, offset: number, end: number): void {
    const type = stripTypedefs(declared);
    if (type.kind !== "array") {
      this.#addOne(words, type, offset);
      return;
    }
    const element = elementOf(type);
    const size = sizeOfType(element);
    const kinds = this.#kindsOf(element);
    if (size === 0 || kinds === 0) return;
    const flexible = type.length === 0;
    const last = flexible ? end : Math.min(end, offset + type.size);
    for (let at = offset; at < last && !words.isOverfull; at += size) this.#addOne(words, element, at);
    if (flexible) words.markBehind(kinds);
  }

  #addOne(words: Words, type: CType, offset: number): void {
    if (type.kind === "pointer") words.mark(offset, this.#kindsOf(type));
    else if (type.kind === "struct" || type.kind === "union") words.include(this.of(type), offset);
  }

  #kindsOf(type: CType): number {
    if (type.kind === "struct" || type.kind === "union") return this.of(type).anywhere;
    if (type.kind !== "pointer") return 0;
    if (stripTypedefs(type.target).kind === "function") return WORD_OF.CODE;
    return this.#structs.pointee(type) === null ? 0 : WORD_OF.STRUCT;
  }
}
