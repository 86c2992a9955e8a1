import type { AddressSpace, MemoryFault } from "../memory/address-space.ts";
import type { KernelModule, KernelSymbol, SymbolTable } from "../symbols/symbol-table.ts";

/** Kernel memory made of a few segments, for tests. Little-endian writers included. */
export class FakeMemory implements AddressSpace {
  readonly #segments: { readonly start: bigint; readonly bytes: Uint8Array }[] = [];

  map(start: bigint, bytes: Uint8Array | number): DataView {
    const data = typeof bytes === "number" ? new Uint8Array(bytes) : bytes;
    this.#segments.push({ start, bytes: data });
    return new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  #find(virtual: bigint): { readonly start: bigint; readonly bytes: Uint8Array } | undefined {
    return this.#segments.find((s) => virtual >= s.start && virtual < s.start + BigInt(s.bytes.length));
  }

  #view(virtual: bigint, length: number): DataView | null {
    const bytes = this.read(virtual, length);
    return bytes === null ? null : new DataView(bytes.buffer);
  }

  write(virtual: bigint, bytes: Uint8Array): void {
    const segment = this.#find(virtual);
    if (!segment) throw new Error(`nothing mapped at ${virtual.toString(16)}`);
    segment.bytes.set(bytes, Number(virtual - segment.start));
  }
  write64(virtual: bigint, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
    this.write(virtual, bytes);
  }
  write32(virtual: bigint, value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value >>> 0, true);
    this.write(virtual, bytes);
  }
  writeText(virtual: bigint, text: string): void {
    this.write(
      virtual,
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
    );
  }

  translate(virtual: bigint): bigint | null {
    return this.#find(virtual) ? virtual & 0xffffffffn : null;
  }
  explain(virtual: bigint): MemoryFault | null {
    return this.#find(virtual) ? null : { reason: "unmapped", virtual, physical: null };
  }
  read(virtual: bigint, length: number): Uint8Array | null {
    const segment = this.#find(virtual);
    if (!segment) return null;
    const from = Number(virtual - segment.start);
    return from + length > segment.bytes.length ? null : segment.bytes.slice(from, from + length);
  }
  readSparse(virtual: bigint, length: number): { bytes: Uint8Array; faults: MemoryFault[] } {
    const bytes = new Uint8Array(length);
    const faults: MemoryFault[] = [];
    for (let i = 0; i < length; i++) {
      const byte = this.u8(virtual + BigInt(i));
      if (byte !== null) bytes[i] = byte;
      else if (i === 0 || (virtual + BigInt(i)) % 4096n === 0n) faults.push(this.explain(virtual + BigInt(i))!);
    }
    return { bytes, faults };
  }
  u8(virtual: bigint): number | null {
    return this.#view(virtual, 1)?.getUint8(0) ?? null;
  }
  u16(virtual: bigint): number | null {
    return this.#view(virtual, 2)?.getUint16(0, true) ?? null;
  }
  u32(virtual: bigint): number | null {
    return this.#view(virtual, 4)?.getUint32(0, true) ?? null;
  }
  i32(virtual: bigint): number | null {
    return this.#view(virtual, 4)?.getInt32(0, true) ?? null;
  }
  u64(virtual: bigint): bigint | null {
    return this.#view(virtual, 8)?.getBigUint64(0, true) ?? null;
  }
  cstring(virtual: bigint, max = 256): string | null {
    let text = "";
    for (let i = 0; i < max; i++) {
      const byte = this.u8(virtual + BigInt(i));
      if (byte === null) return i === 0 ? null : text;
      if (byte === 0) break;
      text += String.fromCharCode(byte);
    }
    return text;
  }
}

/** A symbol table from a plain list. */
export function fakeSymbols(
  list: Readonly<Record<string, bigint>>,
  modules: readonly KernelModule[] = [],
  text: readonly [bigint, bigint] = [0n, 0n],
): SymbolTable {
  const symbols: KernelSymbol[] = Object.entries(list).map(([name, address]) => ({
    name,
    address,
    type: address >= text[0] && address < text[1] ? "T" : "D",
    module: null,
  }));
  symbols.sort((a, b) => (a.address < b.address ? -1 : 1));
  return {
    byName: (name) => symbols.find((s) => s.name === name) ?? null,
    allByName: (name) => symbols.filter((s) => s.name === name),
    byAddress: (address) => {
      const symbol = symbols.filter((s) => s.address <= address).at(-1);
      return symbol ? { symbol, offset: Number(address - symbol.address) } : null;
    },
    functionAt: () => null,
    isText: (address) => address >= text[0] && address < text[1],
    modules,
    all: () => symbols,
  };
}
