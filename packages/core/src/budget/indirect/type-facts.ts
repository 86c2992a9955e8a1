/** What following pointers asks of a declared type, looked up once for each. */
import { stripTypedefs } from "../../types/strip.ts";
import type { CAggregate, CType } from "../../types/type-provider.ts";
import { isWord } from "./made-values.ts";
import type { StructPlaces } from "./struct-places.ts";
import type { Value } from "./values.ts";

export interface TypeFacts {
  /** The struct that it points to. */
  readonly pointee: CAggregate | null;
  /** Too short for a pointer. */
  readonly isNumber: boolean;
  readonly isVoid: boolean;
  /** An integer that a pointer fits in. */
  readonly isWord: boolean;
  /** What it points to; null where it is no pointer. */
  readonly target: CType | null;
  /** A value that points to the pointee, and the number of the prototype that it points to, once they were asked for. */
  object: Value | null;
  prototype: number;
}

/** Facts of types, by the type. */
export class TypeFactsTable {
  readonly #structs: StructPlaces;
  readonly #facts = new Map<CType, TypeFacts>();

  constructor(structs: StructPlaces) {
    this.#structs = structs;
  }

  of(declared: CType): TypeFacts {
    let facts = this.#facts.get(declared);
    if (facts === undefined) {
      const pointee = this.#structs.pointee(declared);
      const type = stripTypedefs(declared);
      facts = {
        pointee,
        isNumber: (type.kind === "int" || type.kind === "enum") && type.size < 8,
        isVoid: type.kind === "void",
        isWord: isWord(type),
        target: type.kind === "pointer" ? stripTypedefs(type.target) : null,
        object: null,
        prototype: -1,
      };
      this.#facts.set(declared, facts);
    }
    return facts;
  }

  /** Gives back what is known. */
  forget(): void {
    this.#facts.clear();
  }
}
