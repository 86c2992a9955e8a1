/** Values on the stack of a location expression: typed as of DWARF 5, or of the generic type (64 bits, no sign of its own). */
import { OP } from "./location-expression-ops.ts";

export interface StackValue {
  /** The bits, unsigned. */
  readonly raw: bigint;
  readonly bits: number;
  readonly signed: boolean;
  /** The generic type: division and comparison are signed, shifts and remainders are not (DWARF 5, 2.5.1.4). */
  readonly generic: boolean;
}

export function generic(value: bigint): StackValue {
  return { raw: BigInt.asUintN(64, value), bits: 64, signed: false, generic: true };
}

export function typed(value: bigint, bits: number, signed: boolean): StackValue {
  return { raw: BigInt.asUintN(bits, value), bits, signed, generic: false };
}

/** Its number in arithmetic. */
export function numberOf(value: StackValue): bigint {
  return value.signed ? BigInt.asIntN(value.bits, value.raw) : value.raw;
}

/** Its number with a sign, whatever its type: what the generic type is divided and compared by. */
function signedNumber(value: StackValue): bigint {
  return value.generic ? BigInt.asIntN(value.bits, value.raw) : numberOf(value);
}

function like(model: StackValue, value: bigint): StackValue {
  return { ...model, raw: BigInt.asUintN(model.bits, value) };
}

export function unary(op: number, a: StackValue): StackValue {
  switch (op) {
    case OP.abs: {
      const value = signedNumber(a);
      return like(a, value < 0n ? -value : value);
    }
    case OP.neg:
      return like(a, -numberOf(a));
    default:
      return like(a, ~a.raw);
  }
}

/** The result of `a OP b`, `b` from the top; null for a division by zero, types that differ or an operation that is none. */
export function binary(op: number, a: StackValue, b: StackValue): StackValue | null {
  if (op === OP.shl || op === OP.shr || op === OP.shra) return shift(op, a, numberOf(b));
  if (a.bits !== b.bits || a.generic !== b.generic || a.signed !== b.signed) return null;
  switch (op) {
    case OP.and:
      return like(a, a.raw & b.raw);
    case OP.or:
      return like(a, a.raw | b.raw);
    case OP.xor:
      return like(a, a.raw ^ b.raw);
    case OP.plus:
      return like(a, a.raw + b.raw);
    case OP.minus:
      return like(a, a.raw - b.raw);
    case OP.mul:
      return like(a, numberOf(a) * numberOf(b));
    case OP.div:
      return b.raw === 0n ? null : like(a, signedNumber(a) / signedNumber(b));
    case OP.mod:
      return b.raw === 0n ? null : like(a, numberOf(a) % numberOf(b));
    default:
      return compare(op, signedNumber(a), signedNumber(b));
  }
}

function shift(op: number, a: StackValue, by: bigint): StackValue | null {
  if (by < 0n) return null;
  if (op === OP.shra) return like(a, BigInt.asIntN(a.bits, a.raw) >> (by > 127n ? 127n : by));
  if (by >= BigInt(a.bits)) return like(a, 0n);
  return like(a, op === OP.shl ? a.raw << by : a.raw >> by);
}

function compare(op: number, a: bigint, b: bigint): StackValue | null {
  const outcome: Readonly<Record<number, boolean>> = {
    [OP.eq]: a === b,
    [OP.ge]: a >= b,
    [OP.gt]: a > b,
    [OP.le]: a <= b,
    [OP.lt]: a < b,
    [OP.ne]: a !== b,
  };
  const holds = outcome[op];
  return holds === undefined ? null : generic(holds ? 1n : 0n);
}
