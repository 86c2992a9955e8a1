import type { CType } from "./type-provider.ts";

/** No kernel nests qualifiers, typedefs or arrays this deep; a damaged section may do so for ever. */
const MAX_DEPTH = 64;

/** Follows typedefs and qualifiers to the type they stand for; void where they run in a circle. */
export function stripTypedefs(type: CType): CType {
  let t = type;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (t.kind !== "typedef" && t.kind !== "const" && t.kind !== "volatile" && t.kind !== "restrict") return t;
    t = t.target;
  }
  return { kind: "void" };
}

/** What an array, of however many dimensions, has as elements; the type itself, stripped, where it is no array. */
export function elementOf(declared: CType): CType {
  let type = stripTypedefs(declared);
  for (let depth = 0; type.kind === "array" && depth < MAX_DEPTH; depth++) type = stripTypedefs(type.element);
  return type;
}

/** Size in bytes of a value of the type; 0 for void, functions and incomplete types. */
export function sizeOfType(type: CType): number {
  const t = stripTypedefs(type);
  switch (t.kind) {
    case "int":
    case "float":
    case "pointer":
    case "array":
    case "struct":
    case "union":
    case "enum":
      return t.size;
    default:
      return 0;
  }
}
