/** From the pieces of a location to the place or the bytes of a variable. */
import type { VariablePlace } from "./debug-info.ts";
import { registerName } from "./location-expression-ops.ts";

/** Bytes of a value put together from pieces. */
export const MAX_VALUE = 4096;

/** Why a value cannot be told; thrown and caught within the evaluation of one expression. */
export class Lost {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/** What one piece of a location is. */
export type Simple =
  | { readonly kind: "empty" }
  | { readonly kind: "lost"; readonly why: string }
  | { readonly kind: "memory"; readonly address: bigint }
  | { readonly kind: "register"; readonly number: number }
  | { readonly kind: "value"; readonly bytes: readonly (number | null)[] };

/** What a place needs to be read. */
export interface PlaceContext {
  /** A register of the frame, by DWARF number. */
  register(number: number): bigint | null;
  /** `size` (1 to 8) bytes of memory, little-endian. */
  read(address: bigint, size: number): bigint | null;
}

export function littleEndian(value: bigint, size: number): number[] {
  return Array.from({ length: size }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

/** The place of a variable that is in one piece. */
export function placeOf(simple: Simple, context: PlaceContext, size: number | null): VariablePlace {
  switch (simple.kind) {
    case "empty":
      return { kind: "lost", why: "optimised out" };
    case "lost":
      return simple;
    case "memory":
      return { kind: "memory", address: simple.address };
    case "register":
      return { kind: "value", bytes: registerBytes(simple.number, context, size ?? 8) };
    case "value":
      return { kind: "value", bytes: size === null ? simple.bytes : simple.bytes.slice(0, size) };
  }
}

function registerBytes(number: number, context: PlaceContext, size: number): number[] {
  const value = context.register(number);
  if (value === null) throw new Lost(`${registerName(number)} is not known in this frame`);
  if (size > 8) throw new Lost(`more than ${registerName(number)} holds`);
  return littleEndian(value, size);
}

export interface Piece {
  readonly location: Simple;
  readonly size: number;
}

/** Pieces that lie one behind the other in memory are memory; others become bytes, with nulls where one is lost. */
export function joinPieces(pieces: readonly Piece[], context: PlaceContext): VariablePlace {
  const first = pieces[0]!.location;
  if (first.kind === "memory") {
    let next = first.address;
    const together = pieces.every(({ location, size }) => {
      const follows = location.kind === "memory" && location.address === next;
      next += BigInt(size);
      return follows;
    });
    if (together) return { kind: "memory", address: first.address };
  }
  const bytes: (number | null)[] = [];
  for (const piece of pieces) {
    if (bytes.length + piece.size > MAX_VALUE) throw new Lost("its pieces are larger than any variable");
    bytes.push(...pieceBytes(piece, context));
  }
  if (bytes.every((byte) => byte === null)) throw new Lost("optimised out");
  return { kind: "value", bytes };
}

function pieceBytes({ location, size }: Piece, context: PlaceContext): readonly (number | null)[] {
  const lost = Array<null>(size).fill(null);
  switch (location.kind) {
    case "empty":
    case "lost":
      return lost;
    case "memory":
      return lost.map((_, index) => {
        const byte = context.read(location.address + BigInt(index), 1);
        return byte === null ? null : Number(byte);
      });
    case "register": {
      const value = context.register(location.number);
      return value === null || size > 8 ? lost : littleEndian(value, size);
    }
    case "value":
      return lost.map((_, index) => location.bytes[index] ?? null);
  }
}
