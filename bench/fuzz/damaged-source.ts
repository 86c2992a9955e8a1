import type { ByteSource } from "@spillway/core";
import type { Random } from "./random.ts";

/** A file as bad luck left it: bytes changed here and there, or the end cut off. The file itself is not touched. */
export class DamagedSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #whole: ByteSource;
  /** Changed offsets in ascending order, and what stands there now. */
  readonly #offsets: readonly number[];
  readonly #values: ReadonlyMap<number, number>;

  constructor(whole: ByteSource, random: Random) {
    this.name = whole.name;
    this.#whole = whole;
    const kind = random.pick(["anywhere", "headers", "cut"] as const);
    this.size = kind === "cut" ? random.below(whole.size) : whole.size;
    const reach = kind === "headers" ? Math.min(65536, whole.size) : whole.size;
    const values = new Map<number, number>();
    const most = random.pick([2, 20, 200, 2000]);
    for (let changes = 1 + random.below(most); changes > 0; changes--)
      values.set(random.below(reach), random.below(256));
    this.#values = values;
    this.#offsets = [...values.keys()].sort((a, b) => a - b);
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = this.#whole.read(offset, Math.max(0, Math.min(length, this.size - offset)));
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#offsets[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    for (; low < this.#offsets.length && this.#offsets[low]! < offset + bytes.length; low++) {
      const at = this.#offsets[low]!;
      bytes[at - offset] = this.#values.get(at)!;
    }
    return bytes;
  }
}
