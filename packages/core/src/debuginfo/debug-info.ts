/** What debug information adds to a kernel's own symbols and types. Everything is read when a question touches it. */
import type { CType, TypeProvider } from "../types/type-provider.ts";
import type { CfiTable } from "../unwind/cfi.ts";

/** A place in the source. */
export interface SourceLocation {
  /** As the compiler recorded it: its directory and name joined, absolute or relative to the kernel's source tree. */
  readonly file: string;
  readonly line: number;
  /** 1-based; null where not recorded. */
  readonly column: number | null;
}

/** One function of the source at an address; several where functions were inlined into each other. */
export interface SourceFrame {
  /** The name in the source, without a compiler's suffix. */
  readonly function: string | null;
  /** True for all but the function that the code was emitted for. */
  readonly inlined: boolean;
  /** Where in this function: the address's own line in the innermost, the call's line in the ones around it. */
  readonly location: SourceLocation | null;
  /** Where the function itself is defined. */
  readonly declared: SourceLocation | null;
}

/** Where a variable lives at one address of the code, in one frame. */
export type VariablePlace =
  | { readonly kind: "memory"; readonly address: bigint }
  /** Computed or kept in registers: the bytes, little-endian; pieces that are lost read as null. */
  | { readonly kind: "value"; readonly bytes: readonly (number | null)[] }
  | { readonly kind: "lost"; readonly why: string };

export interface Variable {
  readonly name: string;
  readonly kind: "parameter" | "local";
  /** The function of the source that declares it; not the frame's own where that one was inlined. */
  readonly function: string | null;
  readonly type: CType;
  /** Bytes, null where the type has no size. */
  readonly size: number | null;
  readonly place: VariablePlace;
  readonly declared: SourceLocation | null;
}

/** A frame's state, as far as unwinding gave it. Registers by DWARF number (x86_64 psABI: 6 is RBP, 7 RSP, 16 the return address). */
export interface FrameState {
  readonly pc: bigint;
  /** True where `pc` is a return address, so that the call lies before it. */
  readonly afterCall: boolean;
  readonly sp: bigint;
  /** The canonical frame address (RSP before the call that made the frame), null where not known. */
  readonly cfa: bigint | null;
  readonly registers: ReadonlyMap<number, bigint>;
  /** The frame that called this one, where it is known: it tells what was passed in registers that have changed since. */
  readonly caller?: FrameState | null;
}

/** The debug information of a kernel and its modules, as far as files with the right build-ids were found. */
export interface DebugInfo {
  /** The functions of the source at an address of the running kernel, innermost first; empty where nothing covers it. */
  framesAt(address: bigint): readonly SourceFrame[];
  /** The address of the first code of a source line, or of a function by its name in the source; empty where unknown. */
  addressesOf(file: string, line: number): readonly bigint[];
  /** Parameters and locals in scope, the innermost function's first. */
  variablesAt(frame: FrameState): readonly Variable[];
  /** Variables with a place of their own in the frame's memory, in scope or not; those of inlined functions too. */
  stackVariablesAt(frame: FrameState): readonly Variable[];
  /** Call frame information, for kernels without ORC. */
  readonly cfi: CfiTable;
  /** C types of the kernel's own file, for kernels without BTF. */
  readonly kernelTypes: TypeProvider;
  /** C types, in the model that BTF has too. */
  readonly types: TypeProvider;
  /** What could not be read or did not match, in words. */
  readonly problems: readonly string[];
}
