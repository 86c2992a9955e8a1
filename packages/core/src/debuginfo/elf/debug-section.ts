import type { ByteSource } from "../../bytes/byte-source.ts";
import { readExactly } from "../../bytes/read.ts";
import { decodeUtf8 } from "../../memory/utf8.ts";

/** A section of debug information, decompressed and relocated as far as it needs to be. */
export interface DebugSection {
  readonly name: string;
  /** Bytes, of the uncompressed section. */
  readonly size: number;
  /** All `length` bytes from `offset`, or null where the section ends before. The caller may not write into them. */
  bytes(offset: number, length: number): Uint8Array | null;
  /** The text up to the NUL, or null outside the section. */
  cstring(offset: number): string | null;
}

/** C++ and Rust names reach kilobytes; anything longer is no name. */
const LONGEST_STRING = 65536;
const STRING_READ = 256;

/** What sections share: strings come from bytes. */
abstract class Section implements DebugSection {
  readonly name: string;
  abstract readonly size: number;

  constructor(name: string) {
    this.name = name;
  }

  abstract bytes(offset: number, length: number): Uint8Array | null;

  cstring(offset: number): string | null {
    for (let length = STRING_READ; length <= LONGEST_STRING; length *= 4) {
      const bytes = this.bytes(offset, Math.min(length, this.size - offset));
      if (bytes === null) return null;
      const end = bytes.indexOf(0);
      if (end >= 0) return decodeUtf8(bytes.subarray(0, end));
      if (bytes.length < length) return null;
    }
    return null;
  }
}

/** A section that lies in the file as it is. */
export class PlainSection extends Section {
  readonly size: number;
  readonly #source: ByteSource;
  readonly #start: number;

  constructor(name: string, source: ByteSource, start: number, size: number) {
    super(name);
    this.#source = source;
    this.#start = start;
    this.size = Math.max(0, Math.min(size, source.size - start));
  }

  bytes(offset: number, length: number): Uint8Array | null {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) return null;
    return readExactly(this.#source, this.#start + offset, length);
  }
}

/** A section that has to be had whole; `load` is called once, when it is first read, and gives null where it fails. */
export class LoadedSection extends Section {
  readonly size: number;
  readonly #load: () => Uint8Array | null;
  #bytes: Uint8Array | null | undefined;

  constructor(name: string, size: number, load: () => Uint8Array | null) {
    super(name);
    this.size = size;
    this.#load = load;
  }

  bytes(offset: number, length: number): Uint8Array | null {
    if (this.#bytes === undefined) this.#bytes = this.#load();
    if (this.#bytes === null || !(offset >= 0 && length >= 0 && offset + length <= this.#bytes.length)) return null;
    return this.#bytes.subarray(offset, offset + length);
  }
}

/** A section of a relocatable file; `relocate` writes final values into a private copy of a range. */
export class RelocatedSection extends Section {
  readonly size: number;
  readonly #inner: DebugSection;
  readonly #relocate: (bytes: Uint8Array, offset: number) => void;

  constructor(inner: DebugSection, relocate: (bytes: Uint8Array, offset: number) => void) {
    super(inner.name);
    this.size = inner.size;
    this.#inner = inner;
    this.#relocate = relocate;
  }

  bytes(offset: number, length: number): Uint8Array | null {
    const bytes = this.#inner.bytes(offset, length);
    if (bytes === null) return null;
    const copy = bytes.slice();
    this.#relocate(copy, offset);
    return copy;
  }
}
