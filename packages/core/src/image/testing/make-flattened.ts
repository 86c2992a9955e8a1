import { concat } from "./make-notes.ts";
import { ascii } from "./memory-model.ts";

export interface FlatRecord {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A flattened file of these records, in this order. */
export function makeFlattened(records: readonly FlatRecord[], endMark = true): Uint8Array {
  const header = new Uint8Array(4096);
  header.set(ascii("makedumpfile"));
  const view = new DataView(header.buffer);
  view.setBigInt64(16, 1n);
  view.setBigInt64(24, 1n);
  const parts: Uint8Array[] = [header];
  for (const record of records) parts.push(recordHeader(record.offset, record.bytes.length), record.bytes);
  if (endMark) parts.push(recordHeader(-1, -1));
  return concat(parts);
}

/** Cuts a file into records of `sizes` bytes, used in turn. */
export function recordsOf(bytes: Uint8Array, sizes: readonly number[]): FlatRecord[] {
  const records: FlatRecord[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    records.push({ offset: at, bytes: bytes.slice(at, at + size) });
    at += size;
  }
  return records;
}

function recordHeader(offset: number, size: number): Uint8Array {
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  view.setBigInt64(0, BigInt(offset));
  view.setBigInt64(8, BigInt(size));
  return header;
}
