/**
 * C types as short keys, equal where two pieces of code can have been compiled against "the same" type: the currency in which
 * prototypes and structs of the kernel and of all modules are compared, although each brings type records of its own.
 *
 * What is left out: names of parameters, typedefs, qualifiers, signedness, and the difference between `int`, `enum` and `long
 * long` of the same size. Kernels since 6.1 can be built with kCFI, which traps where a pointer calls a function of another
 * type, so that the types proper agree.
 */
import type { CType } from "../../types/type-provider.ts";

/** Pointers to pointers to functions that take …: deeper than any kernel's; damaged types may nest for ever. */
const MAX_DEPTH = 8;
/** Types that one key is made of: the longest of a kernel's take some 60. Damaged ones branch at every depth. */
export const MOST_PARTS = 1000;

/** Of all parts of one key. */
export interface Left {
  parts: number;
}

const keys = new WeakMap<CType, string>();

/** Key of a type; void is "v", a pointer "*" and what it points to, a struct its name. */
export function typeKey(type: CType): string {
  if ((type.kind === "struct" || type.kind === "union") && type.name !== "") return type.name;
  let key = keys.get(type);
  if (key === undefined) {
    key = makeKey(type, 0, { parts: MOST_PARTS });
    keys.set(type, key);
  }
  return key;
}

/**
 * Key of what a prototype takes or returns.
 * @param left of MOST_PARTS, for all of the prototype
 */
export function partKey(type: CType, left: Left): string {
  return makeKey(type, 1, left);
}

function makeKey(start: CType, depth: number, left: Left): string {
  if (left.parts-- <= 0 || depth > MAX_DEPTH) return "?";
  let type = start;
  let typedef = "";
  for (let n = 0; n < 64; n++) {
    if (type.kind === "typedef") typedef = type.name;
    else if (type.kind !== "const" && type.kind !== "volatile" && type.kind !== "restrict") break;
    type = type.target;
  }
  switch (type.kind) {
    case "int":
    case "enum":
      return `i${type.size}`;
    case "float":
      return `f${type.size}`;
    case "pointer":
      return `*${makeKey(type.target, depth + 1, left)}`;
    case "array":
      return `[${makeKey(type.element, depth + 1, left)}]`;
    case "struct":
    case "union":
      return type.name !== "" ? type.name : typedef !== "" ? `${typedef}` : `{${type.size}}`;
    case "forward":
      return type.name;
    case "function": {
      const returns = makeKey(type.returns, depth + 1, left);
      const parameters: string[] = [];
      for (const parameter of type.parameters) {
        if (left.parts <= 0) break;
        parameters.push(makeKey(parameter.type, depth + 1, left));
      }
      return `${returns}(${parameters.join()})`;
    }
    default:
      return "v";
  }
}
