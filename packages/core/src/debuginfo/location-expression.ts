/** Location expressions of DWARF: where a variable lives, or what it holds, at one place of the code in one frame. */
import { SpillwayError } from "../errors.ts";
import type { VariablePlace } from "./debug-info.ts";
import { Reader } from "./dwarf/reader.ts";
import { OP, registerName, STANDARD } from "./location-expression-ops.ts";
import {
  joinPieces,
  Lost,
  littleEndian,
  MAX_VALUE,
  type Piece,
  type PlaceContext,
  placeOf,
  type Simple,
} from "./location-expression-place.ts";
import { binary, generic, numberOf, type StackValue, typed, unary } from "./location-expression-value.ts";

/** What an expression may ask for. Every answer may be null: then what is computed from it is lost. */
export interface ExpressionContext extends PlaceContext {
  /** The canonical frame address. */
  readonly cfa: bigint | null;
  /** What DW_AT_frame_base of the function comes to. */
  frameBase(): bigint | null;
  /** An address that the debug information names, in the running kernel. */
  relocate(address: bigint): bigint | null;
  /** Entry of .debug_addr, as of DW_OP_addrx. */
  indexed(index: number): bigint | null;
  /** What the expression in the block came to when the function was entered; told by the caller's call site. */
  entryValue(block: Uint8Array): bigint | null;
  /** A base type by its offset in the unit; null where it is none, or no integer. */
  baseType(offset: number): { readonly size: number; readonly signed: boolean } | null;
  /** Size in bytes of a reference to another unit: 4 in 32-bit DWARF, 8 in 64-bit; the address size in DWARF 2. */
  readonly referenceSize: number;
}

/** Operations of one expression at most: they can branch backwards. */
const MAX_STEPS = 10_000;
const MAX_STACK = 256;
/**
 * Where an expression puts a variable.
 * @param size of the variable in bytes where known, so that registers and computed values are cut to it
 */
export function evaluateLocation(
  expression: Uint8Array,
  context: ExpressionContext,
  size: number | null,
): VariablePlace {
  try {
    const { pieces, last } = new Evaluation(expression, context).run();
    if (pieces.length === 0) return placeOf(last, context, size);
    return joinPieces(pieces, context);
  } catch (error) {
    return { kind: "lost", why: whyLost(error) };
  }
}

/** The number that an expression leaves on its stack, or that the register has which it names; null where it is lost. */
export function evaluateNumber(expression: Uint8Array, context: ExpressionContext): bigint | null {
  try {
    const { pieces, last } = new Evaluation(expression, context).run();
    if (pieces.length > 0) return null;
    if (last.kind === "memory") return last.address;
    if (last.kind === "register") return context.register(last.number);
    if (last.kind !== "value" || last.bytes.length > 8) return null;
    let value = 0n;
    for (const byte of last.bytes.toReversed()) {
      if (byte === null) return null;
      value = (value << 8n) | BigInt(byte);
    }
    return value;
  } catch (error) {
    whyLost(error);
    return null;
  }
}

/** Why there is no value; any other error goes on its way. */
function whyLost(error: unknown): string {
  if (error instanceof Lost) return error.why;
  if (error instanceof SpillwayError) return "its location expression is cut short";
  throw error;
}

/** One run over an expression. */
class Evaluation {
  readonly #reader: Reader;
  readonly #context: ExpressionContext;
  readonly #stack: StackValue[] = [];

  constructor(bytes: Uint8Array, context: ExpressionContext) {
    this.#reader = new Reader(bytes);
    this.#context = context;
  }

  run(): { readonly pieces: readonly Piece[]; readonly last: Simple } {
    const pieces: Piece[] = [];
    let current: Simple = { kind: "empty" };
    for (let steps = 0; !this.#reader.end; steps++) {
      if (steps >= MAX_STEPS) throw new Lost("its location expression does not end");
      const code = this.#reader.u8();
      const op = STANDARD.get(code) ?? code;
      if (op === OP.piece) {
        const size = this.#reader.uleb();
        if (size > MAX_VALUE || pieces.length >= MAX_VALUE) throw new Lost("its pieces are larger than any variable");
        pieces.push({ location: this.#settle(current), size });
        current = { kind: "empty" };
        this.#stack.length = 0;
      } else {
        current = this.#locate(op) ?? current;
      }
    }
    return { pieces, last: this.#settle(current) };
  }

  /** What the operations since the last piece said: a place of its own, or the address left on the stack. */
  #settle(current: Simple): Simple {
    if (current.kind !== "empty" || this.#stack.length === 0) return current;
    return { kind: "memory", address: numberOf(this.#top()) & 0xffff_ffff_ffff_ffffn };
  }

  /** Operations that say where a value is instead of computing with it; null where this one computes. */
  #locate(op: number): Simple | null {
    if (op >= OP.reg0 && op < OP.reg0 + 32) return { kind: "register", number: op - OP.reg0 };
    switch (op) {
      case OP.regx:
        return { kind: "register", number: this.#reader.uleb() };
      case OP.stackValue: {
        const value = this.#top();
        return { kind: "value", bytes: littleEndian(signExtended(value), 8) };
      }
      case OP.implicitValue:
        return { kind: "value", bytes: [...this.#reader.block(this.#reader.uleb())] };
      case OP.implicitPointer:
        this.#fixed(this.#context.referenceSize);
        this.#reader.bigLeb(true);
        return { kind: "lost", why: "a pointer to something that was optimised out" };
      case OP.bitPiece:
        throw new Lost("put together from single bits, which is not supported");
      default:
        this.#compute(op);
        return null;
    }
  }

  #compute(op: number): void {
    if (op >= OP.lit0 && op < OP.lit0 + 32) {
      this.#push(generic(BigInt(op - OP.lit0)));
      return;
    }
    if (op >= OP.breg0 && op < OP.breg0 + 32) {
      this.#based(op - OP.breg0);
      return;
    }
    const constant = this.#constant(op);
    if (constant !== null) {
      this.#push(constant);
      return;
    }
    if (op >= OP.abs && op <= OP.ne) {
      this.#calculate(op);
      return;
    }
    switch (op) {
      case OP.addr:
        this.#pushKnown(this.#context.relocate(this.#fixed(8)), "its address is not in this kernel");
        return;
      case OP.addrx:
        this.#pushKnown(this.#context.indexed(this.#reader.uleb()), "its address is not in the debug information");
        return;
      case OP.constx:
        this.#pushKnown(this.#context.indexed(this.#reader.uleb()), "its value is not in the debug information");
        return;
      case OP.fbreg: {
        const offset = this.#reader.bigLeb(true);
        const base = this.#context.frameBase();
        this.#pushKnown(base === null ? null : base + offset, "where its frame begins is not known");
        return;
      }
      case OP.callFrameCfa:
        this.#pushKnown(this.#context.cfa, "where its frame begins is not known");
        return;
      case OP.bregx:
        this.#based(this.#reader.uleb());
        return;
      case OP.deref:
        this.#dereference(8);
        return;
      case OP.derefSize:
        this.#dereference(this.#reader.u8());
        return;
      case OP.dup:
        this.#push(this.#top());
        return;
      case OP.drop:
        this.#pop();
        return;
      case OP.over:
        this.#push(this.#peek(1));
        return;
      case OP.pick:
        this.#push(this.#peek(this.#reader.u8()));
        return;
      case OP.swap: {
        const [a, b] = [this.#pop(), this.#pop()];
        this.#push(a);
        this.#push(b);
        return;
      }
      case OP.rot: {
        const [a, b, c] = [this.#pop(), this.#pop(), this.#pop()];
        this.#push(a);
        this.#push(c);
        this.#push(b);
        return;
      }
      case OP.skip: {
        this.#reader.at = this.#jump();
        return;
      }
      case OP.nop:
      case OP.gnuUninit:
        return;
      case OP.entryValue:
        this.#entryValue();
        return;
      default:
        this.#computeTyped(op);
        return;
    }
  }

  #computeTyped(op: number): void {
    switch (op) {
      case OP.constType: {
        const type = this.#baseType(this.#reader.uleb());
        const size = this.#reader.u8();
        if (size > 8) throw new Lost("computed with a type of more than 64 bits");
        this.#push(typed(this.#fixed(size), type.size * 8, type.signed));
        return;
      }
      case OP.regvalType: {
        const number = this.#reader.uleb();
        const type = this.#baseType(this.#reader.uleb());
        this.#push(typed(this.#register(number), type.size * 8, type.signed));
        return;
      }
      case OP.derefType: {
        const size = this.#reader.u8();
        const type = this.#baseType(this.#reader.uleb());
        this.#dereference(size);
        this.#push(typed(this.#pop().raw, type.size * 8, type.signed));
        return;
      }
      case OP.convert: {
        const offset = this.#reader.uleb();
        const value = numberOf(this.#pop());
        if (offset === 0) {
          this.#push(generic(value));
          return;
        }
        const type = this.#baseType(offset);
        this.#push(typed(value, type.size * 8, type.signed));
        return;
      }
      case OP.reinterpret: {
        const offset = this.#reader.uleb();
        const { raw } = this.#pop();
        if (offset === 0) {
          this.#push(generic(raw));
          return;
        }
        const type = this.#baseType(offset);
        this.#push(typed(raw, type.size * 8, type.signed));
        return;
      }
      case OP.formTlsAddress:
        throw new Lost("thread-local");
      case OP.gnuVariableValue:
      case OP.gnuParameterRef:
      case OP.call2:
      case OP.call4:
      case OP.callRef:
        throw new Lost("computed from another variable's location, which is not supported");
      default:
        throw new Lost(`its location uses operation 0x${op.toString(16)}, which is not known`);
    }
  }

  #constant(op: number): StackValue | null {
    switch (op) {
      case OP.const1u:
        return generic(this.#fixed(1));
      case OP.const1s:
        return generic(BigInt.asIntN(8, this.#fixed(1)));
      case OP.const2u:
        return generic(this.#fixed(2));
      case OP.const2s:
        return generic(BigInt.asIntN(16, this.#fixed(2)));
      case OP.const4u:
        return generic(this.#fixed(4));
      case OP.const4s:
        return generic(BigInt.asIntN(32, this.#fixed(4)));
      case OP.const8u:
      case OP.const8s:
        return generic(this.#fixed(8));
      case OP.constu:
        return generic(this.#reader.bigLeb(false));
      case OP.consts:
        return generic(this.#reader.bigLeb(true));
      default:
        return null;
    }
  }

  #calculate(op: number): void {
    if (op === OP.bra) {
      const target = this.#jump();
      if (this.#pop().raw !== 0n) this.#reader.at = target;
      return;
    }
    if (op === OP.abs || op === OP.neg || op === OP.not) {
      this.#push(unary(op, this.#pop()));
      return;
    }
    if (op === OP.plusUconst) {
      const added = this.#reader.bigLeb(false);
      const a = this.#pop();
      this.#push({ ...a, raw: BigInt.asUintN(a.bits, a.raw + added) });
      return;
    }
    const b = this.#pop();
    const result = binary(op, this.#pop(), b);
    if (result === null) throw new Lost("its location expression makes no sense");
    this.#push(result);
  }

  #entryValue(): void {
    const block = this.#reader.block(this.#reader.uleb());
    const value = this.#context.entryValue(block);
    this.#pushKnown(value, "overwritten since the function was entered, and its caller does not tell what it was");
  }

  #based(number: number): void {
    const offset = this.#reader.bigLeb(true);
    this.#push(generic(this.#register(number) + offset));
  }

  #register(number: number): bigint {
    const value = this.#context.register(number);
    if (value === null) throw new Lost(`${registerName(number)} is not known in this frame`);
    return value;
  }

  #dereference(size: number): void {
    const address = this.#pop().raw;
    if (size < 1 || size > 8) throw new Lost("its location expression makes no sense");
    this.#pushKnown(this.#context.read(address, size), `the memory at 0x${address.toString(16)} is not in the dump`);
  }

  #baseType(offset: number) {
    const type = this.#context.baseType(offset);
    if (type === null || type.size < 1 || type.size > 16) throw new Lost("computed with a type that is no integer");
    return type;
  }

  #pushKnown(value: bigint | null, why: string): void {
    if (value === null) throw new Lost(why);
    this.#push(generic(value));
  }

  #push(value: StackValue): void {
    if (this.#stack.length >= MAX_STACK) throw new Lost("its location expression makes no sense");
    this.#stack.push(value);
  }

  #pop(): StackValue {
    const value = this.#stack.pop();
    if (value === undefined) throw new Lost("its location expression makes no sense");
    return value;
  }

  #top(): StackValue {
    return this.#peek(0);
  }

  /** An unsigned number of 1 to 8 bytes. */
  #fixed(size: number): bigint {
    let value = 0n;
    for (let index = 0; index < size; index++) value |= BigInt(this.#reader.u8()) << BigInt(8 * index);
    return value;
  }

  /** Where a branch leads. */
  #jump(): number {
    const by = (this.#reader.u16() << 16) >> 16;
    const target = this.#reader.at + by;
    if (target < 0 || target > this.#reader.bytes.length) throw new Lost("its location expression makes no sense");
    return target;
  }

  #peek(depth: number): StackValue {
    const value = this.#stack[this.#stack.length - 1 - depth];
    if (value === undefined) throw new Lost("its location expression makes no sense");
    return value;
  }
}

function signExtended(value: StackValue): bigint {
  return BigInt.asUintN(64, numberOf(value));
}
