/**
 * The BPF Type Format on disk and in a kernel's memory: header, kinds and record sizes, little-endian.
 * Source: Linux include/uapi/linux/btf.h and Documentation/bpf/btf.rst.
 */

export const BTF_MAGIC = 0xeb9f;

export const KIND = {
  void: 0,
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  forward: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  funcProto: 13,
  variable: 14,
  dataSection: 15,
  float: 16,
  declTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

/**
 * `info` of a btf_type holds the kind in bits 24-30 and the number of elements in bits 0-23 since 7.1; before, only bits
 * 24-28 and 0-15 could be set and the rest had to be zero, so the wide masks read both.
 */
export const kindOf = (info: number): number => (info >>> 24) & 0x7f;
export const vlenOf = (info: number): number => info & 0xffffff;
export const kflagOf = (info: number): boolean => info >>> 31 === 1;

/** Bytes of a `struct btf_type` before what its kind appends. */
export const TYPE_HEADER_SIZE = 12;

/** What follows the header: `[fixed, per element]` bytes, indexed by kind. */
export const TRAILER: readonly (readonly [number, number])[] = [
  [0, 0], // void never appears in the section
  [4, 0], // int: encoding, offset, bits
  [0, 0],
  [12, 0], // array: element, index type, length
  [0, 12], // struct: name, type, offset
  [0, 12],
  [0, 8], // enum: name, s32 value
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0], // func: its vlen is the linkage, not a count
  [0, 8], // prototype: name, type
  [4, 0], // variable: linkage
  [0, 12], // data section: type, offset, size
  [0, 0],
  [4, 0], // declaration tag: component
  [0, 0],
  [0, 12], // enum64: name, low, high
];

export interface BtfHeader {
  readonly typeStart: number;
  readonly typeEnd: number;
  readonly stringStart: number;
  readonly stringEnd: number;
  /** `struct btf_layout` array (7.1+): sizes of every kind the writer knew, so that unknown kinds can be skipped. */
  readonly layoutStart: number;
  readonly layoutEnd: number;
}

/** Reads and bounds-checks the header; null where these bytes are no BTF. */
export function readBtfHeader(bytes: Uint8Array): BtfHeader | null {
  if (bytes.length < 24) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0, true) !== BTF_MAGIC || view.getUint8(2) !== 1) return null;
  const headerLength = view.getUint32(4, true);
  if (headerLength < 24 || headerLength > bytes.length) return null;
  const typeStart = headerLength + view.getUint32(8, true);
  const typeEnd = typeStart + view.getUint32(12, true);
  const stringStart = headerLength + view.getUint32(16, true);
  const stringEnd = stringStart + view.getUint32(20, true);
  if (typeEnd > bytes.length || stringEnd > bytes.length) return null;
  let layoutStart = 0;
  let layoutEnd = 0;
  if (headerLength >= 32) {
    layoutStart = headerLength + view.getUint32(24, true);
    layoutEnd = layoutStart + view.getUint32(28, true);
    if (layoutEnd > bytes.length) layoutStart = layoutEnd = 0;
  }
  return { typeStart, typeEnd, stringStart, stringEnd, layoutStart, layoutEnd };
}
