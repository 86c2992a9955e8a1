/**
 * A function's instructions as words, one row of eight for each: for whoever decodes in one place and looks at the code in
 * another. To read them back takes a tenth of the time that decoding does.
 */
import type { CodeColumns } from "./code-columns.ts";
import { MAX_OPERANDS } from "./code-format.ts";

/** Instructions, runs, wide values. */
const HEADER_WORDS = 3;
/** First instruction, start, end. */
const RUN_WORDS = 3;
/** Key, low half, high half. */
const WIDE_WORDS = 3;
const ROW_WORDS = 8;

/** So many words are all that `packCode` writes. */
export function packedWords({ count, runs, wide }: CodeColumns): number {
  return HEADER_WORDS + runs.length * RUN_WORDS + wide.size * WIDE_WORDS + count * ROW_WORDS;
}

/** Writes all that the columns hold at word `at` and behind it; there must be room for `packedWords`. */
export function packCode(code: CodeColumns, words: Int32Array, at: number): void {
  let to = at;
  words[to++] = code.count;
  words[to++] = code.runs.length;
  words[to++] = code.wide.size;
  for (const { first, start, end } of code.runs) {
    words[to++] = first;
    words[to++] = start;
    words[to++] = end;
  }
  for (const [key, value] of code.wide) {
    words[to++] = key;
    words[to++] = Number(BigInt.asIntN(32, value));
    words[to++] = Number(BigInt.asIntN(32, value >> 32n));
  }
  packRows(code, words, to);
}

/** Fills the columns with what `packCode` wrote there; what they held is gone. */
export function unpackCode(words: Int32Array, at: number, code: CodeColumns): void {
  code.clear();
  let from = at;
  const count = words[from++]!;
  const runs = words[from++]!;
  const wide = words[from++]!;
  for (let run = 0; run < runs; run++, from += RUN_WORDS) {
    code.runs.push({ first: words[from]!, start: words[from + 1]!, end: words[from + 2]! });
  }
  for (let value = 0; value < wide; value++, from += WIDE_WORDS) {
    const low = BigInt(words[from + 1]! >>> 0);
    code.wide.set(words[from]!, (BigInt(words[from + 2]!) << 32n) | low);
  }
  code.reserve(count);
  unpackRows(words, from, code, count);
  code.count = count;
}

/**
 * Eight words: mnemonic (16 bits), length (4), flow (4), operands (8); their kinds (4 each), segment (2), RIP-relative (2),
 * scale; registers of the first four; base, index, the fifth register; target; immediate; displacement; address.
 */
function packRows(code: CodeColumns, words: Int32Array, at: number): void {
  const { count, address, length, mnemonic, flow, target, operandCount, immediate, displacement } = code;
  const { base, index, scale, segment, ripRelative, operandKind: kind, operandRegister: register } = code;
  for (let one = 0, to = at, slot = 0; one < count; one++, to += ROW_WORDS, slot += MAX_OPERANDS) {
    words[to] = mnemonic[one]! | (length[one]! << 16) | (flow[one]! << 20) | (operandCount[one]! << 24);
    words[to + 1] =
      kind[slot]! |
      (kind[slot + 1]! << 4) |
      (kind[slot + 2]! << 8) |
      (kind[slot + 3]! << 12) |
      (kind[slot + 4]! << 16) |
      (segment[one]! << 20) |
      (ripRelative[one]! << 22) |
      (scale[one]! << 24);
    words[to + 2] =
      register[slot]! | (register[slot + 1]! << 8) | (register[slot + 2]! << 16) | (register[slot + 3]! << 24);
    words[to + 3] = base[one]! | (index[one]! << 8) | (register[slot + 4]! << 16);
    words[to + 4] = target[one]!;
    words[to + 5] = immediate[one]!;
    words[to + 6] = displacement[one]!;
    words[to + 7] = address[one]!;
  }
}

function unpackRows(words: Int32Array, at: number, code: CodeColumns, count: number): void {
  const { address, length, mnemonic, flow, target, operandCount, immediate, displacement } = code;
  const { base, index, scale, segment, ripRelative, operandKind: kind, operandRegister: register } = code;
  for (let one = 0, from = at, slot = 0; one < count; one++, from += ROW_WORDS, slot += MAX_OPERANDS) {
    const head = words[from]!;
    mnemonic[one] = head;
    length[one] = (head >> 16) & 15;
    flow[one] = (head >> 20) & 15;
    operandCount[one] = head >> 24;
    const kinds = words[from + 1]!;
    kind[slot] = kinds & 15;
    kind[slot + 1] = (kinds >> 4) & 15;
    kind[slot + 2] = (kinds >> 8) & 15;
    kind[slot + 3] = (kinds >> 12) & 15;
    kind[slot + 4] = (kinds >> 16) & 15;
    segment[one] = (kinds >> 20) & 3;
    ripRelative[one] = (kinds >> 22) & 3;
    scale[one] = kinds >> 24;
    const registers = words[from + 2]!;
    register[slot] = registers;
    register[slot + 1] = registers >> 8;
    register[slot + 2] = registers >> 16;
    register[slot + 3] = registers >> 24;
    const memory = words[from + 3]!;
    base[one] = memory;
    index[one] = memory >> 8;
    register[slot + 4] = memory >> 16;
    target[one] = words[from + 4]!;
    immediate[one] = words[from + 5]!;
    displacement[one] = words[from + 6]!;
    address[one] = words[from + 7]!;
  }
}
