/** Layouts of C types: one model behind BTF and DWARF. */

export interface CMember {
  /** Empty for an anonymous struct or union member. */
  readonly name: string;
  /** From the start of the struct. */
  readonly bitOffset: number;
  /** Width of a bit field, or null. */
  readonly bitSize: number | null;
  readonly type: CType;
}

export interface CEnumerator {
  readonly name: string;
  readonly value: bigint;
}

/** A type; lazily expanded (`members` and `target` are getters on the implementation, so recursive types are fine). */
export type CType =
  | { readonly kind: "int"; readonly name: string; readonly size: number; readonly signed: boolean }
  | { readonly kind: "float"; readonly name: string; readonly size: number }
  | { readonly kind: "pointer"; readonly size: number; readonly target: CType }
  | { readonly kind: "array"; readonly size: number; readonly length: number; readonly element: CType }
  | {
      readonly kind: "struct" | "union";
      readonly name: string;
      readonly size: number;
      readonly members: readonly CMember[];
    }
  | {
      readonly kind: "enum";
      readonly name: string;
      readonly size: number;
      readonly signed: boolean;
      readonly enumerators: readonly CEnumerator[];
    }
  | { readonly kind: "typedef" | "const" | "volatile" | "restrict"; readonly name: string; readonly target: CType }
  | { readonly kind: "function"; readonly returns: CType; readonly parameters: readonly CParameter[] }
  | { readonly kind: "forward"; readonly name: string; readonly union: boolean }
  | { readonly kind: "void" };

export type CAggregate = Extract<CType, { kind: "struct" | "union" }>;

export interface CParameter {
  readonly name: string;
  readonly type: CType;
}

/** Where a (possibly nested, dotted) member lies. */
export interface MemberLocation {
  /** Byte offset from the start of the outer struct. */
  readonly offset: number;
  /** Size in bytes of the member's type (for a bit field: of its storage). */
  readonly size: number;
  readonly bitOffset: number;
  readonly bitSize: number | null;
  readonly type: CType;
}

export interface TypeProvider {
  /** `struct NAME` or `union NAME`; null where unknown. */
  structOrUnion(name: string): Extract<CType, { kind: "struct" | "union" }> | null;
  typedef(name: string): CType | null;
  enumeration(name: string): Extract<CType, { kind: "enum" }> | null;
  /** Value of an enumerator anywhere in the types (`MOD_TEXT`), or null. */
  enumerator(name: string): bigint | null;
  /** The enum that has an enumerator of that name, or null. */
  enumOf(enumerator: string): Extract<CType, { kind: "enum" }> | null;
  /** Prototype of a function, or null. */
  func(name: string): Extract<CType, { kind: "function" }> | null;
  /** Type of a global variable; BTF has only per-CPU ones. */
  variable(name: string): CType | null;
  /**
   * Finds a member through anonymous structs and unions and along dots: `member("task_struct", "thread.sp")`.
   * Null where the struct or member does not exist in this kernel.
   */
  member(struct: string, path: string): MemberLocation | null;
  /** Size in bytes of a struct or union, or null. */
  sizeOf(struct: string): number | null;
  /** Names of all structs, unions, enums and typedefs, for completion; left out where listing them would be slow. */
  names?(): Iterable<string>;
}
