import type { TypeProvider } from "./type-provider.ts";

/** The provider of a kernel without type information: every question is answered "unknown". */
export const EmptyTypes: TypeProvider = {
  structOrUnion: () => null,
  typedef: () => null,
  enumeration: () => null,
  enumerator: () => null,
  enumOf: () => null,
  func: () => null,
  variable: () => null,
  member: () => null,
  sizeOf: () => null,
};
