/** Places of a state (registers, then slots of the stack) as bits of two numbers; all beyond those share the last bit. */
const BITS = 32;
const SHARED = 2 * BITS - 1;
/** Bit of all places that have none of their own, in `high`. */
export const OTHERS = 1 << (BITS - 1);

export class PlaceSet {
  low = 0;
  high = 0;

  clear(): void {
    this.low = 0;
    this.high = 0;
  }

  add(place: number): void {
    if (place < BITS) this.low |= 1 << place;
    else this.high |= place < SHARED ? 1 << (place - BITS) : OTHERS;
  }

  /** Is it known to have this very place? */
  has(place: number): boolean {
    if (place < BITS) return (this.low & (1 << place)) !== 0;
    return place < SHARED && (this.high & (1 << (place - BITS))) !== 0;
  }
}
