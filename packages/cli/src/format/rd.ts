import { hex16 } from "../text/hex.ts";

export type WordBits = 8 | 16 | 32 | 64;

/** Bytes in a row of `rd`. */
const ROW = 16;
/** Characters in a row of `rd -a`. */
const ASCII_ROW = 60;

export interface RdStyle {
  readonly bits: WordBits;
  /** The ASCII column; crash's -x leaves it out. */
  readonly ascii: boolean;
  /** Names a 64-bit word, or null: crash's -s. */
  readonly symbolize: ((word: bigint) => string | null) | null;
}

function word(bytes: Uint8Array, offset: number, size: number): bigint {
  let value = 0n;
  for (let index = size - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[offset + index]!);
  return value;
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}

/** Memory in crash's `rd` layout: address, words, ASCII. `bytes` lie at `address`. */
export function formatMemoryRows(bytes: Uint8Array, address: bigint, style: RdStyle): string {
  const size = style.bits / 8;
  let text = "";
  for (let start = 0; start < bytes.length; start += ROW) {
    const row = bytes.subarray(start, Math.min(start + ROW, bytes.length));
    let line = `${hex16(address + BigInt(start)).replace(/^0+(?=.)/, (zeros) => " ".repeat(zeros.length))}:  `;
    for (let offset = 0; offset + size <= row.length; offset += size) {
      const value = word(row, offset, size);
      const name = style.symbolize?.(value) ?? null;
      line += `${name === null ? value.toString(16).padStart(size * 2, "0") : name.padEnd(16)} `;
    }
    if (style.ascii && style.symbolize === null) {
      const missing = (ROW - row.length) / size;
      line += `${" ".repeat(missing * (size * 2 + 1))}  `;
      for (const byte of row) line += isPrintable(byte) ? String.fromCharCode(byte) : ".";
    }
    text += `${line}\n`;
  }
  return text;
}

/** Memory as text, crash's `rd -a`: stops at the first byte that is not printable ASCII. */
export function formatAscii(bytes: Uint8Array, address: bigint): string {
  let end = bytes.findIndex((byte) => !isPrintable(byte));
  if (end < 0) end = bytes.length;
  let text = "";
  for (let start = 0; start < end; start += ASCII_ROW) {
    const row = String.fromCharCode(...bytes.subarray(start, Math.min(start + ASCII_ROW, end)));
    text += `${hex16(address + BigInt(start))}:  ${row}\n`;
  }
  return text;
}
