import type { AddressSpace } from "../memory/address-space.ts";
import { lowHalf } from "../memory/split-address.ts";
import type { SymbolTable } from "../symbols/symbol-table.ts";
import type { OrcEntry, OrcTable } from "./orc.ts";
import { calibrateOrc, type RawOrc } from "./orc-calibrate.ts";
import {
  decodeOrc,
  layoutName,
  ORC_ENTRY_SIZE,
  ORC_HEADER_SIZE,
  type OrcLayout,
  typesFromHeader,
} from "./orc-layout.ts";
import { findModuleOrc } from "./orc-module.ts";
import { ORC_REGISTERS, ORC_TYPES, type OrcRun } from "./orc-run.ts";
import { lastNotAfter, type OrcColumns, type OrcDisorder, OrcSection } from "./orc-section.ts";

const UNDEFINED = ORC_TYPES.indexOf("undefined");

/**
 * Opens the ORC tables of the kernel and of its modules. Nothing is read but a handful of pages to recognise the layout;
 * look-ups then read the pages that their binary search touches. Modules' tables are found in their `struct module` when
 * an address inside the module is first asked for; no type information is needed.
 * Null where the kernel has no ORC tables (another unwinder, or no data symbols to find them by) or none we understand.
 */
export function openOrc(space: AddressSpace, symbols: SymbolTable): OrcTable | null {
  const section = kernelSection(space, symbols);
  const layout = section === null ? null : recognise(space, symbols, section);
  return section === null || layout === null ? null : new KernelOrc(space, symbols, section, layout);
}

/** The same of a kernel that has not run yet, whose table may not be in order: what was amiss goes to `disorder`. */
export function openLinkedOrc(
  space: AddressSpace,
  symbols: SymbolTable,
  disorder: (found: OrcDisorder) => void,
): OrcTable | null {
  const section = kernelSection(space, symbols);
  if (section === null) return null;
  const start = (symbols.byName("_text", null) ?? symbols.byName("_stext", null))?.address;
  const end = symbols.byName("_end", null)?.address;
  const found = section.sort(start ?? 0n, end ?? 0xffffffffffffffffn);
  const layout = recognise(space, symbols, section);
  if (layout === null) return null;
  if (found.unsorted + found.outside > 0) disorder(found);
  return new KernelOrc(space, symbols, section, layout);
}

function kernelSection(space: AddressSpace, symbols: SymbolTable): OrcSection | null {
  const address = (name: string): bigint | null => symbols.byName(name, null)?.address ?? null;
  const ipStart = address("__start_orc_unwind_ip");
  const ipStop = address("__stop_orc_unwind_ip");
  const orcStart = address("__start_orc_unwind");
  if (ipStart === null || orcStart === null) return null;
  // The stop symbol can be lost among aliases; the other table's end is as good, since it follows.
  const end = ipStop ?? orcStart;
  if (end <= ipStart || end - ipStart > 1n << 28n) return null;
  return new OrcSection(space, ipStart, orcStart, Number(end - ipStart) >> 2);
}

class KernelOrc implements OrcTable {
  readonly #layout: OrcLayout;
  readonly #space: AddressSpace;
  readonly #symbols: SymbolTable;
  readonly #kernel: OrcSection;
  readonly #rules = new Map<number, { readonly register: number; readonly type: number } | null>();
  #covered: { readonly start: bigint; readonly end: bigint } | null = null;
  readonly #moduleSections = new Map<bigint, OrcSection | null>();

  readonly #placed: (pc: bigint) => OrcSection | null | undefined;

  constructor(
    space: AddressSpace,
    symbols: SymbolTable,
    kernel: OrcSection,
    layout: OrcLayout,
    placed: (pc: bigint) => OrcSection | null | undefined = () => undefined,
  ) {
    this.#placed = placed;
    this.#space = space;
    this.#symbols = symbols;
    this.#kernel = kernel;
    this.#layout = layout;
  }

  get layout(): string {
    return layoutName(this.#layout);
  }

  withPlaced(placed: (pc: bigint) => OrcSection | null | undefined): OrcTable {
    return new KernelOrc(this.#space, this.#symbols, this.#kernel, this.#layout, placed);
  }

  find(pc: bigint): OrcEntry | null {
    const section = this.#sectionFor(pc);
    if (section === null) return null;
    const index = section.indexFor(pc);
    if (index === null) return null;
    const raw = section.entry(index);
    const start = section.startOf(index);
    if (raw === null || start === null) return null;
    const rule = decodeOrc(this.#layout, raw.spOffset, raw.bpOffset, raw.flags);
    return rule === null ? null : { address: start, ...rule };
  }

  collect(start: bigint, end: bigint, into: OrcRun): void {
    const section = this.#sectionFor(start);
    if (section === null) return;
    const columns = section.columns();
    if (columns !== null) this.#collectColumns(section, columns, start, end, into);
    else this.#collectEntries(section, start, end, into);
  }

  #collectColumns(
    section: OrcSection,
    { relative, spOffset, flags }: OrcColumns,
    start: bigint,
    end: bigint,
    into: OrcRun,
  ): void {
    const base = lowHalf(section.base);
    const last = Number(end - section.base);
    // The code before the first entry has none, but the rest of the range may.
    let index = Math.max(0, lastNotAfter(relative, Number(start - section.base)));
    for (; index < section.count && relative[index]! < last; index++) {
      const rule = this.#rule(spOffset[index]!, flags[index]!);
      const address = (base + relative[index]!) | 0;
      if (rule === null) into.push(address, 0, 0, UNDEFINED);
      else into.push(address, rule.register, spOffset[index]!, rule.type);
    }
  }

  /** The same where a part of the table is missing. */
  #collectEntries(section: OrcSection, start: bigint, end: bigint, into: OrcRun): void {
    for (let index = section.indexFor(start) ?? 0; index < section.count; index++) {
      const from = section.startOf(index);
      const raw = section.entry(index);
      if (from === null || raw === null || from >= end) return;
      const rule = this.#rule(raw.spOffset, raw.flags);
      if (rule === null) into.push(lowHalf(from) | 0, 0, 0, UNDEFINED);
      else into.push(lowHalf(from) | 0, rule.register, raw.spOffset, rule.type);
    }
  }

  /** What the flags say, in the numbers of the columns; a kernel has some dozen different ones. */
  #rule(spOffset: number, flags: number): { readonly register: number; readonly type: number } | null {
    let rule = this.#rules.get(flags);
    if (rule === undefined) {
      const decoded = decodeOrc(this.#layout, spOffset, 0, flags);
      rule =
        decoded === null
          ? null
          : { register: ORC_REGISTERS.indexOf(decoded.spRegister), type: ORC_TYPES.indexOf(decoded.type) };
      this.#rules.set(flags, rule);
    }
    return rule;
  }

  /** The code that the kernel's own table is about; null where its ends cannot be read. */
  #findCovered(): { readonly start: bigint; readonly end: bigint } | null {
    const first = this.#kernel.startOf(0);
    const last = this.#kernel.startOf(this.#kernel.count - 1);
    // The table ends with a terminator behind the last code (init text); nothing further on is the kernel's.
    if (first !== null && last !== null) this.#covered = { start: first, end: last + 0x1000n };
    return this.#covered;
  }

  #sectionFor(pc: bigint): OrcSection | null {
    const covered = this.#covered ?? this.#findCovered();
    if (covered !== null && pc >= covered.start && pc < covered.end) return this.#kernel;
    const placed = this.#placed(pc);
    if (placed !== undefined) return placed;
    for (const module of this.#symbols.modules) {
      if (!module.areas.some((area) => pc >= area.start && pc < area.start + BigInt(area.size))) continue;
      let section = this.#moduleSections.get(module.address);
      if (section === undefined) {
        section = findModuleOrc(this.#space, module);
        this.#moduleSections.set(module.address, section);
      }
      return section;
    }
    return null;
  }
}

function recognise(space: AddressSpace, symbols: SymbolTable, section: OrcSection): OrcLayout | null {
  const special: RawOrc[] = [];
  for (const name of ["entry_SYSCALL_64", "asm_exc_page_fault", "page_fault", "ret_from_fork_asm", "ret_from_fork"]) {
    const symbol = symbols.byName(name, null);
    const index = symbol === null ? null : section.indexFor(symbol.address);
    if (index !== null) special.push(...section.entries(index, 64));
  }
  const header = symbols.byName("__start_orc_header", null);
  const hash = header === null ? null : space.read(header.address, ORC_HEADER_SIZE);
  const byHeader = hash === null ? null : typesFromHeader(hash);
  return calibrateOrc([...orcFpEntry(space, symbols), ...spread(section)], special, byHeader);
}

/** `orc_fp_entry`: the kernel's own entry for code with a frame pointer (CFA = BP + 16, caller's BP at CFA - 16), from 5.3. */
function orcFpEntry(space: AddressSpace, symbols: SymbolTable): RawOrc[] {
  const symbol = symbols.byName("orc_fp_entry", null);
  const bytes = symbol === null ? null : space.read(symbol.address, ORC_ENTRY_SIZE);
  if (bytes === null) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [{ spOffset: view.getInt16(0, true), bpOffset: view.getInt16(2, true), flags: view.getUint16(4, true) }];
}

/** 1024 entries from four places: few pages, and not all from one compilation unit. */
function spread(section: OrcSection): RawOrc[] {
  const result: RawOrc[] = [];
  for (let part = 0; part < 4; part++) {
    result.push(...section.entries(Math.floor((section.count * part) / 4) + 8, 256));
  }
  return result;
}
