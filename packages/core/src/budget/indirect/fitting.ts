/** Which prototypes a call fits of which only its argument registers and the use of its result are known. */
import { stripTypedefs } from "../../types/strip.ts";
import type { CAggregate } from "../../types/type-provider.ts";
import type { FoundSite, GivenArgument } from "./found-site.ts";
import { isVariadic, type Prototypes } from "./prototypes.ts";
import { typeKey } from "./type-keys.ts";

/** Structs that lie at each other's beginning. */
const MOST_NESTED = 8;

/** What of a prototype can be held against a call. */
interface Shape {
  readonly returnsVoid: boolean;
  /** Register arguments that there have to be. */
  readonly least: number;
  /** For each: a number too short for a pointer, a pointer to a struct with a name (its key), or anything. */
  readonly parameters: readonly (typeof SHORT | typeof ANY | Pointee)[];
}

interface Pointee {
  readonly key: string;
  readonly struct: CAggregate;
}

const SHORT = "short";
const ANY = "any";

export class Fitting {
  readonly #prototypes: Prototypes;
  readonly #shapes: (Shape | undefined)[] = [];
  readonly #begins = new Map<string, boolean>();

  constructor(prototypes: Prototypes) {
    this.#prototypes = prototypes;
  }

  /** "(struct file *, ?, …) with a result": what is known of a call. */
  label(site: FoundSite): string {
    const given = givenOf(site);
    const words = given.map(describe);
    if (given.length === site.arguments.length) {
      while (words.at(-1) === "?") words.pop();
      words.push("…");
    }
    return `(${words.join(", ")})${site.returns ? " with a result" : ""}`;
  }

  /** Equal for sites that the same prototypes fit. */
  key(site: FoundSite): string {
    const words = site.arguments.map(({ given, pointer, structs }) => {
      return `${given ? 1 : 0}${pointer ? 1 : 0}${structs?.map((struct) => typeKey(struct)).join() ?? "?"}`;
    });
    return `${site.returns} ${words.join("; ")}`;
  }

  /** Those of the prototypes that fit. */
  select(site: FoundSite, prototypes: Iterable<number>): number[] {
    const given = givenOf(site);
    const found: number[] = [];
    for (const prototype of prototypes) {
      const shape = this.#shape(prototype);
      if (site.returns && shape.returnsVoid) continue;
      if (given.length < site.arguments.length && shape.least > given.length) continue;
      if (this.#fits(shape, given)) found.push(prototype);
    }
    return found;
  }

  #fits({ parameters }: Shape, given: readonly GivenArgument[]): boolean {
    for (let n = 0; n < parameters.length && n < given.length; n++) {
      const wanted = parameters[n]!;
      const { pointer, structs } = given[n]!;
      if (wanted === ANY) continue;
      if (wanted === SHORT) {
        if (pointer) return false;
      } else if (structs !== null && !structs.some((struct) => this.#agree(wanted, struct))) return false;
    }
    return true;
  }

  /** One struct, or one that begins with the other: casts to the first member and back leave no trace in code. */
  #agree({ key, struct }: Pointee, given: CAggregate): boolean {
    if (given.name === "") return true;
    const other = typeKey(given);
    if (key === other) return true;
    const both = `${key} ${other}`;
    let agree = this.#begins.get(both);
    if (agree === undefined) {
      agree = beginsWith(struct, other);
      this.#begins.set(both, agree);
    }
    return agree;
  }

  #shape(prototype: number): Shape {
    let shape = this.#shapes[prototype];
    if (shape === undefined) {
      const type = this.#prototypes.type(prototype);
      const registers = this.#prototypes.registers(prototype);
      shape = {
        returnsVoid: stripTypedefs(type.returns).kind === "void",
        least: isVariadic(type) ? 0 : registers.length,
        parameters: registers.map(({ type: declared, pointee }) => {
          const stripped = stripTypedefs(declared);
          if ((stripped.kind === "int" || stripped.kind === "enum") && stripped.size < 8) return SHORT;
          const target = stripped.kind === "pointer" ? stripTypedefs(stripped.target) : null;
          const isStruct = target?.kind === "struct" || target?.kind === "union";
          return isStruct && target.name !== "" && pointee !== null ? { key: pointee, struct: target } : ANY;
        }),
      };
      this.#shapes[prototype] = shape;
    }
    return shape;
  }
}

/** The argument registers up to the first in which nothing was put. */
function givenOf({ arguments: registers }: FoundSite): readonly GivenArgument[] {
  const missing = registers.findIndex(({ given }) => !given);
  return missing < 0 ? registers : registers.slice(0, missing);
}

function beginsWith(outer: CAggregate, innerKey: string, depth = 0): boolean {
  return outer.members.some((member) => {
    if (member.bitOffset !== 0 || member.bitSize !== null || depth > MOST_NESTED) return false;
    const type = stripTypedefs(member.type);
    if (type.kind !== "struct" && type.kind !== "union") return false;
    return typeKey(type) === innerKey || beginsWith(type, innerKey, depth + 1);
  });
}

function describe({ structs, pointer }: GivenArgument): string {
  const name = structs?.[0]?.name;
  return name !== undefined && name !== "" ? `struct ${name} *` : pointer ? "pointer" : "?";
}
