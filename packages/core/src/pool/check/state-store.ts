/** Packed states, each kept once: an arena of words, an open-addressing table of their numbers, and who came from whom. */

/** The table is at most so full; above it, runs of occupied places get long. */
const FULLEST = 0.6;
const INITIAL_STATES = 1 << 12;

export class StateStore {
  /** 32-bit words of a state. */
  readonly words: number;
  count = 0;
  /** State `n` is at `n * words`. */
  arena: Uint32Array;
  /** The state from which each was first reached; the first state's own number is 0. */
  parents: Uint32Array;
  #table: Uint32Array;
  #mask: number;
  readonly #largestBytes: number;
  readonly #mostStates: number;

  constructor(words: number, mostStates: number, largestBytes: number) {
    this.words = words;
    this.#mostStates = mostStates;
    this.#largestBytes = largestBytes;
    this.arena = new Uint32Array(INITIAL_STATES * words);
    this.parents = new Uint32Array(INITIAL_STATES);
    this.#table = new Uint32Array(INITIAL_STATES * 2);
    this.#mask = this.#table.length - 1;
  }

  /** Memory in use for states, bytes. */
  get bytes(): number {
    return this.arena.byteLength + this.parents.byteLength + this.#table.byteLength;
  }

  /**
   * The number of a state, after adding it where it is new.
   * @param candidate its words
   * @returns -1 where it is new and there is no room within the bounds
   */
  add(candidate: Uint32Array, parent: number): number {
    const { words, arena } = this;
    const table = this.#table;
    const mask = this.#mask;
    let place = hash(candidate, 0, words) & mask;
    for (;;) {
      const found = table[place]!;
      if (found === 0) break;
      let at = (found - 1) * words;
      let word = 0;
      while (word < words && arena[at] === candidate[word]) {
        at++;
        word++;
      }
      if (word === words) return found - 1;
      place = (place + 1) & mask;
    }
    const number = this.count;
    if (number === this.parents.length || number >= this.#mostStates || number >= table.length * FULLEST) {
      if (!this.#grow()) return -1;
      return this.add(candidate, parent);
    }
    table[place] = number + 1;
    const at = number * words;
    for (let word = 0; word < words; word++) arena[at + word] = candidate[word]!;
    this.parents[number] = parent;
    this.count = number + 1;
    return number;
  }

  /** Makes room for another state; false where the bounds forbid it. */
  #grow(): boolean {
    if (this.count >= this.#mostStates) return false;
    const isFull = this.count === this.parents.length;
    const states = isFull ? Math.min(this.parents.length * 2, this.#mostStates) : this.parents.length;
    const places = this.count >= this.#table.length * FULLEST ? this.#table.length * 2 : this.#table.length;
    if (states * (this.words + 1) * 4 + places * 4 > this.#largestBytes) return false;
    if (isFull) {
      const arena = new Uint32Array(states * this.words);
      arena.set(this.arena);
      this.arena = arena;
      const parents = new Uint32Array(states);
      parents.set(this.parents);
      this.parents = parents;
    }
    if (places > this.#table.length) this.#rebuild(places);
    return true;
  }

  #rebuild(places: number): void {
    const table = new Uint32Array(places);
    const mask = places - 1;
    const { arena, words, count } = this;
    for (let number = 0; number < count; number++) {
      let place = hash(arena, number * words, words) & mask;
      while (table[place] !== 0) place = (place + 1) & mask;
      table[place] = number + 1;
    }
    this.#table = table;
    this.#mask = mask;
  }
}

/** Mixes so that each bit of the words reaches the low bits, by which the table is addressed. */
function hash(words: Uint32Array, from: number, length: number): number {
  let mixed = 0x9e3779b9;
  for (let word = 0; word < length; word++) {
    mixed = Math.imul(mixed ^ words[from + word]!, 0x85ebca6b);
    mixed ^= mixed >>> 15;
  }
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
