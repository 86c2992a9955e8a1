/** What is known of the whole program while its functions are seen one by one. */
import type { CAggregate, CType } from "../../types/type-provider.ts";
import type { DeclaredVariables } from "./declared-variables.ts";
import type { FlowGraph } from "./flow-graph.ts";
import type { TypeHashes } from "./kcfi.ts";
import type { KnownFunctions } from "./known-functions.ts";
import type { MemberSearch } from "./member-search.ts";
import type { Prototypes } from "./prototypes.ts";
import type { StructPlaces } from "./struct-places.ts";

export interface ProgramFacts {
  readonly structs: StructPlaces;
  readonly prototypes: Prototypes;
  readonly graph: FlowGraph;
  readonly functions: KnownFunctions;
  readonly search: MemberSearch;
  readonly hashes: TypeHashes;
  /** What debug information says of variables; null where there is none. */
  readonly declared: DeclaredVariables | null;
  isAddress(value: number): boolean;
  /** Type of the per-CPU variable that holds an address of the per-CPU section, and the offset in it. */
  perCpuVariable(address: number): { readonly type: CType; readonly offset: number } | null;
  thunkRegister(target: number): number;
  isReturnThunk(target: number): boolean;
  preserves(target: number): boolean;
  /** Name of the tracepoint (`struct tracepoint`) there. */
  tracepointAt(address: number): string | null;
  /** An object of that type begins there. */
  typedAddress(address: number, type: CAggregate): void;
}
