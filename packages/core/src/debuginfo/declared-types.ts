/**
 * What debug information says of a kernel's code and data as they were compiled: types of variables with an address, of
 * functions, and of the variables that registers hold at a place of the code. For whoever studies code; dumps are not needed.
 */
import { signedAddress } from "../symbols/kallsyms-addresses.ts";
import { scanUnit } from "../types/dwarf-scan.ts";
import { DwarfTypes } from "../types/dwarf-types.ts";
import type { CType } from "../types/type-provider.ts";
import { DW_AT, DW_TAG } from "./dwarf/constants.ts";
import type { DwarfFile } from "./dwarf/dwarf-file.ts";
import { expressionAt } from "./variables.ts";

const DW_OP_ADDR = 0x03;
/** DW_OP_reg0 to DW_OP_reg31: the variable is in that register. */
const DW_OP_REG0 = 0x50;
/** Numbers of the general registers in instructions, by DWARF number (System V psABI for AMD64, figure 3.36). */
const REGISTERS = [0, 2, 1, 3, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15];
const ADDRESS_BYTES = 9;
/** Inlining nests scopes with some tens of variables each. */
const MOST_VARIABLES = 2000;

export interface DeclaredVariable {
  readonly address: bigint;
  readonly type: CType;
}

/** What studying code asks of debug information. Addresses are the running (or placed) kernel's. */
export interface DeclaredTypes {
  /** Global and file-scope variables that have an address. Reads all of the file's units. */
  variables(): Iterable<DeclaredVariable>;
  /** The type of the function whose first instruction is at an address; null where that is not known. */
  functionAt(address: bigint): Extract<CType, { kind: "function" }> | null;
  /**
   * Types of the parameters and locals that are in general registers when the instruction at an address begins, by the
   * register's number in instructions. Where several variables are in one, the innermost function's counts.
   */
  registersAt(address: bigint): ReadonlyMap<number, CType>;
  /** What could not be read, in words. */
  readonly problems?: readonly string[];
}

/** The same out of a file's DWARF. */
export class DwarfDeclaredTypes implements DeclaredTypes {
  readonly #file: DwarfFile;
  readonly #types: DwarfTypes;

  constructor(file: DwarfFile) {
    this.#file = file;
    this.#types = new DwarfTypes(file);
  }

  get problems(): readonly string[] {
    return this.#file.problems;
  }

  *variables(): Generator<DeclaredVariable> {
    const file = this.#file;
    for (const offset of file.unitOffsets) {
      const found: number[] = [];
      file.attempt(() =>
        scanUnit(file, offset, (entry) => {
          const { names } = entry.abbreviation;
          if (entry.tag === DW_TAG.variable && names.includes(DW_AT.location)) found.push(entry.offset);
          return true;
        }),
      );
      for (const at of found) {
        const variable = file.attempt(() => this.#variable(at, offset));
        if (variable !== null) yield variable;
      }
    }
  }

  #variable(offset: number, unit: number): DeclaredVariable | null {
    const die = this.#file.unit(unit)?.dieAt(offset) ?? null;
    const location = die?.block(DW_AT.location) ?? null;
    if (die === null || location?.length !== ADDRESS_BYTES || location[0] !== DW_OP_ADDR) return null;
    const address = new DataView(location.buffer, location.byteOffset).getBigUint64(1, true);
    return { address: BigInt.asUintN(64, address + this.#file.bias), type: this.#types.typeOf(die) };
  }

  functionAt(address: bigint): Extract<CType, { kind: "function" }> | null {
    const pc = signedAddress(address - this.#file.bias);
    const [die] = this.#file.scopesAt(pc);
    if (die === undefined || die.addressNumber(DW_AT.lowPc) !== pc) return null;
    const type = this.#file.attempt(() => this.#types.typeAt(die.originWith(DW_AT.name) ?? die));
    return type?.kind === "function" ? type : null;
  }

  registersAt(address: bigint): ReadonlyMap<number, CType> {
    const found = new Map<number, CType>();
    const pc = signedAddress(address - this.#file.bias);
    const scopes = this.#file.scopesAt(pc);
    let left = MOST_VARIABLES;
    for (const scope of scopes.toReversed()) {
      this.#file.attempt(() => {
        for (const die of scope.children()) {
          if (die.tag !== DW_TAG.formalParameter && die.tag !== DW_TAG.variable) continue;
          if (--left < 0) return;
          const expression = die.has(DW_AT.location) ? expressionAt(die, pc) : null;
          if (expression?.length !== 1) continue;
          const register = REGISTERS[expression[0]! - DW_OP_REG0];
          if (register !== undefined && !found.has(register)) found.set(register, this.#types.typeOf(die));
        }
      });
    }
    return found;
  }
}
