/** The members that pointers into structs lead to, with what loads and stores ask of them: looked up once for each pointer. */
import type { FlowGraph } from "./flow-graph.ts";
import type { Place, StructPlaces } from "./struct-places.ts";
import type { TypeFacts, TypeFactsTable } from "./type-facts.ts";
import type { Atom, Value } from "./values.ts";

export class Member {
  readonly place: Place;
  readonly type: TypeFacts;
  /** What a load gives: undefined until it is known, null where that is made anew each time. */
  loaded: Value | null | undefined = undefined;
  #node = -1;

  constructor(place: Place, type: TypeFacts) {
    this.place = place;
    this.type = type;
  }

  /** Its node in the graph. */
  node(graph: FlowGraph): number {
    if (this.#node < 0) this.#node = graph.member(this.place);
    return this.#node;
  }
}

export class Members {
  readonly #structs: StructPlaces;
  readonly #types: TypeFactsTable;
  readonly #byPlace = new Map<Place, Member>();

  constructor(structs: StructPlaces, types: TypeFactsTable) {
    this.#structs = structs;
    this.#types = types;
  }

  /** Those that a pointer leads to, several in unions; none outside of its struct. */
  behind(pointer: Extract<Atom, { kind: "object" }>): readonly Member[] {
    pointer.members ??= this.#structs.at(pointer.type, pointer.offset).map((place) => this.at(place));
    return pointer.members;
  }

  at(place: Place): Member {
    let member = this.#byPlace.get(place);
    if (member === undefined) {
      member = new Member(place, this.#types.of(place.type));
      this.#byPlace.set(place, member);
    }
    return member;
  }

  /** Gives back what is known. */
  forget(): void {
    this.#byPlace.clear();
  }
}
