/**
 * The one way core sees the world: random access to bytes, synchronous. In Node a file descriptor, in a browser worker a
 * `Blob` read synchronously, in tests an array.
 */
export interface ByteSource {
  /** Name for messages: a path, usually. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /**
   * Reads up to `length` bytes from `offset` (bytes). Shorter only where the source ends; never throws for a range past
   * the end. The array belongs to the caller.
   * @throws SpillwayError `SPW_INPUT_READ_FAILED` where the medium itself fails.
   */
  read(offset: number, length: number): Uint8Array;
}

/** A byte source over memory, for tests and for what is already in memory. */
export class MemorySource implements ByteSource {
  readonly name: string;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, name = "(memory)") {
    this.#bytes = bytes;
    this.name = name;
  }

  get size(): number {
    return this.#bytes.length;
  }

  /** The bytes of `read`, not copied: not to be written. */
  view(offset: number, length: number): Uint8Array {
    return this.#bytes.subarray(offset, offset + Math.max(0, length));
  }

  read(offset: number, length: number): Uint8Array {
    if (offset >= this.#bytes.length || length <= 0) return new Uint8Array(0);
    return this.#bytes.slice(offset, offset + length);
  }
}
