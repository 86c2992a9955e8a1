/**
 * Which words of a struct can hold a pointer to a function, or to a struct, or begin a struct: a quick no to the many
 * questions for what lies at an offset of one of thousands of structs. A yes still has to be looked up (struct-places.ts).
 */
import { sizeOfType, stripTypedefs } from "../../types/strip.ts";
import type { CAggregate, CType } from "../../types/type-provider.ts";
import type { StructPlaces } from "./struct-places.ts";

/** What there can be in a word; bits. */
export const WORD_OF = { CODE: 1, STRUCT: 2, BEGIN: 4 } as const;

const ALL = WORD_OF.CODE | WORD_OF.STRUCT | WORD_OF.BEGIN;
/** Larger structs, which only damaged types have, can hold anything anywhere. Bytes. */
const LARGEST = 1 << 20;
const MOST_DIMENSIONS = 12;

/** Of one struct. */
export class Words {
  /** Bits of WORD_OF for every eight bytes. */
  readonly #kinds: Uint8Array;
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

  mark(offset: number, kind: number): void {
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
    if (inner === ANYTHING) this.#kinds.fill(ALL, offset >>> 3);
    for (let word = 0; word < inner.#kinds.length; word++) this.mark(offset + word * 8, inner.#kinds[word]!);
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

  constructor(structs: StructPlaces) {
    this.#structs = structs;
  }

  of(struct: CAggregate): Words {
    let words = this.#known.get(struct);
    if (words === undefined) {
      // A struct that holds itself, in damaged types, meets this.
      this.#known.set(struct, ANYTHING);
      if (struct.size > LARGEST) return ANYTHING;
      words = new Words(struct.size);
      for (const { bitSize, bitOffset, type } of struct.members) {
        if (bitSize === null) this.#add(words, type, bitOffset >>> 3, struct.size);
      }
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
    for (let at = offset; at < last; at += size) this.#addOne(words, element, at);
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

/** What an array of however many dimensions has as elements. */
function elementOf(array: CType): CType {
  let type = array;
  for (let depth = 0; type.kind === "array" && depth < MOST_DIMENSIONS; depth++) type = stripTypedefs(type.element);
  return type;
}
