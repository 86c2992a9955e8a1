/** Prototypes of functions and function pointers as small numbers, shared by the kernel and all modules. */
import { formatTypeName } from "../../types/format-c.ts";
import { sizeOfType, stripTypedefs } from "../../types/strip.ts";
import type { CType } from "../../types/type-provider.ts";
import { looseKey, typeKey } from "./type-keys.ts";

type FunctionType = Extract<CType, { kind: "function" }>;

/** What a register argument is, as far as a call's arguments can be held against it. */
export interface RegisterParameter {
  /** Key of what it points to; null where it is no pointer, or one to void. */
  readonly pointee: string | null;
  readonly type: CType;
}

export class Prototypes {
  readonly #byType = new Map<CType, number>();
  readonly #byKey = new Map<string, number>();
  readonly #types: FunctionType[] = [];
  readonly #keys: string[] = [];
  readonly #registers: (readonly RegisterParameter[] | null)[] = [];
  readonly #loose = new Map<string, number[]>();
  readonly #shapes: (number | undefined)[] = [];
  readonly #shapeNumbers = new Map<string, number>();

  get count(): number {
    return this.#types.length;
  }

  /** Number of a prototype; the same for all that agree (see type-keys.ts). */
  idOf(type: FunctionType): number {
    const known = this.#byType.get(type);
    if (known !== undefined) return known;
    const key = typeKey(type);
    let id = this.#byKey.get(key);
    if (id === undefined) {
      id = this.#types.length;
      this.#byKey.set(key, id);
      this.#types.push(type);
      this.#keys.push(key);
      this.#registers.push(null);
      const loose = looseKey(type);
      const alike = this.#loose.get(loose);
      if (alike === undefined) this.#loose.set(loose, [id]);
      else alike.push(id);
    }
    this.#byType.set(type, id);
    return id;
  }

  type(id: number): FunctionType {
    return this.#types[id]!;
  }

  key(id: number): string {
    return this.#keys[id]!;
  }

  /** As C, with the names of the first that was met: `ssize_t (struct kiocb *, struct iov_iter *)`. */
  label(id: number): string {
    return formatTypeName(this.#types[id]!);
  }

  /** Prototypes that differ from `id` in what pointers point to only: what old kernels cast between. */
  alike(id: number): readonly number[] {
    return this.#loose.get(looseKey(this.#types[id]!)) ?? [id];
  }

  /**
   * Number of what a prototype looks like if types are told apart by their kinds only, and results by whether there is one:
   * equal for those that agree in that.
   */
  shape(id: number): number {
    let shape = this.#shapes[id];
    if (shape === undefined) {
      const { parameters, returns } = this.#types[id]!;
      const kinds = parameters.map(({ type }) => stripTypedefs(type).kind);
      const key = `${stripTypedefs(returns).kind === "void"} ${kinds.join()}`;
      shape = this.#shapeNumbers.get(key) ?? this.#shapeNumbers.size;
      this.#shapeNumbers.set(key, shape);
      this.#shapes[id] = shape;
    }
    return shape;
  }

  /**
   * The parameters that arrive in rdi, rsi, rdx, rcx, r8, r9 (System V psABI 3.2.3: integers and pointers of up to 8 bytes
   * take one each, structs of up to 16 bytes one or two, larger ones none).
   */
  registers(id: number): readonly RegisterParameter[] {
    let known = this.#registers[id];
    if (known == null) {
      known = registerParameters(this.#types[id]!);
      this.#registers[id] = known;
    }
    return known;
  }
}

const REGISTERS = 6;

/** See `Prototypes.registers`. */
export function registerParameters(type: FunctionType): RegisterParameter[] {
  const found: RegisterParameter[] = [];
  // A struct of more than 16 bytes is returned through a hidden first pointer.
  const returns = stripTypedefs(type.returns);
  if ((returns.kind === "struct" || returns.kind === "union") && returns.size > 16) {
    found.push({ pointee: null, type: { kind: "void" } });
  }
  for (const parameter of type.parameters) {
    const size = sizeOfType(parameter.type);
    const stripped = stripTypedefs(parameter.type);
    const aggregate = stripped.kind === "struct" || stripped.kind === "union";
    const words = aggregate ? (size > 16 ? 0 : Math.ceil(size / 8)) : 1;
    if (stripped.kind === "void" || stripped.kind === "float" || found.length + words > REGISTERS) continue;
    if (words === 0) continue;
    const target = stripped.kind === "pointer" ? stripTypedefs(stripped.target) : null;
    const pointee = target === null || target.kind === "void" ? null : typeKey(target);
    found.push({ pointee, type: parameter.type });
    for (let word = 1; word < words; word++) found.push({ pointee: null, type: { kind: "void" } });
  }
  return found;
}

/** Takes varargs: it may get any number of arguments. BTF ends such a list with a nameless void. */
export function isVariadic(type: FunctionType): boolean {
  const last = type.parameters.at(-1);
  return last !== undefined && stripTypedefs(last.type).kind === "void";
}
