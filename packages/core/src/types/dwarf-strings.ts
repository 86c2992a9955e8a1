import { DW_FORM } from "../debuginfo/dwarf/constants.ts";
import type { DwarfFile } from "../debuginfo/dwarf/dwarf-file.ts";
import { decodeUtf8 } from "../memory/utf8.ts";
import type { ScannedEntry } from "./dwarf-scan.ts";

/** An offset in .debug_str, or the name itself. */
export type NameKey = number | string;

/** A kernel's .debug_str is 4 MB; beyond this it is not searched, and names are compared as text. */
const LARGEST = 1 << 28;

/** Compilers keep shorter names in the entries: a reference to .debug_str would take as much. */
const SHORT = 8;

/**
 * Names of DWARF as keys that compare fast: the offset in .debug_str where the name is kept there, else the text.
 * Linkers keep a name that ends another one within that, so a name may have several offsets, of which one is used.
 */
export class DwarfStrings {
  readonly #file: DwarfFile;
  #bytes: Uint8Array | null | undefined;

  constructor(file: DwarfFile) {
    this.#file = file;
  }

  get #section(): Uint8Array | null {
    if (this.#bytes === undefined) {
      const section = this.#file.section(".debug_str");
      this.#bytes = section === null || section.size > LARGEST ? null : section.bytes(0, section.size);
    }
    return this.#bytes;
  }

  /** Whether names may be kept by way of another table (DWARF 5's DW_FORM_strx), and so have to be compared as text. */
  get #indexed(): boolean {
    return this.#file.section(".debug_str_offsets") !== null;
  }

  /** All keys that a name may have. Empty where it is no name of this file. */
  keys(name: string): NameKey[] {
    const bytes = this.#section;
    if (bytes === null || name === "") return [name];
    const keys: NameKey[] = [name];
    const wanted = Uint8Array.from(unescape(encodeURIComponent(name)), (c) => c.charCodeAt(0));
    const first = wanted[0]!;
    for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
      if (bytes[at + wanted.length] !== 0) continue;
      let same = 1;
      while (same < wanted.length && bytes[at + same] === wanted[same]) same++;
      if (same === wanted.length) keys.push(at);
    }
    // Only what takes no more than an offset would is kept in the entries themselves.
    return keys.length === 1 && name.length >= SHORT && !this.#indexed ? [] : keys;
  }

  /** The key of the name that the entry's reader is at; null where it has none. */
  keyAt(file: DwarfFile, entry: ScannedEntry, form: number): NameKey | null {
    const { reader, header } = entry;
    if (form === DW_FORM.strp && this.#section !== null) return reader.offset(header.offsetSize);
    if (form === DW_FORM.string) return decodeUtf8(reader.cstring());
    // Forms that lead through another table, which the unit knows.
    return file.unit(header.offset)?.dieAt(entry.offset)?.name ?? null;
  }
}
