/** Whether code makes use of what a call returns: one that is used comes from no function that returns nothing. */
import {
  type CodeColumns,
  FLOW,
  generalRegisters,
  MAX_OPERANDS,
  OPERAND,
  registerWidths,
} from "../../code/code-columns.ts";
import { OPERATION, operationTable } from "./operations.ts";

const RAX = 0;
/** Instructions behind the call that are looked at. */
const WINDOW = 24;

export class UsedResults {
  readonly #operations = operationTable();
  readonly #general = generalRegisters();
  readonly #widths = registerWidths();

  /**
   * Is RAX read behind the call before it is written? False also where that cannot be told.
   * @param returns whether the function with the call returns something itself: a tail call, or a return next, hands it on
   */
  after(code: CodeColumns, call: number, tail: boolean, returns: boolean): boolean {
    if (tail) return returns;
    for (let at = call + 1; at < code.count && at <= call + WINDOW && code.followed(at - 1); at++) {
      const flow = code.flow[at]!;
      if (flow === FLOW.return) return returns;
      if (flow !== FLOW.next && flow !== FLOW.conditional) return false;
      const used = this.#use(code, at);
      if (used !== null) return used;
      // What is not used on the way straight on may be so on the other one.
    }
    return false;
  }

  /** True where the instruction reads RAX, false where it writes it without that, null where it does neither. */
  #use(code: CodeColumns, at: number): boolean | null {
    const count = code.operandCount[at]!;
    const operation = this.#operations[code.mnemonic[at]!]!;
    const first = at * MAX_OPERANDS;
    if (operation === OPERATION.XOR && count === 2 && this.#isRax(code, first) && this.#isRax(code, first + 1)) {
      return false;
    }
    for (let operand = 0; operand < count; operand++) {
      const kind = code.operandKind[first + operand];
      if (kind === OPERAND.MEMORY) {
        const base = this.#general[code.base[at]!]!;
        const index = this.#general[code.index[at]!]!;
        if ((base === RAX && code.base[at] !== 0) || (index === RAX && code.index[at] !== 0)) return true;
      }
      if (kind === OPERAND.OTHER) return false;
      if (operand > 0 && this.#isRax(code, first + operand)) return true;
    }
    if (!this.#isRax(code, first)) {
      const implied =
        operation === OPERATION.RAX_RDX ||
        operation === OPERATION.RAX ||
        operation === OPERATION.CPUID ||
        operation === OPERATION.COMPARE_EXCHANGE;
      return implied ? false : null;
    }
    switch (operation) {
      case OPERATION.MOVE:
      case OPERATION.LEA:
      case OPERATION.POP:
        // A write of the low byte or word leaves the rest as it was, and tells nothing.
        return this.#widths[code.operandRegister[first]!]! >= 4 ? false : null;
      case OPERATION.NONE:
      case OPERATION.ADD:
      case OPERATION.SUB:
      case OPERATION.AND:
      case OPERATION.OR:
      case OPERATION.PUSH:
        return true;
      default:
        // movzx, setcc and all others: whether they read it first is not looked up.
        return false;
    }
  }

  #isRax(code: CodeColumns, slot: number): boolean {
    return code.operandKind[slot] === OPERAND.REGISTER && this.#general[code.operandRegister[slot]!] === RAX;
  }
}
