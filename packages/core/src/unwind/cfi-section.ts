/** A section of call frame information: its entries, CIEs (what functions share) and FDEs (one function each). */
import { corrupt, Reader } from "../debuginfo/dwarf/reader.ts";
import type { DebugSection } from "../debuginfo/elf/debug-section.ts";
import { DW_EH_PE, readPointer, readValue } from "./cfi-encoding.ts";

export interface CfiSectionOptions {
  /** .eh_frame and .debug_frame differ in how an FDE names its CIE, and in how it stores addresses. */
  readonly kind: "eh_frame" | "debug_frame";
  readonly section: DebugSection;
  /** Signed address of the section's first byte, for pointers relative to where they lie; 0 for a .debug_frame. */
  readonly address: number;
}

export interface Cie {
  readonly codeAlignment: number;
  readonly dataAlignment: number;
  readonly returnAddress: number;
  readonly signal: boolean;
  /** Encoding of an FDE's addresses. */
  readonly encoding: number;
  /** FDEs begin their instructions with data of an augmentation, whose length they tell. */
  readonly augmented: boolean;
  readonly instructions: Uint8Array;
}

export interface Fde {
  readonly cie: Cie;
  /** Signed address of the first byte of code. */
  readonly start: number;
  readonly size: number;
  readonly instructions: Uint8Array;
}

/** Where an entry lies and what it is, without its content. Offsets from the section's start. */
export interface EntryHeader {
  readonly offset: number;
  /** Behind the length and the field that tells CIE from FDE. */
  readonly body: number;
  readonly end: number;
  /** Offset of an FDE's CIE; null for a CIE itself. */
  readonly cie: number | null;
}

/** The longest header: 4 bytes that announce the 64-bit form, length and id of 8 each. */
const HEADER_BYTES = 20;
/** No function needs a hundredth of it; more is a damaged length. */
const LONGEST_ENTRY = 1 << 20;
/** Compilation units have one or two each. */
const CACHED_CIES = 4096;

export class CfiSection {
  readonly size: number;
  readonly #options: CfiSectionOptions;
  readonly #cies = new Map<number, Cie | null>();

  constructor(options: CfiSectionOptions) {
    this.#options = options;
    this.size = options.section.size;
  }

  /**
   * Reads an entry's header from `reader`, which stands at it and began at offset `base` of the section. Null at the
   * terminator of .eh_frame or at padding (a length of 0).
   * @throws SpillwayError `SPW_DEBUGINFO_CORRUPT`
   */
  header(reader: Reader, base: number): EntryHeader | null {
    const offset = base + reader.at;
    let length = reader.u32();
    const wide = length === 0xffff_ffff;
    if (wide) length = reader.u64();
    else if (length >= 0xffff_fff0) throw corrupt("call frame information has a reserved length", { offset });
    if (length === 0) return null;
    const field = base + reader.at;
    const end = field + length;
    if (!(end <= this.size)) throw corrupt("call frame information ends inside an entry", { offset });
    const isEh = this.#options.kind === "eh_frame";
    const low = reader.u32();
    // .eh_frame has a field of 4 bytes in either form (LSB); .debug_frame one of the form's own size.
    const high = wide && !isEh ? reader.u32() : 0;
    const isCie = isEh ? low === 0 : low === 0xffff_ffff && (!wide || high === 0xffff_ffff);
    const cie = isEh ? field - low : high * 0x1_0000_0000 + low;
    return { offset, body: base + reader.at, end, cie: isCie ? null : cie };
  }

  /** Start and size of an FDE's code, from a reader at its body; no more is read. */
  range(reader: Reader, base: number, cie: Cie): { readonly start: number; readonly size: number } {
    const place = this.#options.address + base;
    const start = readPointer(reader, cie.encoding, { place, data: 0 });
    return { start, size: readValue(reader, cie.encoding & 0x0f) };
  }

  /** The FDE at an offset. @throws SpillwayError `SPW_DEBUGINFO_CORRUPT` */
  fde(offset: number): Fde {
    const header = this.#headerAt(offset);
    const cie = header.cie === null ? null : this.cie(header.cie);
    if (cie === null) throw corrupt("call frame information has an entry without its CIE", { offset });
    const bytes = this.#body(header);
    const reader = new Reader(bytes);
    const { start, size } = this.range(reader, header.body, cie);
    if (cie.augmented) reader.skip(reader.uleb());
    return { cie, start, size, instructions: bytes.subarray(reader.at) };
  }

  /** The CIE at an offset; null where none that is understood lies there. */
  cie(offset: number): Cie | null {
    let cie = this.#cies.get(offset);
    if (cie === undefined) {
      const header = this.#headerAt(offset);
      cie = header.cie === null ? this.#readCie(this.#body(header)) : null;
      if (this.#cies.size >= CACHED_CIES) this.#cies.clear();
      this.#cies.set(offset, cie);
    }
    return cie;
  }

  #headerAt(offset: number): EntryHeader {
    const { section } = this.#options;
    const length = Math.min(HEADER_BYTES, section.size - offset);
    const bytes = offset >= 0 && length > 0 ? section.bytes(offset, length) : null;
    const header = bytes === null ? null : this.header(new Reader(bytes), offset);
    if (header === null) throw corrupt("call frame information points to an entry that is none", { offset });
    return header;
  }

  #body(header: EntryHeader): Uint8Array {
    const length = header.end - header.body;
    const bytes = length > LONGEST_ENTRY ? null : this.#options.section.bytes(header.body, length);
    if (bytes === null) throw corrupt("call frame information cannot be read", { offset: header.offset });
    return bytes;
  }

  #readCie(body: Uint8Array): Cie | null {
    const reader = new Reader(body);
    const version = reader.u8();
    if (version !== 1 && version !== 3 && version !== 4) return null;
    const augmentation = String.fromCharCode(...reader.cstring().subarray(0, 16));
    let addressSize = 8;
    if (version === 4) {
      addressSize = reader.u8();
      reader.skip(1);
    }
    if (addressSize !== 8) return null;
    const codeAlignment = reader.uleb();
    const dataAlignment = reader.sleb();
    const returnAddress = version === 1 ? reader.u8() : reader.uleb();
    const shared = { codeAlignment, dataAlignment, returnAddress };
    const plain = { signal: false, encoding: DW_EH_PE.absptr, augmented: false };
    if (augmentation === "") return { ...shared, ...plain, instructions: body.subarray(reader.at) };
    // Without a `z` nobody can tell where the data of an unknown augmentation end.
    if (!augmentation.startsWith("z")) return null;
    const length = reader.uleb();
    const end = reader.at + length;
    if (!(end <= body.length)) throw corrupt("call frame information ends inside a CIE");
    let { signal, encoding }: { signal: boolean; encoding: number } = plain;
    for (const letter of augmentation.slice(1)) {
      if (letter === "R") encoding = reader.u8();
      else if (letter === "L") reader.skip(1);
      else if (letter === "S") signal = true;
      else if (letter === "P") readValue(reader, reader.u8() & 0x0f);
      else break;
    }
    return { ...shared, signal, encoding, augmented: true, instructions: body.subarray(end) };
  }
}
