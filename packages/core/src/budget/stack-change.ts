/** What single instructions do to RSP, whatever the function around them does. */
import { type CodeColumns, generalRegisters, MAX_OPERANDS, mnemonicNumber, OPERAND } from "../code/code-columns.ts";
import { depthBytes, depthNumber, EXACT, MOST_FRAME_BYTES } from "./depth-number.ts";

const RSP = 4;

/** The mnemonics that matter to the depth of the stack, by name; iced's numbers. */
export function stackMnemonics() {
  const numbers = (...names: string[]) => names.map((name) => mnemonicNumber(name));
  const [push, pushfq, pop, popfq, leave, cmp, test, nop, add, sub, and, lea, mov, xchg, int3] = numbers(
    ...[
      "push",
      "pushfq",
      "pop",
      "popfq",
      "leave",
      "cmp",
      "test",
      "nop",
      "add",
      "sub",
      "and",
      "lea",
      "mov",
      "xchg",
      "int3",
    ],
  );
  return { push, pushfq, pop, popfq, leave, cmp, test, nop, add, sub, and, lea, mov, xchg, int3 };
}

let mnemonic: ReturnType<typeof stackMnemonics> | null = null;

/** Bytes by which an instruction deepens the stack; null where that depends on more than itself. */
export function movedBy(code: CodeColumns, index: number): number | null {
  const change = stackChange(code, index);
  return change === null ? null : depthBytes(change);
}

/** By how much an instruction moves RSP, as the number of a depth; null where that depends on more than itself. */
export function stackChange(code: CodeColumns, index: number): number | null {
  mnemonic ??= stackMnemonics();
  const first = index * MAX_OPERANDS;
  const isRegister = code.operandCount[index]! > 0 && code.operandKind[first] === OPERAND.REGISTER;
  const target = isRegister ? generalRegisters()[code.operandRegister[first]!]! : -1;
  switch (code.mnemonic[index]) {
    case mnemonic.push:
    case mnemonic.pushfq:
      return depthNumber(8, EXACT);
    case mnemonic.pop:
    case mnemonic.popfq:
      return target === RSP ? null : -depthNumber(8, EXACT);
    case mnemonic.leave:
      return null;
    case mnemonic.add:
    case mnemonic.sub: {
      if (target !== RSP) return 0;
      if (code.operandKind[first + 1] !== OPERAND.IMMEDIATE) return null;
      const bytes = code.immediate[index]!;
      if (Math.abs(bytes) > MOST_FRAME_BYTES) return null;
      return depthNumber(code.mnemonic[index] === mnemonic.sub ? bytes : -bytes, EXACT);
    }
    case mnemonic.cmp:
    case mnemonic.test:
      return 0;
    default:
      return target === RSP ? null : 0;
  }
}

/** Whether an instruction may give RSP a value in a way that ORC knows nothing of; see LOST in frame-state.ts. */
export function losesStack(code: CodeColumns, index: number): boolean {
  mnemonic ??= stackMnemonics();
  const general = generalRegisters();
  const first = index * MAX_OPERANDS;
  const number = code.mnemonic[index];
  if (number === mnemonic.xchg && isStackPointer(code, index, first + 1)) return true;
  if (!isStackPointer(code, index, first)) return false;
  switch (number) {
    case mnemonic.push:
    case mnemonic.pop:
    case mnemonic.add:
    case mnemonic.sub:
    case mnemonic.and:
    case mnemonic.lea:
    case mnemonic.cmp:
    case mnemonic.test:
      return false;
    case mnemonic.mov: {
      const kind = code.operandKind[first + 1];
      return kind !== OPERAND.MEMORY && (kind !== OPERAND.REGISTER || general[code.operandRegister[first + 1]!]! < 0);
    }
    default:
      return true;
  }
}

function isStackPointer(code: CodeColumns, index: number, operand: number): boolean {
  if (operand - index * MAX_OPERANDS >= code.operandCount[index]!) return false;
  return code.operandKind[operand] === OPERAND.REGISTER && generalRegisters()[code.operandRegister[operand]!] === RSP;
}
