/** One piece of code decoded both ways: by the tables and iced together, as everywhere, and by iced alone. */
import { CodeColumns, MAX_OPERANDS, OPERAND, WIDE_KINDS } from "./code-columns.ts";
import { IcedReader } from "./iced-reader.ts";

/** How far both agree: instructions compared, and the first one that differs, for people; null where all are equal. */
export function compareDecoders(bytes: Uint8Array, address: bigint): { compared: number; difference: string | null } {
  const both = new CodeColumns();
  both.decode(bytes, address);
  // One row, filled again and again.
  const alone = new CodeColumns();
  const iced = new IcedReader(alone, bytes, address);
  try {
    for (let at = 0, position = 0; position < bytes.length; at++) {
      alone.wide.clear();
      const length = iced.decode(0, position);
      if (!equalRows(both, at, alone)) {
        const code = Array.from(bytes.subarray(position, position + 15), (byte) => byte.toString(16).padStart(2, "0"));
        return { compared: at, difference: `${code.join("")}: ${rowOf(both, at)} instead of ${rowOf(alone, 0)}` };
      }
      position += length;
    }
  } finally {
    iced.free();
  }
  return { compared: both.count, difference: null };
}

/** Is row `at` the same as the other's first, in all that is not stale? */
function equalRows(code: CodeColumns, at: number, other: CodeColumns): boolean {
  const [mine, wanted] = [rowOf(code, at), rowOf(other, 0)];
  return mine.length === wanted.length && mine.every((value, place) => value === wanted[place]);
}

/** All that the columns say of an instruction. */
export function rowOf(code: CodeColumns, at: number): (number | bigint | undefined)[] {
  const row: (number | bigint | undefined)[] = [code.mnemonic[at], code.address[at], code.length[at], code.flow[at]];
  row.push(code.target[at], code.operandCount[at]);
  for (let operand = 0; operand < code.operandCount[at]!; operand++) {
    const slot = at * MAX_OPERANDS + operand;
    const kind = code.operandKind[slot]!;
    row.push(kind);
    if (kind === OPERAND.REGISTER) row.push(code.operandRegister[slot]);
    if (kind === OPERAND.IMMEDIATE) row.push(code.immediate[at]);
    if (kind === OPERAND.MEMORY) {
      row.push(code.base[at], code.index[at], code.scale[at], code.segment[at], code.ripRelative[at]);
      row.push(code.displacement[at]);
    }
  }
  for (let kind = 0; kind < WIDE_KINDS; kind++) row.push(code.wide.get(at * WIDE_KINDS + kind));
  return row;
}
