/** What location expressions ask of a frame. */
import { unsignedAddress } from "../symbols/kallsyms-addresses.ts";
import type { FrameState } from "./debug-info.ts";
import { DW_AT, DW_TAG } from "./dwarf/constants.ts";
import type { Die } from "./dwarf/die.ts";
import type { DwarfFile } from "./dwarf/dwarf-file.ts";
import { addressByIndex } from "./dwarf/form-values.ts";
import type { DwarfUnit } from "./dwarf/unit.ts";
import { type ExpressionContext, evaluateNumber } from "./location-expression.ts";
import type { VariableSource } from "./variables.ts";
import { entryValue } from "./variables-entry-value.ts";

/** DWARF numbers of the stack pointer and of the return address column (System V psABI for AMD64, figure 3.36). */
const RSP = 7;
const RETURN_ADDRESS = 16;
/** DW_ATE codes of integers: boolean, signed, signed char, unsigned, unsigned char, UTF, and addresses. */
const INTEGER = new Map([
  [0x01, false],
  [0x02, false],
  [0x05, true],
  [0x06, true],
  [0x07, false],
  [0x08, false],
  [0x10, false],
]);

/** The expressions of one frame: of its variables, its frame base, and of the calls that it makes. */
export class FrameExpressions {
  readonly source: VariableSource;
  readonly file: DwarfFile;
  readonly frame: FrameState;
  /** The function's own entry first, then blocks and inlined functions inwards. */
  readonly scopes: readonly Die[];
  /** How many callers up from the frame that was asked about. */
  readonly callersUp: number;
  #frameBase: bigint | null | undefined;

  constructor(source: VariableSource, file: DwarfFile, frame: FrameState, scopes: readonly Die[], callersUp: number) {
    this.source = source;
    this.file = file;
    this.frame = frame;
    this.scopes = scopes;
    this.callersUp = callersUp;
  }

  /** For the expressions of a unit: offsets of types and indexes count from there. */
  in(unit: DwarfUnit): ExpressionContext {
    const { frame, file, source } = this;
    const { header } = unit;
    return {
      cfa: frame.cfa,
      referenceSize: header.version <= 2 ? header.addressSize : header.offsetSize,
      register: (number) => this.#register(number),
      frameBase: () => this.#base(),
      read: (address, size) => readLittleEndian(source, address, size),
      relocate: (address) => BigInt.asUintN(64, address + file.bias),
      indexed: (index) => {
        const address = addressByIndex(unit, index);
        return address === null ? null : BigInt.asUintN(64, unsignedAddress(address) + file.bias);
      },
      entryValue: (block) => file.attempt(() => entryValue(this, block)),
      baseType: (offset) => file.attempt(() => baseType(unit, offset)),
    };
  }

  #register(number: number): bigint | null {
    if (number === RSP) return this.frame.sp;
    if (number === RETURN_ADDRESS) return this.frame.pc;
    return this.frame.registers.get(number) ?? null;
  }

  /** DW_AT_frame_base of the function; asked once, and not of itself. */
  #base(): bigint | null {
    if (this.#frameBase === undefined) {
      this.#frameBase = null;
      const func = this.scopes[0];
      const expression = func?.block(DW_AT.frameBase) ?? null;
      if (func !== undefined && expression !== null) this.#frameBase = evaluateNumber(expression, this.in(func.unit));
    }
    return this.#frameBase;
  }
}

function readLittleEndian(source: VariableSource, address: bigint, size: number): bigint | null {
  const bytes = source.memory.read(BigInt.asUintN(64, address), size);
  if (bytes === null) return null;
  let value = 0n;
  for (let at = size - 1; at >= 0; at--) value = (value << 8n) | BigInt(bytes[at]!);
  return value;
}

function baseType(unit: DwarfUnit, offset: number): { size: number; signed: boolean } | null {
  const die = unit.dieAt(unit.header.offset + offset);
  if (die === null || die.tag !== DW_TAG.baseType) return null;
  const size = die.number(DW_AT.byteSize);
  const signed = INTEGER.get(die.number(DW_AT.encoding) ?? 0);
  return size === null || signed === undefined ? null : { size, signed };
}
