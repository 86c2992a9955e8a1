/** An indirect call as following values found it, before anything is known of who is called. */
import type { CAggregate } from "../../types/type-provider.ts";
import type { CheckedHash } from "./kcfi.ts";
import type { LoadOrigin } from "./member-search.ts";
import type { StructPlaces } from "./struct-places.ts";
import type { Value } from "./values.ts";

/** An indirect call as it came out of the code. */
export interface FoundSite {
  /** Address of the instruction. */
  readonly address: number;
  readonly caller: number;
  readonly tail: boolean;
  /** Nodes of the flow graph whose functions are called. */
  readonly nodes: readonly number[];
  /** Functions that the code names itself. */
  readonly constants: readonly number[];
  /** The pointer may also be something that could not be followed. */
  readonly unknown: boolean;
  readonly prototypes: readonly number[];
  /** Where the pointer was loaded from, where no type is known of that; null where it tells nothing. */
  readonly origins: readonly LoadOrigin[] | null;
  /** What debug information says of the variable that is called; null where it says nothing. */
  readonly declared: number | null;
  /** The type hash that the callee is checked for; null in kernels without kCFI. */
  readonly checked: CheckedHash | null;
  /** What the argument registers hold. */
  readonly arguments: readonly GivenArgument[];
  /** The code makes use of what the call returns. */
  readonly returns: boolean;
}

/** What an argument register holds at an indirect call, as far as it can be held against a prototype. */
export interface GivenArgument {
  /** False where the last call may have overwritten it, or nothing was ever put there: the callee takes no such argument. */
  readonly given: boolean;
  /** Some pointer, of whatever type. */
  readonly pointer: boolean;
  /** The structs that begin where it points, outermost first; null where that is not known. */
  readonly structs: readonly CAggregate[] | null;
}

const NOT_GIVEN: GivenArgument = { given: false, pointer: false, structs: null };

/** What a value that stands in an argument register is as an argument. */
export function givenArgument(value: Value, structs: StructPlaces): GivenArgument {
  let pointer = value.atoms.length > 0;
  let found: CAggregate[] | null = value.atoms.length > 0 ? [] : null;
  for (const atom of value.atoms) {
    if (atom.kind === "dead") return NOT_GIVEN;
    const isPointer = atom.kind === "object" || atom.kind === "stack" || atom.kind === "cell" || atom.kind === "code";
    if (!isPointer && !(atom.kind === "address" && atom.address < 0)) pointer = false;
    if (atom.kind !== "object" || found === null) found = null;
    else {
      const begin = structs.startingAt(atom.type, atom.offset);
      if (begin === null) found = null;
      else found.push(...begin);
    }
  }
  return { given: true, pointer, structs: found };
}
