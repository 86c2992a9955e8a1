/**
 * Which registers a piece of straight code reads before it writes them, and which it writes, as InstructionFlow understands its
 * instructions (where it counts an instruction's result as something of no interest, the operands are not read).
 */
import { type CodeColumns, FLOW, generalRegisters, MAX_OPERANDS, OPERAND } from "../../code/code-columns.ts";
import type { FlowQuestions } from "./flow-questions.ts";
import { OPERATION, operationTable } from "./operations.ts";
import { ARGUMENTS, bits, CALLER_SAVED, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP } from "./registers.ts";

const AFTER_CALL = bits([RAX, ...CALLER_SAVED]);

export class Effects {
  readonly #operations = operationTable();
  readonly #general = generalRegisters();
  /** Registers as bits. All that are read, and perhaps some more; what is written, if it was not read before. */
  reads = 0;
  writes = 0;
  /** Those that only a listener is told of, so far as they were not written before. */
  tells = 0;

  /** Of instructions `first` to before `end`. */
  find(code: CodeColumns, first: number, end: number, questions: FlowQuestions): void {
    this.reads = 0;
    this.writes = 0;
    this.tells = 0;
    for (let at = first; at < end; at++) {
      const flow = code.flow[at]!;
      if (flow === FLOW.next) this.#operate(code, at);
      else if (flow === FLOW.call) this.#call(questions, code.target[at]!);
      else if (flow === FLOW["indirect-call"]) this.#add(this.#operands(code, at) | ARGUMENTS, AFTER_CALL);
      else if (flow === FLOW["indirect-jump"]) this.#tell(this.#operands(code, at) | ARGUMENTS);
      else if (flow === FLOW.return) this.#tell(1 << RAX);
      else if (flow === FLOW.jump || flow === FLOW.conditional) this.#jump(code, code.target[at]!, questions);
    }
  }

  #tell(registers: number): void {
    this.tells |= registers & ~this.writes;
  }

  #jump(code: CodeColumns, target: number, questions: FlowQuestions): void {
    if (code.holds(target)) return;
    const callee = questions.callee(target);
    if (callee.isReturnThunk) this.#tell(1 << RAX);
    else this.#tell(callee.register >= 0 ? ARGUMENTS | (1 << callee.register) : callee.takes);
  }

  #add(reads: number, writes: number): void {
    this.reads |= reads & ~this.writes;
    this.writes |= writes;
  }

  #call(questions: FlowQuestions, target: number): void {
    const callee = questions.callee(target);
    if (callee.register >= 0) this.#add(ARGUMENTS | (1 << callee.register), AFTER_CALL);
    else if (!callee.preserves) this.#add(callee.takes, AFTER_CALL);
  }

  /** The register that an operand is, as a bit. */
  #register(code: CodeColumns, at: number, operand: number): number {
    const slot = at * MAX_OPERANDS + operand;
    if (code.operandKind[slot] !== OPERAND.REGISTER) return 0;
    const register = this.#general[code.operandRegister[slot]!]!;
    return register < 0 ? 0 : 1 << register;
  }

  /** Registers of a memory operand, of which InstructionFlow looks at the first two. */
  #address(code: CodeColumns, at: number): number {
    const slot = at * MAX_OPERANDS;
    if (code.operandKind[slot] !== OPERAND.MEMORY && code.operandKind[slot + 1] !== OPERAND.MEMORY) return 0;
    const base = code.base[at] === 0 ? -1 : this.#general[code.base[at]!]!;
    const index = code.index[at] === 0 ? -1 : this.#general[code.index[at]!]!;
    return (base < 0 ? 0 : 1 << base) | (index < 0 ? 0 : 1 << index);
  }

  #operands(code: CodeColumns, at: number): number {
    return this.#register(code, at, 0) | this.#register(code, at, 1) | this.#address(code, at);
  }

  #operate(code: CodeColumns, at: number): void {
    const first = this.#register(code, at, 0);
    switch (this.#operations[code.mnemonic[at]!]!) {
      case OPERATION.NONE:
        return;
      case OPERATION.MOVE:
        this.#add(this.#register(code, at, 1) | this.#address(code, at), first);
        return;
      case OPERATION.LEA:
        this.#add(this.#address(code, at), first);
        return;
      case OPERATION.XOR:
        this.#add(0, first);
        return;
      case OPERATION.PUSH:
        this.#add((1 << RSP) | this.#operands(code, at), 0);
        return;
      case OPERATION.POP:
        this.#add((1 << RSP) | this.#address(code, at), first);
        return;
      case OPERATION.LEAVE:
        this.#add(1 << RBP, (1 << RSP) | (1 << RBP));
        return;
      case OPERATION.COMPARE_EXCHANGE:
        this.#add(this.#operands(code, at), 1 << RAX);
        return;
      case OPERATION.CPUID:
        this.#add(0, (1 << RAX) | (1 << RBX) | (1 << RCX) | (1 << RDX));
        return;
      case OPERATION.RAX_RDX:
        this.#add(0, (1 << RAX) | (1 << RDX));
        return;
      case OPERATION.RAX:
        this.#add(0, 1 << RAX);
        return;
      case OPERATION.STRING_MOVE:
        this.#tell((1 << RSI) | (1 << RDI));
        this.#add(0, (1 << RSI) | (1 << RDI) | (1 << RCX));
        return;
      case OPERATION.STRING_OTHER:
        this.#add(0, (1 << RSI) | (1 << RDI) | (1 << RCX) | (1 << RAX));
        return;
      case OPERATION.OTHER:
        this.#add(this.#address(code, at), first);
        if (code.operandCount[at] === 1) this.#add(0, (1 << RAX) | (1 << RDX));
        return;
      default:
        // Additions, exchanges and the like: what is written was read.
        this.#add(this.#operands(code, at), 0);
    }
  }
}
