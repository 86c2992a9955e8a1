import type { ByteSource } from "../../bytes/byte-source.ts";
import { u64, viewOf } from "../../bytes/read.ts";
import { missingIn } from "../holes.ts";

/** `struct page_desc` (makedumpfile `diskdump_mod.h`): u64 offset; u32 size, flags; u64 page_flags. */
export const DESCRIPTOR_SIZE = 24;
const PER_CHUNK = 170;
const CACHED_CHUNKS = 16;

export interface PageDescriptor {
  /** File offset of the page's data. */
  readonly offset: number;
  /** Bytes of data. */
  readonly size: number;
  readonly flags: number;
}

/** The page descriptors of one file, read in chunks where they are asked for. */
export class PageDescriptors {
  readonly #source: ByteSource;
  readonly #offset: number;
  readonly #chunks = new Map<number, DataView>();

  /** @param offset file offset of the first descriptor, in bytes */
  constructor(source: ByteSource, offset: number) {
    this.#source = source;
    this.#offset = offset;
  }

  /** Descriptor number `index`, or null where the file does not reach that far. */
  get(index: number): PageDescriptor | null {
    const chunkIndex = Math.floor(index / PER_CHUNK);
    const chunk = this.#chunk(chunkIndex);
    const at = (index - chunkIndex * PER_CHUNK) * DESCRIPTOR_SIZE;
    if (at + DESCRIPTOR_SIZE > chunk.byteLength) return null;
    if (missingIn(this.#source, this.#offset + index * DESCRIPTOR_SIZE, DESCRIPTOR_SIZE)) return null;
    return { offset: u64(chunk, at), size: chunk.getUint32(at + 8, true), flags: chunk.getUint32(at + 12, true) };
  }

  #chunk(index: number): DataView {
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      chunk = viewOf(
        this.#source.read(this.#offset + index * PER_CHUNK * DESCRIPTOR_SIZE, PER_CHUNK * DESCRIPTOR_SIZE),
      );
      if (this.#chunks.size >= CACHED_CHUNKS) {
        for (const oldest of this.#chunks.keys()) {
          this.#chunks.delete(oldest);
          break;
        }
      }
      this.#chunks.set(index, chunk);
    }
    return chunk;
  }
}
