import { findMember } from "./member.ts";
import type { CType, MemberLocation, TypeProvider } from "./type-provider.ts";

/**
 * Several sources of types behind one: the first that knows a name answers. A source is opened when the ones before it
 * did not know, and once.
 */
export class LayeredTypes implements TypeProvider {
  readonly #sources: readonly (() => TypeProvider | null)[];
  readonly #opened: (TypeProvider | null)[] = [];

  constructor(sources: readonly (() => TypeProvider | null)[]) {
    this.#sources = sources;
  }

  #source(n: number): TypeProvider | null {
    while (this.#opened.length <= n) this.#opened.push(this.#sources[this.#opened.length]!());
    return this.#opened[n]!;
  }

  #first<T>(ask: (types: TypeProvider) => T | null): T | null {
    for (let n = 0; n < this.#sources.length; n++) {
      const types = this.#source(n);
      const answer = types === null ? null : ask(types);
      if (answer !== null) return answer;
    }
    return null;
  }

  structOrUnion(name: string): Extract<CType, { kind: "struct" | "union" }> | null {
    return this.#first((types) => types.structOrUnion(name));
  }

  typedef(name: string): CType | null {
    return this.#first((types) => types.typedef(name));
  }

  enumeration(name: string): Extract<CType, { kind: "enum" }> | null {
    return this.#first((types) => types.enumeration(name));
  }

  enumerator(name: string): bigint | null {
    return this.#first((types) => types.enumerator(name));
  }

  enumOf(enumerator: string): Extract<CType, { kind: "enum" }> | null {
    return this.#first((types) => types.enumOf(enumerator));
  }

  func(name: string): Extract<CType, { kind: "function" }> | null {
    return this.#first((types) => types.func(name));
  }

  variable(name: string): CType | null {
    return this.#first((types) => types.variable(name));
  }

  /** Of all sources: each is opened. */
  *names(): Generator<string> {
    for (let n = 0; n < this.#sources.length; n++) yield* this.#source(n)?.names?.() ?? [];
  }

  /** A member of the first definition of the struct: where that lacks it, no other definition is asked. */
  member(struct: string, path: string): MemberLocation | null {
    const type = this.structOrUnion(struct);
    return type === null ? null : findMember(type, path);
  }

  sizeOf(struct: string): number | null {
    return this.structOrUnion(struct)?.size ?? null;
  }
}
