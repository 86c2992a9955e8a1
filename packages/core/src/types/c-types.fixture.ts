/** C types by hand, for tests. */
import type { CAggregate, CMember, CParameter, CType } from "./type-provider.ts";

export const CHAR: CType = { kind: "int", name: "char", size: 1, signed: true };
export const INT: CType = { kind: "int", name: "int", size: 4, signed: true };
export const U32: CType = { kind: "int", name: "unsigned int", size: 4, signed: false };
export const ULONG: CType = { kind: "int", name: "long unsigned int", size: 8, signed: false };
export const UCHAR: CType = { kind: "int", name: "unsigned char", size: 1, signed: false };
export const BOOL: CType = { kind: "int", name: "_Bool", size: 1, signed: false };
export const VOID: CType = { kind: "void" };

export const pointer = (target: CType): CType => ({ kind: "pointer", size: 8, target });
export const constant = (target: CType): CType => ({ kind: "const", name: "", target });
export const volatile = (target: CType): CType => ({ kind: "volatile", name: "", target });
export const typedef = (name: string, target: CType): CType => ({ kind: "typedef", name, target });
export const parameter = (name: string, type: CType): CParameter => ({ name, type });
export const func = (returns: CType, ...parameters: CParameter[]): CType => ({ kind: "function", returns, parameters });

export function array(element: CType, length: number): CType {
  const size = "size" in element ? element.size : 0;
  return { kind: "array", size: size * length, length, element };
}

/** A member `byte` bytes into its struct. */
export const member = (name: string, type: CType, byte: number): CMember => ({
  name,
  type,
  bitOffset: byte * 8,
  bitSize: null,
});

export const bitField = (name: string, type: CType, bitOffset: number, bitSize: number): CMember => ({
  name,
  type,
  bitOffset,
  bitSize,
});

export const struct = (name: string, size: number, ...members: CMember[]): CAggregate => ({
  kind: "struct",
  name,
  size,
  members,
});

export const union = (name: string, size: number, ...members: CMember[]): CAggregate => ({
  kind: "union",
  name,
  size,
  members,
});

export function enumeration(name: string, values: Readonly<Record<string, bigint>>, size = 4) {
  const enumerators = Object.entries(values).map(([key, value]) => ({ name: key, value }));
  return { kind: "enum", name, size, signed: false, enumerators } as const;
}
