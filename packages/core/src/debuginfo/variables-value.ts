import type { AddressSpace } from "../memory/address-space.ts";
import { bytesOfPieces, type CValue, decodeValue, readValue } from "../types/value.ts";
import type { Variable } from "./debug-info.ts";

/** What a variable holds; null where it is lost (`place.why` says why). */
export function variableValue(memory: AddressSpace, variable: Variable): CValue | null {
  const { place, type } = variable;
  switch (place.kind) {
    case "memory":
      return readValue(memory, type, place.address);
    case "value":
      return decodeValue(bytesOfPieces(place.bytes), type);
    case "lost":
      return null;
  }
}
