/** Places as sentences name them. */
interface Place {
  readonly function: string | null;
  readonly module: string | null;
  readonly address?: bigint | null;
}

/** "parse_packet [vandal]"; an address, or "an unknown place", where no function is known. */
export function placeName(place: Place): string {
  if (place.function === null) {
    return place.address == null ? "an unknown place" : `0x${place.address.toString(16)}`;
  }
  return place.module === null ? place.function : `${place.function} [${place.module}]`;
}

/** The two are in one function. */
export function sameFunction(a: Place, b: Place): boolean {
  return (
    a.function !== null &&
    a.function === b.function &&
    (a.module === b.module || a.module === null || b.module === null)
  );
}
