/** Values of C types, read from memory or from the bytes of a register: what is there, and what is not. */
import type { AddressSpace } from "../memory/address-space.ts";
import { basicTypeName } from "./c-names.ts";
import { stripTypedefs } from "./strip.ts";
import type { CMember, CType, MemberLocation } from "./type-provider.ts";

export type CValue =
  | { readonly kind: "integer"; readonly value: bigint; readonly size: number; readonly signed: boolean }
  | { readonly kind: "boolean"; readonly value: bigint }
  /** A single `char`. */
  | { readonly kind: "character"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  /** `name`: the enumerator, or several joined by ` | ` where the value is made of single bits; null where it is none. */
  | { readonly kind: "enum"; readonly value: bigint; readonly name: string | null }
  | { readonly kind: "pointer"; readonly value: bigint; readonly target: CType }
  /** An array of characters: all of them; the text ends at the first NUL where only NULs follow. */
  | { readonly kind: "text"; readonly bytes: Uint8Array }
  /** `length` as declared; `items` may be fewer, where the rest was not asked for. */
  | { readonly kind: "array"; readonly items: readonly CValue[]; readonly length: number }
  /** Members without a name are nameless structs and unions. */
  | { readonly kind: "struct"; readonly members: readonly { readonly name: string; readonly value: CValue }[] }
  /** A type that has no value: void, a function, an incomplete struct. */
  | { readonly kind: "none"; readonly what: string }
  /** Some of its bytes are not there. */
  | { readonly kind: "missing" };

/** Bytes of which some may not be there. */
export interface PartialBytes {
  readonly bytes: Uint8Array;
  /** Whether any of these bytes is not there (or lies outside). */
  missing(offset: number, length: number): boolean;
}

/** Most bytes read for one value: far above any struct of a kernel. */
export const MAX_VALUE_BYTES = 1 << 20;
/** Array elements decoded at most, in one value altogether. */
const MAX_ITEMS = 65_536;
const MAX_NESTING = 64;

/** The bytes of a value in memory; what is not in the dump is marked so. At most `MAX_VALUE_BYTES`. */
export function bytesInMemory(memory: AddressSpace, address: bigint, size: number): PartialBytes {
  const { bytes, faults } = memory.readSparse(address, Math.min(size, MAX_VALUE_BYTES));
  const missingPages = new Set(faults.map((fault) => fault.virtual >> 12n));
  return {
    bytes,
    missing(offset, length) {
      if (offset < 0 || offset + length > bytes.length) return true;
      if (missingPages.size === 0 || length === 0) return false;
      const last = (address + BigInt(offset + length - 1)) >> 12n;
      for (let page = (address + BigInt(offset)) >> 12n; page <= last; page++) if (missingPages.has(page)) return true;
      return false;
    },
  };
}

/** Bytes as a register or several pieces hold them; null for a byte that is lost. */
export function bytesOfPieces(pieces: readonly (number | null)[]): PartialBytes {
  const bytes = Uint8Array.from(pieces, (byte) => byte ?? 0);
  return {
    bytes,
    missing: (offset, length) =>
      offset < 0 || offset + length > pieces.length || pieces.slice(offset, offset + length).includes(null),
  };
}

/** Decodes a value of `type` that begins `offset` bytes into `data`. */
export function decodeValue(data: PartialBytes, type: CType, offset = 0): CValue {
  return new Decoder(data).value(type, offset * 8, null, 0);
}

/** Decodes a bit field (or any value) by its offset in bits. */
export function decodeBits(data: PartialBytes, type: CType, bitOffset: number, bitSize: number | null): CValue {
  return new Decoder(data).value(type, bitOffset, bitSize, 0);
}

/** Reads the member of a struct at `address`; `location` as `findMember` gives it. */
export function readMember(memory: AddressSpace, address: bigint, location: MemberLocation): CValue {
  const { bitOffset, bitSize, type } = location;
  const first = Math.floor(bitOffset / 8);
  const size = bitSize === null ? location.size : Math.ceil((bitOffset + bitSize) / 8) - first;
  return decodeBits(bytesInMemory(memory, address + BigInt(first), size), type, bitOffset % 8, bitSize);
}

/** Reads a value of `type` from memory. */
export function readValue(memory: AddressSpace, type: CType, address: bigint): CValue {
  const stripped = stripTypedefs(type);
  return decodeValue(bytesInMemory(memory, address, "size" in stripped ? stripped.size : 0), type);
}

class Decoder {
  readonly #data: PartialBytes;
  #itemsLeft = MAX_ITEMS;

  constructor(data: PartialBytes) {
    this.#data = data;
  }

  value(declared: CType, bitOffset: number, bitSize: number | null, depth: number): CValue {
    const type = stripTypedefs(declared);
    if (depth > MAX_NESTING) return { kind: "none", what: "nested too deep" };
    switch (type.kind) {
      case "int":
      case "enum":
      case "pointer": {
        const raw = this.#integer(bitOffset, bitSize ?? type.size * 8);
        if (raw === null) return { kind: "missing" };
        return scalar(type, raw, bitSize);
      }
      case "float":
        return this.#float(bitOffset, type.size);
      case "array":
        return this.#array(type, bitOffset, depth);
      case "struct":
      case "union": {
        const members: { name: string; value: CValue }[] = [];
        for (const member of type.members) {
          if (this.#itemsLeft-- <= 0) break;
          members.push({ name: member.name, value: this.#member(member, bitOffset, depth) });
        }
        return { kind: "struct", members };
      }
      default:
        return { kind: "none", what: type.kind === "forward" ? "incomplete type" : type.kind };
    }
  }

  #member(member: CMember, base: number, depth: number): CValue {
    return this.value(member.type, base + member.bitOffset, member.bitSize, depth + 1);
  }

  /** Up to 128 bits, little-endian; null where a byte is missing. */
  #integer(bitOffset: number, bits: number): bigint | null {
    const first = Math.floor(bitOffset / 8);
    const end = Math.ceil((bitOffset + bits) / 8);
    if (bits <= 0 || bits > 128 || this.#data.missing(first, end - first)) return null;
    let value = 0n;
    for (let at = end - 1; at >= first; at--) value = (value << 8n) | BigInt(this.#data.bytes[at]!);
    return BigInt.asUintN(bits, value >> BigInt(bitOffset % 8));
  }

  #float(bitOffset: number, size: number): CValue {
    const at = Math.floor(bitOffset / 8);
    if (this.#data.missing(at, size)) return { kind: "missing" };
    const { bytes } = this.#data;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (size === 4) return { kind: "float", value: view.getFloat32(at, true) };
    if (size === 8) return { kind: "float", value: view.getFloat64(at, true) };
    return { kind: "none", what: `${size * 8}-bit floating point` };
  }

  #array(type: Extract<CType, { kind: "array" }>, bitOffset: number, depth: number): CValue {
    const element = stripTypedefs(type.element);
    const size = "size" in element ? element.size : 0;
    const start = Math.floor(bitOffset / 8);
    if (element.kind === "int" && size === 1 && isCharacter(type.element)) {
      if (this.#data.missing(start, type.length)) {
        return type.length === 0 ? { kind: "text", bytes: new Uint8Array() } : { kind: "missing" };
      }
      const bytes = this.#data.bytes.slice(start, start + type.length);
      if (basicTypeName(element.name) === "char" || isText(bytes)) return { kind: "text", bytes };
    }
    if (type.length * size > 0 && start >= this.#data.bytes.length) return { kind: "missing" };
    const items: CValue[] = [];
    for (let index = 0; index < type.length && size > 0; index++) {
      if (this.#itemsLeft-- <= 0 || start + (index + 1) * size > this.#data.bytes.length) break;
      items.push(this.value(type.element, bitOffset + index * size * 8, null, depth + 1));
    }
    return { kind: "array", items, length: size === 0 ? 0 : type.length };
  }
}

function scalar(
  type: Extract<CType, { kind: "int" | "enum" | "pointer" }>,
  raw: bigint,
  bitSize: number | null,
): CValue {
  const bits = bitSize ?? type.size * 8;
  if (type.kind === "pointer") return { kind: "pointer", value: raw, target: type.target };
  const value = type.signed ? BigInt.asIntN(bits, raw) : raw;
  if (type.kind === "enum") return { kind: "enum", value, name: enumeratorNames(type, raw, value, bits) };
  const name = basicTypeName(type.name);
  if (name === "bool") return { kind: "boolean", value };
  if (name === "char" && bitSize === null) return { kind: "character", value: Number(raw) };
  return { kind: "integer", value, size: Math.ceil(bits / 8), signed: type.signed };
}

/** The enumerator of a value, or those of its bits where each enumerator is a bit of its own. */
function enumeratorNames(
  type: Extract<CType, { kind: "enum" }>,
  raw: bigint,
  value: bigint,
  bits: number,
): string | null {
  const { enumerators } = type;
  const same = enumerators.find((one) => one.value === value || BigInt.asUintN(bits, one.value) === raw);
  if (same !== undefined) return same.name;
  if (raw === 0n) return null;
  let left = raw;
  const names: string[] = [];
  for (const one of enumerators) {
    const bit = BigInt.asUintN(bits, one.value);
    if (bit === 0n || (bit & (bit - 1n)) !== 0n || (left & bit) === 0n) continue;
    left &= ~bit;
    names.push(one.name);
  }
  return left === 0n && names.length > 1 ? names.join(" | ") : null;
}

/** Whether a byte type is meant as a character: `u8` and its kin are numbers. */
function isCharacter(start: CType): boolean {
  let type = start;
  for (let n = 0; n < MAX_NESTING; n++) {
    if (type.kind === "typedef") {
      if (/^(__)?[us]8$|int8_t$/.test(type.name)) return false;
      type = type.target;
    } else if (type.kind === "const" || type.kind === "volatile" || type.kind === "restrict") {
      type = type.target;
    } else {
      return type.kind === "int" && /char$/.test(type.name);
    }
  }
  return false;
}

/** Printable ASCII, at least one character, up to NULs. */
function isText(bytes: Uint8Array): boolean {
  const end = bytes.indexOf(0);
  const text = end < 0 ? bytes : bytes.subarray(0, end);
  return (
    text.length > 0 &&
    text.every((byte) => byte >= 0x20 && byte < 0x7f) &&
    bytes.subarray(text.length).every((b) => b === 0)
  );
}
