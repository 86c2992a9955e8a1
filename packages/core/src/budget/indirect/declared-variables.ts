/** Variables that debug information declares, as the analysis of indirect calls asks for them. */
import type { DeclaredTypes } from "../../debuginfo/declared-types.ts";
import { elementOf, sizeOfType } from "../../types/strip.ts";
import type { CAggregate, CType } from "../../types/type-provider.ts";
import { fullAddress, low32 } from "../function-table.ts";
import { firstAfter } from "../sorted.ts";

/** A place in a variable: the type that begins there, or the struct that it lies in. */
export type DeclaredPlace =
  | { readonly kind: "struct"; readonly struct: CAggregate; readonly offset: number }
  | { readonly kind: "scalar"; readonly type: CType };

const NONE: ReadonlyMap<number, CType> = new Map();

export class DeclaredVariables {
  readonly #declared: DeclaredTypes;
  readonly #starts: Int32Array;
  readonly #types = new Map<number, CType>();
  /** Of the instruction that was asked about last. */
  #at = 0;
  #registers = NONE;

  constructor(declared: DeclaredTypes) {
    this.#declared = declared;
    for (const { address, type } of declared.variables()) {
      const low = low32(address);
      // Per-CPU variables have offsets, which BTF knows.
      if (low < 0 && sizeOfType(type) > 0) this.#types.set(low, type);
    }
    this.#starts = Int32Array.from(this.#types.keys()).sort();
  }

  /** Structs that variables are, or are arrays of. */
  *structs(): Generator<{ readonly address: number; readonly type: CAggregate }> {
    for (const [address, declared] of this.#types) {
      const type = elementOf(declared);
      if (type.kind === "struct" || type.kind === "union") yield { address, type };
    }
  }

  /** What lies at an address; null where no variable is known there. */
  at(address: number): DeclaredPlace | null {
    const start = this.#starts[firstAfter(this.#starts, address) - 1];
    const declared = start === undefined ? undefined : this.#types.get(start);
    if (start === undefined || declared === undefined || address - start >= sizeOfType(declared)) return null;
    const type = elementOf(declared);
    const size = sizeOfType(type);
    const offset = size === 0 ? 0 : (address - start) % size;
    if (type.kind === "struct" || type.kind === "union") return { kind: "struct", struct: type, offset };
    return offset === 0 ? { kind: "scalar", type } : null;
  }

  /** The type of the variable that a register holds when an instruction begins; null where it holds none. */
  inRegister(address: number, register: number): CType | null {
    if (this.#at !== address) {
      this.#at = address;
      this.#registers = this.#declared.registersAt(fullAddress(address));
    }
    return this.#registers.get(register) ?? null;
  }
}
