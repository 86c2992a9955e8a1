/** Builds small BTF sections for tests: records in order, ids from `firstId`. */

type Words = readonly number[];

export class BtfBuilder {
  readonly #records: number[] = [];
  #strings = "\0";
  #nextId: number;
  readonly #stringBase: number;

  constructor(firstId = 1, stringBase = 0) {
    this.#nextId = firstId;
    this.#stringBase = stringBase;
    if (stringBase > 0) this.#strings = "";
  }

  name(text: string): number {
    if (text === "") return 0;
    const offset = this.#stringBase + this.#strings.length;
    this.#strings += `${text}\0`;
    return offset;
  }

  /** Appends a record; returns its id. */
  add(name: string, kind: number, sizeOrType: number, trailer: Words = [], vlen = 0, kflag = false): number {
    const info = ((kflag ? 0x80000000 : 0) | (kind << 24) | vlen) >>> 0;
    this.#records.push(this.name(name), info, sizeOrType, ...trailer);
    return this.#nextId++;
  }

  int(name: string, size: number, signed = false, bits = size * 8, offset = 0): number {
    return this.add(name, 1, size, [((signed ? 1 : 0) << 24) | (offset << 16) | bits]);
  }

  /** Members as [name, type id, offset word]. */
  struct(name: string, size: number, members: readonly (readonly [string, number, number])[], kflag = false, kind = 4) {
    const words = members.flatMap(([n, t, o]) => [this.name(n), t, o]);
    return this.add(name, kind, size, words, members.length, kflag);
  }

  bytes(layout: readonly (readonly [number, number])[] = []): Uint8Array {
    const headerLength = layout.length > 0 ? 32 : 24;
    const typeLength = this.#records.length * 4;
    const stringLength = this.#strings.length;
    const bytes = new Uint8Array(headerLength + typeLength + stringLength + layout.length * 4);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 0xeb9f, true);
    view.setUint8(2, 1);
    view.setUint32(4, headerLength, true);
    view.setUint32(8, 0, true);
    view.setUint32(12, typeLength, true);
    view.setUint32(16, typeLength, true);
    view.setUint32(20, stringLength, true);
    if (layout.length > 0) {
      view.setUint32(24, typeLength + stringLength, true);
      view.setUint32(28, layout.length * 4, true);
      layout.forEach(([fixed, each], i) => {
        view.setUint8(headerLength + typeLength + stringLength + 4 * i, fixed);
        view.setUint8(headerLength + typeLength + stringLength + 4 * i + 1, each);
      });
    }
    this.#records.forEach((word, i) => {
      view.setUint32(headerLength + 4 * i, word >>> 0, true);
    });
    for (let i = 0; i < stringLength; i++) bytes[headerLength + typeLength + i] = this.#strings.charCodeAt(i);
    return bytes;
  }

  get stringLength(): number {
    return this.#stringBase + this.#strings.length;
  }
  get nextId(): number {
    return this.#nextId;
  }
}
