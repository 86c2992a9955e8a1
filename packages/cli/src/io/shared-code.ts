/**
 * Decoded functions on their way from one thread to another, in shared memory: a ring of chunks, so that a whole kernel's code
 * is never there at once. Nobody has to wait for the other to get on: the first thread decodes by itself what has not come yet,
 * and the second one leaves out what that has already asked for. It waits only where the ring is full.
 */
import {
  type DecodedFunction,
  type DecodedFunctions,
  type FunctionReceiver,
  functionWords,
  packFunction,
  type UnpackedFunction,
  unpackFunction,
} from "@spillway/core";

/** 4 MiB: a twentieth of a kernel's code. */
const CHUNKS = 16;
const CHUNK_WORDS = 1 << 16;

/** What both threads see: how many chunks have been filled and given back, and the function that is wanted next at the earliest. */
const FILLED = 0;
const GIVEN_BACK = 1;
const WANTED = 2;
const STATE_WORDS = 3;
/** Of chunks given back and of functions wanted, when nothing is wanted any more. */
const ENOUGH = 0x7fffffff;
/** Without a chunk given back for so long, nothing more is sent. */
const PATIENCE_MS = 60_000;

/** A chunk begins with how many words it has in use; then come functions, each with its number and its words in front. */
const CHUNK_HEADER = 1;
const FUNCTION_HEADER = 2;

/** The same for both threads. */
export interface CodeLink {
  readonly state: Int32Array;
  readonly words: Int32Array;
  readonly chunkWords: number;
}

/** Makes the memory of a link; what does not fit into a chunk is not sent. */
export function codeLink(chunks = CHUNKS, chunkWords = CHUNK_WORDS): CodeLink {
  return { state: shared(STATE_WORDS), words: shared(chunks * chunkWords), chunkWords };
}

function shared(words: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT));
}

/** The second thread's end. */
export class SentFunctions implements FunctionReceiver {
  readonly #link: CodeLink;
  readonly #chunks: number;
  /** Where the chunk at hand begins, and how many of its words are in use. */
  #start = 0;
  #used = CHUNK_HEADER;

  constructor(link: CodeLink) {
    this.#link = link;
    this.#chunks = link.words.length / link.chunkWords;
  }

  wants(index: number): boolean {
    return index >= Atomics.load(this.#link.state, WANTED);
  }

  receive(index: number, decoded: DecodedFunction): void {
    const { words, chunkWords } = this.#link;
    const length = functionWords(decoded);
    if (CHUNK_HEADER + FUNCTION_HEADER + length > chunkWords) return;
    if (this.#used + FUNCTION_HEADER + length > chunkWords) this.flush();
    if (!this.#hasRoom()) return;
    const at = this.#start + this.#used;
    words[at] = index;
    words[at + 1] = length;
    packFunction(decoded, words, at + FUNCTION_HEADER);
    this.#used += FUNCTION_HEADER + length;
  }

  /** Sends what has been received so far. */
  flush(): void {
    if (this.#used === CHUNK_HEADER) return;
    const { state, words, chunkWords } = this.#link;
    words[this.#start] = this.#used;
    const filled = Atomics.add(state, FILLED, 1) + 1;
    this.#start = (filled % this.#chunks) * chunkWords;
    this.#used = CHUNK_HEADER;
  }

  /** Waits until the chunk at hand is free; false where nothing is wanted any more. */
  #hasRoom(): boolean {
    const { state } = this.#link;
    const filled = Atomics.load(state, FILLED);
    for (;;) {
      const givenBack = Atomics.load(state, GIVEN_BACK);
      if (givenBack === ENOUGH) return false;
      if (filled - givenBack < this.#chunks) return true;
      if (Atomics.wait(state, GIVEN_BACK, givenBack, PATIENCE_MS) === "timed-out") stop(state);
    }
  }
}

/** The first thread's end. */
export class ReceivedFunctions implements DecodedFunctions {
  readonly #link: CodeLink;
  /** What is left of the chunk at hand. */
  #at = 0;
  #end = 0;

  constructor(link: CodeLink) {
    this.#link = link;
  }

  take(index: number, into: UnpackedFunction): boolean {
    const { state, words } = this.#link;
    Atomics.store(state, WANTED, index + 1);
    while (this.#at < this.#end || this.#open()) {
      const at = this.#at;
      if (words[at]! > index) return false;
      const isWanted = words[at] === index;
      if (isWanted) unpackFunction(words, at + FUNCTION_HEADER, into);
      this.#at += FUNCTION_HEADER + words[at + 1]!;
      if (this.#at === this.#end) this.#giveBack();
      if (isWanted) return true;
    }
    return false;
  }

  /** To be called when nothing more is wanted. */
  close(): void {
    stop(this.#link.state);
  }

  /** False where no other chunk has come. */
  #open(): boolean {
    const { state, words, chunkWords } = this.#link;
    const opened = Atomics.load(state, GIVEN_BACK);
    // Both may have had enough.
    if (opened >= Atomics.load(state, FILLED)) return false;
    const start = (opened * chunkWords) % words.length;
    this.#at = start + CHUNK_HEADER;
    this.#end = start + words[start]!;
    return true;
  }

  #giveBack(): void {
    const { state } = this.#link;
    // Where the other thread has lost its patience, it stays so.
    const givenBack = Atomics.load(state, GIVEN_BACK);
    if (givenBack !== ENOUGH) Atomics.compareExchange(state, GIVEN_BACK, givenBack, givenBack + 1);
    Atomics.notify(state, GIVEN_BACK);
  }
}

/** Nothing more is to be sent; who waits for room need not. */
function stop(state: Int32Array): void {
  Atomics.store(state, WANTED, ENOUGH);
  Atomics.store(state, GIVEN_BACK, ENOUGH);
  Atomics.notify(state, GIVEN_BACK);
}
