/** Prototypes of functions and function pointers as small numbers, shared by the kernel and all modules. */
import { formatTypeName } from "../../types/format-c.ts";
import { sizeOfType, stripTypedefs } from "../../types/strip.ts";
import type { CType } from "../../types/type-provider.ts";
import { NumberTable } from "./number-table.ts";
import { PairTable } from "./pair-table.ts";
import { type Left, MOST_PARTS, partKey } from "./type-keys.ts";

type FunctionType = Extract<CType, { kind: "function" }>;

export class Prototypes {
  readonly #byType = new Map<CType, number>();
  readonly #types: FunctionType[] = [];
  /** Numbers of what prototypes are made of: the same for all types of one key (see type-keys.ts). */
  readonly #partOf = new Map<CType, number>();
  readonly #partByKey = new Map<string, number>();
  /** Numbers of lists of such parts, by that of the list without its last part and by that part; 0 is the empty list. */
  readonly #lists = new PairTable();
  #listCount = 1;
  /** The prototype that is made of a list of parts: of what it returns, then of what it takes. */
  readonly #byList = new NumberTable();
  readonly #registers: (readonly CType[] | null)[] = [];
  readonly #shapes: (number | undefined)[] = [];
  readonly #shapeNumbers = new Map<string, number>();

  get count(): number {
    return this.#types.length;
  }

  /** Number of a prototype; the same for all that agree (see type-keys.ts). */
  idOf(type: FunctionType): number {
    const known = this.#byType.get(type);
    if (known !== undefined) return known;
    const list = this.#listOf(type);
    let id = this.#byList.get(list);
    if (id < 0) {
      id = this.#types.length;
      this.#byList.set(list, id);
      this.#types.push(type);
      this.#registers.push(null);
    }
    this.#byType.set(type, id);
    return id;
  }

  #listOf({ returns, parameters }: FunctionType): number {
    const left = { parts: MOST_PARTS };
    let list = this.#with(0, returns, left);
    // Damaged prototypes take thousands.
    const count = Math.min(parameters.length, MOST_PARTS);
    for (let n = 0; n < count; n++) list = this.#with(list, parameters[n]!.type, left);
    return list;
  }

  /** The list with a part behind the others. */
  #with(list: number, type: CType, left: Left): number {
    const part = this.#part(type, left);
    let longer = this.#lists.get(list, part);
    if (longer < 0) {
      longer = this.#listCount++;
      this.#lists.set(list, part, longer);
    }
    return longer;
  }

  #part(type: CType, left: Left): number {
    let part = this.#partOf.get(type);
    if (part === undefined) {
      const key = partKey(type, left);
      part = this.#partByKey.get(key) ?? this.#partByKey.size;
      this.#partByKey.set(key, part);
      this.#partOf.set(type, part);
    }
    return part;
  }

  type(id: number): FunctionType {
    return this.#types[id]!;
  }

  /** As C, with the names of the first that was met: `ssize_t (struct kiocb *, struct iov_iter *)`. */
  label(id: number): string {
    return formatTypeName(this.#types[id]!);
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
  registers(id: number): readonly CType[] {
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
export function registerParameters(type: FunctionType): CType[] {
  const found: CType[] = [];
  // A struct of more than 16 bytes is returned through a hidden first pointer.
  const returns = stripTypedefs(type.returns);
  if ((returns.kind === "struct" || returns.kind === "union") && returns.size > 16) {
    found.push({ kind: "void" });
  }
  for (const parameter of type.parameters) {
    const size = sizeOfType(parameter.type);
    const stripped = stripTypedefs(parameter.type);
    const aggregate = stripped.kind === "struct" || stripped.kind === "union";
    const words = aggregate ? (size > 16 ? 0 : Math.ceil(size / 8)) : 1;
    if (stripped.kind === "void" || stripped.kind === "float" || found.length + words > REGISTERS) continue;
    if (words === 0) continue;
    found.push(parameter.type);
    for (let word = 1; word < words; word++) found.push({ kind: "void" });
  }
  return found;
}

/** Takes varargs: it may get any number of arguments. BTF ends such a list with a nameless void. */
export function isVariadic(type: FunctionType): boolean {
  const last = type.parameters.at(-1);
  return last !== undefined && stripTypedefs(last.type).kind === "void";
}
