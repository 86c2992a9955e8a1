/** Writes kallsyms tables as scripts/kallsyms.c lays them out, for tests. */
import type { AddressEncoding } from "../kallsyms-addresses.ts";

export interface PlainSymbol {
  readonly name: string;
  readonly type: string;
  readonly address: bigint;
}

export interface EncodeOptions {
  readonly encoding: AddressEncoding;
  /** Virtual address at which the bytes will lie. */
  readonly at: bigint;
  /** `before`: addresses ahead of the names (to 6.4); `after`: behind the token index (6.5 on). */
  readonly order: "before" | "after";
  readonly longLengths: boolean;
  readonly markerWidth: 4 | 8;
  /** Bytes of seqs_of_names between markers and tokens (6.2 to 6.4). */
  readonly seqs?: boolean;
}

export interface EncodedKallsyms {
  readonly bytes: Uint8Array;
  /** By the names that VMCOREINFO uses; those the encoding lacks are not in it. */
  readonly symbols: Readonly<Record<string, bigint>>;
}

/** Pieces longer than a character, longest first so that greedy compression takes them. */
const PIECES = ["__pfx_", "_symbol", "kall", "sys_", "init", "_st", "ext", "do_", "to", "re", "in", "_"];
/** Token numbers that printable characters do not take. */
const FIRST_PIECE = 0x80;

function tokenTexts(): string[] {
  const texts = Array.from({ length: 256 }, (_, i) => (i >= 0x20 && i < 0x7f ? String.fromCharCode(i) : ""));
  PIECES.forEach((piece, i) => {
    texts[FIRST_PIECE + i] = piece;
  });
  return texts;
}

function compress(text: string, texts: readonly string[]): number[] {
  const tokens: number[] = [];
  for (let at = 0; at < text.length; ) {
    const piece = PIECES.findIndex((one) => text.startsWith(one, at));
    const token = piece >= 0 ? FIRST_PIECE + piece : text.charCodeAt(at);
    tokens.push(token);
    at += (texts[token] as string).length;
  }
  return tokens;
}

class Writer {
  readonly bytes: number[] = [];
  align(): void {
    while (this.bytes.length % 8 !== 0) this.bytes.push(0);
  }
  word(value: bigint, width: number): void {
    for (let i = 0; i < width; i++) this.bytes.push(Number((BigInt.asUintN(64, value) >> BigInt(i * 8)) & 255n));
  }
}

/** Symbols must be in ascending (unsigned) order; the relative base is the first address of the kernel half. */
export function encodeKallsyms(symbols: readonly PlainSymbol[], options: EncodeOptions): EncodedKallsyms {
  const out = new Writer();
  const places: Record<string, bigint> = {};
  const mark = (name: string) => {
    out.align();
    places[name] = options.at + BigInt(out.bytes.length);
  };
  const base = symbols.find((symbol) => symbol.address >> 63n === 1n)?.address ?? 0n;

  const addresses = () => {
    const absolute = options.encoding === "absolute";
    mark(absolute ? "kallsyms_addresses" : "kallsyms_offsets");
    for (const { address } of symbols) {
      const here = options.at + BigInt(out.bytes.length);
      if (absolute) out.word(address, 8);
      else if (options.encoding === "base-relative") out.word(address - base, 4);
      else if (options.encoding === "place-relative") out.word(address - here, 4);
      else out.word(address >> 63n === 1n ? base - 1n - address : address, 4);
    }
    if (!absolute && options.encoding !== "place-relative") {
      mark("kallsyms_relative_base");
      out.word(base, 8);
    }
  };

  const texts = tokenTexts();
  if (options.order === "before") addresses();
  mark("kallsyms_num_syms");
  out.word(BigInt(symbols.length), 4);
  mark("kallsyms_names");
  const start = out.bytes.length;
  const markers: number[] = [];
  symbols.forEach(({ name, type }, i) => {
    if (i % 256 === 0) markers.push(out.bytes.length - start);
    const tokens = compress(type + name, texts);
    if (tokens.length >= 0x80 && options.longLengths) out.bytes.push((tokens.length & 0x7f) | 0x80, tokens.length >> 7);
    else out.bytes.push(tokens.length);
    out.bytes.push(...tokens);
  });
  mark("kallsyms_markers");
  for (const marker of markers) out.word(BigInt(marker), options.markerWidth);
  if (options.seqs === true) {
    mark("kallsyms_seqs_of_names");
    symbols.forEach((_, i) => {
      const seq = (i * 7919) % symbols.length;
      out.bytes.push((seq >> 16) & 255, (seq >> 8) & 255, seq & 255);
    });
  }
  mark("kallsyms_token_table");
  const index: number[] = [];
  const tableStart = out.bytes.length;
  for (const text of texts) {
    index.push(out.bytes.length - tableStart);
    for (const character of text) out.bytes.push(character.charCodeAt(0));
    out.bytes.push(0);
  }
  mark("kallsyms_token_index");
  for (const offset of index) out.word(BigInt(offset), 2);
  if (options.order === "after") addresses();
  out.align();
  return { bytes: Uint8Array.from(out.bytes), symbols: places };
}
