/**
 * `struct module` without type information: what matters of it is told by its look. Its first members are the same in all
 * kernels since 2.6 (`state`, `list`, and `name` of 56 bytes); the others are found as pointers that lead where they must.
 */
import type { AddressSpace } from "../memory/address-space.ts";
import type { ModuleSymbolsLocation } from "./module-list.ts";

/** Offsets in bytes. */
export const MODULE_LIST = 8;
export const MODULE_NAME = 24;
/** struct module has 0.5 to 1.5 KB. */
const SEARCHED = 2048;
const PAGE = 0x1000n;
/** A module's areas lie above the kernel's image, in the top GiB and a half. arch/x86/include/asm/pgtable_64_types.h */
const MODULES = { start: 0xffff_ffff_a000_0000n, end: 0xffff_ffff_ff00_0000n };
const LARGEST_AREA = 1 << 28;
const MOST_SYMBOLS = 1 << 20;
/** Elf64_Sym. */
const SYMBOL_SIZE = 24;

export interface ModuleArea {
  readonly start: bigint;
  readonly size: number;
  readonly text: boolean;
}

/** The bytes of a `struct module`, as far as they are there. */
export class ModuleContent {
  readonly #space: AddressSpace;
  readonly #address: bigint;
  readonly #view: DataView;

  constructor(space: AddressSpace, address: bigint) {
    this.#space = space;
    this.#address = address;
    const { bytes } = space.readSparse(address, SEARCHED);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** What the module has in memory, without what was given back after its start; empty where it cannot be told. */
  areas(): ModuleArea[] {
    for (let at = MODULE_NAME + 56; at + 24 <= SEARCHED; at += 8) {
      if (!this.#isArea(this.#u64(at))) continue;
      const areas = this.#layout(at) ?? this.#members(at) ?? this.#memories(at);
      if (areas !== null) return areas;
    }
    return [];
  }

  /** 4.5 to 6.3, `struct module_layout core_layout`: base, then size and size of the text (7523e4dc5057). */
  #layout(at: number): ModuleArea[] | null {
    return this.#core(this.#u64(at), this.#u32(at + 8), this.#u32(at + 12));
  }

  /** Up to 4.4: module_core, then sizes of init, core, init's text and core's text. What was init is 0. */
  #members(at: number): ModuleArea[] | null {
    if (this.#u32(at + 8) !== 0 || this.#u32(at + 16) !== 0) return null;
    return this.#core(this.#u64(at), this.#u32(at + 12), this.#u32(at + 20));
  }

  /** One area: text, then data. `struct module` itself is part of its data. */
  #core(start: bigint, size: number, text: number): ModuleArea[] | null {
    const holdsItself = this.#address >= start && this.#address < start + BigInt(size);
    if (!holdsItself || size > LARGEST_AREA || text === 0 || text > size) return null;
    const areas = [{ start, size: text, text: true }];
    if (text < size) areas.push({ start: start + BigInt(text), size: size - text, text: false });
    return areas;
  }

  /**
   * 6.4 on (ac3b43283923): an array of `struct module_memory`, text, data, read-only data and data read-only after the start,
   * then three of init that were given back. Each is {base, size}, with other members between and behind them by release and
   * configuration.
   */
  #memories(at: number): ModuleArea[] | null {
    for (const stride of [16, 24, 32, 72, 80, 88]) {
      for (const sizeAt of [8, 12, 20]) {
        if (sizeAt + 4 > stride || at + 4 * stride > SEARCHED) continue;
        const areas: ModuleArea[] = [];
        for (let kind = 0; kind < 4; kind++) {
          const start = this.#u64(at + kind * stride);
          const size = this.#u32(at + kind * stride + sizeAt);
          // Every module has text and data, at least its own struct module.
          if (kind > 1 && start === 0n && size === 0) continue;
          if (!this.#isArea(start) || size === 0 || size > LARGEST_AREA) break;
          areas.push({ start, size, text: kind === 0 });
        }
        const [text, data] = areas;
        if (text?.text !== true || data === undefined) continue;
        if (this.#address >= data.start && this.#address < data.start + BigInt(data.size)) return areas;
      }
    }
    return null;
  }

  /**
   * Where the module's symbols are, {symtab, count, strtab}: a table of Elf64_Sym, and strings right behind it, or else a blank
   * first entry and strings that begin with an empty one. `typetab` follows since 5.2 (1c7651f43777). Before 4.5 each of the three is doubled.
   */
  symbols(areas: readonly ModuleArea[]): ModuleSymbolsLocation | null {
    for (let at = MODULE_NAME + 56; at + 40 <= SEARCHED; at += 8) {
      const symtab = this.#u64(at);
      if (!inside(areas, symtab)) continue;
      const doubled = this.#u64(at + 8) === symtab;
      const count = this.#u32(at + (doubled ? 16 : 8));
      const strtab = this.#u64(at + (doubled ? 24 : 16));
      if (count === 0 || count > MOST_SYMBOLS || !inside(areas, strtab)) continue;
      const end = symtab + BigInt(count * SYMBOL_SIZE);
      // The loader puts the strings right behind the table (layout_symtab); what both hold may be damaged.
      const begins = strtab > end && this.#isBlank(symtab) && this.#space.u8(strtab) === 0;
      if (strtab !== end && !begins) continue;
      const typetab = doubled ? 0n : this.#u64(at + 24);
      return { symtab, count, strtab, typetab: typetab > strtab && inside(areas, typetab) ? typetab : null };
    }
    return null;
  }

  #isBlank(symbol: bigint): boolean {
    return this.#space.read(symbol, SYMBOL_SIZE)?.every((byte) => byte === 0) ?? false;
  }

  #isArea(address: bigint): boolean {
    return address % PAGE === 0n && address >= MODULES.start && address < MODULES.end;
  }

  #u64(at: number): bigint {
    return this.#view.getBigUint64(at, true);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, true);
  }
}

function inside(areas: readonly ModuleArea[], address: bigint): boolean {
  return areas.some(({ start, size }) => address >= start && address < start + BigInt(size));
}
