/** Pointers that numbers are added to: what the sum points to. */
import { type Atom, KIND, type Value, type Values } from "./values.ts";

/** One pointer plus a number that is not known. */
export function plusUnknown(values: Values, a: Value, b: Value): Value {
  const pointer = pointerRank(a) >= pointerRank(b) ? a : b;
  return values.map(pointer, (atom) => {
    switch (atom.kind) {
      case "object":
      case "cell":
        return again(values, atom);
      case "address":
        return values.address(atom.address, true);
      default:
        return values.unknown;
    }
  });
}

/** The value of one atom. */
export function again(values: Values, atom: Atom): Value {
  switch (atom.kind) {
    case "object":
      return values.object(atom.type, atom.offset);
    case "cell":
      return values.cell(atom.type);
    case "address":
      return values.address(atom.address, atom.anywhere);
    default:
      return values.unknown;
  }
}

/** add $size,%reg: on to the next element of an array. */
export function next(values: Values, value: Value, amount: number): Value {
  return values.map(value, (atom) =>
    atom.kind === "object" && Math.abs(amount) === atom.type.size
      ? values.object(atom.type, atom.offset)
      : shiftAtom(values, atom, amount),
  );
}

export function shift(values: Values, value: Value, amount: number): Value {
  if (amount === 0) return value;
  if (value.atoms.length === 1) return shiftAtom(values, value.atoms[0]!, amount);
  return values.map(value, (atom) => shiftAtom(values, atom, amount));
}

export function shiftAtom(values: Values, atom: Atom, amount: number): Value {
  switch (atom.kind) {
    case "object": {
      const offset = atom.offset + amount;
      return Math.abs(offset) > 1 << 20 ? values.unknown : values.shifted(atom, amount);
    }
    case "cell":
      return amount % 8 === 0 ? values.cell(atom.type) : values.unknown;
    case "address":
      return values.address((atom.address + amount) | 0, atom.anywhere);
    case "stack":
      return values.stack(atom.offset + amount);
    case "made": {
      const offset = atom.offset + amount;
      return Math.abs(offset) >= 1 << 19 ? values.unknown : values.made(atom.source, offset);
    }
    default:
      return values.unknown;
  }
}

/** Rank of what is certainly a pointer. */
export const TYPED = 3;
const TYPED_KINDS = KIND.object | KIND.cell | KIND.address;

/** Which of two added values is the pointer: the one of the higher rank. */
export function pointerRank({ kinds }: Value): number {
  if ((kinds & TYPED_KINDS) !== 0) return TYPED;
  if ((kinds & KIND.stack) !== 0) return 2;
  return (kinds & KIND.made) !== 0 ? 1 : 0;
}
