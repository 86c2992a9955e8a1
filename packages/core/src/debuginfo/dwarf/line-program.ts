import type { LineHeader } from "./line-header.ts";
import type { Reader } from "./reader.ts";

/** Rows of a line table in the order of the program; sequences of them ascend by address. */
export interface LineRows {
  readonly addresses: Float64Array;
  readonly files: Uint32Array;
  readonly lines: Uint32Array;
  readonly columns: Uint32Array;
  /** 1 where a debugger would stop: the row begins a statement. */
  readonly statements: Uint8Array;
  readonly sequences: readonly LineSequence[];
}

/** Rows of code that lies together: `low` is the first address, `high` one past the last. Signed link-time addresses. */
export interface LineSequence {
  readonly low: number;
  readonly high: number;
  readonly first: number;
  /** One past the last row. */
  readonly last: number;
}

const LNS = {
  copy: 1,
  advancePc: 2,
  advanceLine: 3,
  setFile: 4,
  setColumn: 5,
  negateStatement: 6,
  constAddPc: 8,
  fixedAdvancePc: 9,
} as const;
const LNE_END_SEQUENCE = 1;
const LNE_SET_ADDRESS = 2;

/**
 * Runs a line program (DWARF 5, 6.2.5).
 * @param reader over the header and the program, from the header's first byte
 * @throws SpillwayError `SPW_DEBUGINFO_CORRUPT`
 */
export function runLineProgram(reader: Reader, header: LineHeader): LineRows {
  const rows = new RowList();
  const { lineBase, lineRange, opcodeBase, minimumInstruction, operands, end } = header;
  let address = 0;
  let file = 1;
  let line = 1;
  let column = 0;
  let statement = header.defaultIsStatement;
  reader.at = header.program;
  while (reader.at < end) {
    const opcode = reader.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      address += Math.floor(adjusted / lineRange) * minimumInstruction;
      line += lineBase + (adjusted % lineRange);
      rows.add(address, file, line, column, statement);
      continue;
    }
    switch (opcode) {
      case 0: {
        const length = reader.uleb();
        const next = reader.at + length;
        const extended = length > 0 ? reader.u8() : 0;
        if (extended === LNE_END_SEQUENCE) {
          rows.endSequence(address);
          address = 0;
          file = 1;
          line = 1;
          column = 0;
          statement = header.defaultIsStatement;
        } else if (extended === LNE_SET_ADDRESS) {
          address = reader.address(length - 1);
        }
        reader.at = next;
        break;
      }
      case LNS.copy:
        rows.add(address, file, line, column, statement);
        break;
      case LNS.advancePc:
        address += reader.uleb() * minimumInstruction;
        break;
      case LNS.advanceLine:
        line += reader.sleb();
        break;
      case LNS.setFile:
        file = reader.uleb();
        break;
      case LNS.setColumn:
        column = reader.uleb();
        break;
      case LNS.negateStatement:
        statement = !statement;
        break;
      case LNS.constAddPc:
        address += Math.floor((255 - opcodeBase) / lineRange) * minimumInstruction;
        break;
      case LNS.fixedAdvancePc:
        address += reader.u16();
        break;
      default:
        for (let count = operands[opcode] ?? 0; count > 0; count--) reader.skipLeb();
    }
  }
  return rows.done();
}

class RowList {
  readonly #addresses: number[] = [];
  readonly #files: number[] = [];
  readonly #lines: number[] = [];
  readonly #columns: number[] = [];
  readonly #statements: number[] = [];
  readonly #sequences: LineSequence[] = [];
  #first = 0;

  add(address: number, file: number, line: number, column: number, statement: boolean): void {
    this.#addresses.push(address);
    this.#files.push(file);
    this.#lines.push(line);
    this.#columns.push(column);
    this.#statements.push(statement ? 1 : 0);
  }

  endSequence(high: number): void {
    const first = this.#first;
    const last = this.#addresses.length;
    this.#first = last;
    const low = this.#addresses[first];
    if (low !== undefined && last > first && high > low) this.#sequences.push({ low, high, first, last });
  }

  done(): LineRows {
    this.#sequences.sort((a, b) => a.low - b.low);
    return {
      addresses: Float64Array.from(this.#addresses),
      files: Uint32Array.from(this.#files),
      lines: Uint32Array.from(this.#lines),
      columns: Uint32Array.from(this.#columns),
      statements: Uint8Array.from(this.#statements),
      sequences: this.#sequences,
    };
  }
}
