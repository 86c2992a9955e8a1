import { KIND, kindOf, readBtfHeader, TRAILER, TYPE_HEADER_SIZE, vlenOf } from "./btf-format.ts";

/** KSYM_NAME_LEN, to which the kernel's own reader holds names (kernel/bpf/btf.c, `btf_name_valid_identifier`); 512 since 6.1. */
const LONGEST_NAME = 512;

/**
 * Where each type record of one BTF section lies, and the strings: what one pass over the section gives. Nothing is
 * decoded here. Type ids run from `firstId`; a split section (a module's) continues the ids and string offsets of `base`.
 */
export class BtfIndex {
  readonly base: BtfIndex | null;
  /** Id of the first record; 1 without a base (0 is void). */
  readonly firstId: number;
  /** One more than the last id. */
  readonly endId: number;
  /** Bytes at the end of the types that could not be read: damage, or a form that is not known. */
  readonly unreadBytes: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #offsets: Uint32Array;
  readonly #structs: Uint32Array;
  readonly #stringStart: number;
  readonly #stringEnd: number;
  /** String offset at which this section's own strings begin. */
  readonly #firstString: number;

  private constructor(bytes: Uint8Array, base: BtfIndex | null, header: NonNullable<ReturnType<typeof readBtfHeader>>) {
    this.base = base;
    this.firstId = base ? base.endId : 1;
    this.#firstString = base ? base.endString : 0;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#stringStart = header.stringStart;
    this.#stringEnd = header.stringEnd;

    const { typeStart, typeEnd } = header;
    const view = this.#view;
    const fixed = new Uint8Array(128);
    const each = new Uint8Array(128);
    const known = new Uint8Array(128);
    for (let kind = 1; kind < TRAILER.length; kind++) {
      fixed[kind] = TRAILER[kind]![0];
      each[kind] = TRAILER[kind]![1];
      known[kind] = 1;
    }
    // struct btf_layout {u8 info_sz; u8 elem_sz; u16 flags}: only consulted for kinds this code does not know.
    for (let kind = TRAILER.length; kind < 128 && header.layoutStart + 4 * kind + 4 <= header.layoutEnd; kind++) {
      fixed[kind] = view.getUint8(header.layoutStart + 4 * kind);
      each[kind] = view.getUint8(header.layoutStart + 4 * kind + 1);
      known[kind] = 1;
    }

    // A record is at least 12 bytes, which bounds both arrays by the section's true size.
    const offsets = new Uint32Array(Math.floor((typeEnd - typeStart) / TYPE_HEADER_SIZE));
    const structs: number[] = [];
    let count = 0;
    let at = typeStart;
    while (at + TYPE_HEADER_SIZE <= typeEnd) {
      const info = view.getUint32(at + 4, true);
      const kind = kindOf(info);
      if (known[kind] === 0) break;
      const next = at + TYPE_HEADER_SIZE + fixed[kind]! + (each[kind] === 0 ? 0 : each[kind]! * vlenOf(info));
      if (next > typeEnd) break;
      if ((kind === KIND.struct || kind === KIND.union) && view.getUint32(at, true) !== 0) {
        structs.push(this.firstId + count);
      }
      offsets[count++] = at;
      at = next;
    }
    this.unreadBytes = typeEnd - at;
    this.#offsets = offsets.subarray(0, count);
    this.#structs = Uint32Array.from(structs);
    this.endId = this.firstId + count;
  }

  /** Null where `bytes` are no BTF. A section that turns nonsensical midway is used up to there. */
  static open(bytes: Uint8Array, base: BtfIndex | null): BtfIndex | null {
    const header = readBtfHeader(bytes);
    return header ? new BtfIndex(bytes, base, header) : null;
  }

  /** One more than the last string offset. */
  get endString(): number {
    return this.#firstString + (this.#stringEnd - this.#stringStart);
  }

  /** The section that holds record `id`, or null for void and ids past the end. */
  owner(id: number): BtfIndex | null {
    if (id >= this.endId) return null;
    if (id >= this.firstId) return this;
    return this.base ? this.base.owner(id) : null;
  }

  /** Byte offset of a record of this very section. */
  offset(id: number): number {
    return this.#offsets[id - this.firstId]!;
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  /** Ids of the named structs and unions of this section. */
  get structIds(): Uint32Array {
    return this.#structs;
  }

  /** Ids of this section's records of one kind, in order; a pass over the index. */
  *idsOfKind(kind: number): Generator<number> {
    for (let i = 0; i < this.#offsets.length; i++) {
      if (kindOf(this.u32(this.#offsets[i]! + 4)) === kind) yield this.firstId + i;
    }
  }

  /** The string at `offset`; empty where it lies outside. Longer names than the kernel takes are cut. */
  string(offset: number): string {
    if (offset < this.#firstString) return this.base ? this.base.string(offset) : "";
    const start = this.#stringStart + (offset - this.#firstString);
    const most = Math.min(this.#stringEnd, start + LONGEST_NAME);
    let end = start;
    while (end < most && this.#bytes[end] !== 0) end++;
    return end > start ? String.fromCharCode.apply(null, this.#bytes.subarray(start, end) as unknown as number[]) : "";
  }

  /** Whether the string at `offset` is `name`, without making a string of it. */
  stringIs(offset: number, name: string): boolean {
    if (offset < this.#firstString) return this.base ? this.base.stringIs(offset, name) : false;
    const at = this.#stringStart + (offset - this.#firstString);
    if (at + name.length >= this.#stringEnd) return false;
    const bytes = this.#bytes;
    for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name.charCodeAt(i)) return false;
    return bytes[at + name.length] === 0;
  }
}
